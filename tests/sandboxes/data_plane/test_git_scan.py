"""What is found in real git folders, inside a real sandbox."""

import pytest

from sandboxes import services
from sandboxes.data_plane import git_scan
from sandboxes.models import Sandbox
from tests.support.factories import SandboxFactory

AUTHOR = "-c user.name=A -c user.email=a@example.com -c commit.gpgsign=false"


@pytest.fixture
def shell(made, provider):
    """Run a command inside, to its end."""

    def shell(command):
        body = {"command": command, "waitForCompletion": True, "workingDir": "/blaxel"}
        where = provider.server.inside(made.name, "/process")
        process = provider.server.http.post(where, json=body).raise_for_status().json()
        assert process["exitCode"] == 0, process["logs"]
        return process["stdout"]

    if "no git" in shell("command -v git || echo no git"):
        pytest.skip("There is no git in the sandbox.")
    return shell


def found(made):
    return {folder["folder"]: folder for folder in git_scan.look(made.reach)[0]}


def test_no_git_folder_is_nothing_unsaved(made, provider):
    assert git_scan.look(made.reach) == ([], "")


def test_a_closed_home_is_looked_into_as_far_as_it_goes(made, provider):
    provider.server.run(made.name, "chmod 000 /blaxel", workingDir="/")

    found = git_scan.look(made.reach)
    provider.server.run(made.name, "chmod 755 /blaxel", workingDir="/")

    assert found == ([], "")


def test_changes_commits_and_stashes_are_counted(made, shell):
    shell(
        "git init -q -b main repo && cd repo && "
        f"echo 1 > a && git add a && git {AUTHOR} commit -qm one && "
        f"echo 2 > a && git {AUTHOR} stash -q && echo 3 > a && echo 4 > new"
    )

    work = found(made)["/blaxel/repo"]

    assert (work["changed"], work["stashes"], work["remotes"]) == (2, 1, 0)
    assert work["branches"] == [{"name": "main", "commits": 1}]


def test_only_what_no_remote_has_is_unpushed(made, shell):
    shell(
        "git init -q --bare -b main origin.git && git clone -q origin.git repo && cd repo && "
        f"git {AUTHOR} commit -q --allow-empty -m one && git push -q origin HEAD && "
        f"git checkout -q -b 'feature/\"ünï\"' && git {AUTHOR} commit -q --allow-empty -m two"
    )

    work = found(made)["/blaxel/repo"]

    assert work["remotes"] == 1
    assert work["branches"] == [{"name": 'feature/"ünï"', "commits": 1}]


def test_a_clean_and_pushed_folder_is_not_named(made, shell):
    shell(
        "git init -q --bare -b main origin.git && git clone -q origin.git repo && cd repo && "
        f"git {AUTHOR} commit -q --allow-empty -m one && git push -q origin HEAD"
    )

    assert found(made) == {}


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["a b", 'it\'s "quoted"', "two\nlines", "-n", "ünïcödé", "$(id)"])
def test_a_folder_may_have_any_name(made, shell, name):
    quoted = "'" + name.replace("'", "'\\''") + "'"
    shell(f"git init -q -- {quoted} && touch ./{quoted}/new")

    assert found(made)[f"/blaxel/{name}"]["changed"] == 1


def test_a_repository_runs_nothing_of_its_own(made, shell):
    shell(
        "git init -q evil && cd evil && touch new && "
        "printf '#!/bin/sh\\ntouch /blaxel/ran\\n' > .git/hooks/post-index-change && "
        "cp .git/hooks/post-index-change mon && chmod +x mon .git/hooks/post-index-change && "
        "git config core.fsmonitor /blaxel/evil/mon"
    )

    assert found(made)["/blaxel/evil"]["changed"] == 2
    assert "ran" not in shell("ls /blaxel")


def test_no_setting_of_a_repository_runs_anything_where_no_limit_holds(made, shell, monkeypatch):
    # The kernel does not hold root to a number of processes, and a sandbox on Blaxel may be root's.
    script = git_scan._SCRIPT
    unlimited = script.replace("ulimit -u 1 || ulimit -p 1; ", "")
    monkeypatch.setattr(git_scan, "_SCRIPT", unlimited)
    trap = "/blaxel/evil/.git/hooks/post-index-change"
    shell(
        "git init -q evil && cd evil && echo x >a && git add a && touch -d yesterday a && "
        f"printf '#!/bin/sh\\ntouch /blaxel/ran\\ncat\\n' >{trap} && chmod +x {trap} && "
        "echo '* filter=f' >.gitattributes && "
        f"git config -f .git/more core.fsmonitor {trap} && "
        f"git config -f .git/more filter.f.clean {trap} && git config include.path more"
    )

    assert found(made)["/blaxel/evil"]["changed"] == 2
    assert "ran" not in shell("ls /blaxel")
    assert unlimited != script


def test_a_repository_of_another_user_or_none_at_all_is_no_error(made, shell):
    shell("mkdir -p broken/.git && git init -q empty")

    assert git_scan.look(made.reach) == ([], "")


def test_an_answer_that_was_cut_off_says_so():
    answer = b"folder\0/blaxel/a\0changed\x003\0stash"

    work, problem = git_scan.read(answer)

    assert work[0]["changed"] == 3
    assert "took too long" in problem


def test_a_look_is_asked_for_and_noted_by_the_worker(made, shell, look_again):
    shell("git init -q repo && touch repo/new")
    used_at = made.used_at

    services.deletion.look_for_unsaved_work(sandbox=made)
    assert made.is_looked_into
    look_again(made)

    assert not made.is_looked_into
    assert made.unsaved_work[0]["folder"] == "/blaxel/repo"
    assert made.unsaved_checked_at is not None
    assert made.used_at == used_at


def test_a_sandbox_that_can_not_be_looked_into_says_so(made, look_again, monkeypatch):
    monkeypatch.setattr(git_scan, "_SCRIPT", "sleep 9")
    monkeypatch.setattr(git_scan, "_ANSWERS_IN", 1)
    monkeypatch.setattr(git_scan, "_FIND", "sleep 9 # {root}{script}")

    services.deletion.look_for_unsaved_work(sandbox=made)
    look_again(made)

    assert "The check failed" in made.unsaved_problem
    assert made.unsaved_checked_at is None
    assert made.unsaved_wanted_at is None


def test_a_look_that_never_ended_is_not_waited_for_for_ever(alice):
    from datetime import timedelta

    from django.utils import timezone

    sandbox = SandboxFactory(owner=alice, unsaved_wanted_at=timezone.now() - timedelta(minutes=2))

    assert not Sandbox.objects.get(pk=sandbox.pk).is_looked_into

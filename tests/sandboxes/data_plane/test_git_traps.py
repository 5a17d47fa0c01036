"""Each way in which git finds a program to run, laid as a trap for Manta's look into git folders.

Every trap is sprung by git itself afterwards, so that none passes because it was laid wrongly.
"""

import shlex

import pytest

from sandboxes.data_plane import git_scan

pytestmark = [pytest.mark.data_plane, pytest.mark.exhaustive]

# `trap` is a program that leaves a mark; each is laid in a repository with one commit and a change.
SET = "git config"
STATUS = "touch -d yesterday a; git status"
# A commit that is missing, which a remote has promised to have.
PROMISED = (
    "git commit -qam two; touch new; "
    "rm .git/objects/$(git rev-parse HEAD~ | sed 's,^..,&/,'); git config remote.origin.promisor 1;"
    "git config core.repositoryformatversion 1; git config extensions.partialClone origin;"
)
COUNT = "git rev-list --count HEAD"
IN_A_TERMINAL = 'python3 -c \'import pty; pty.spawn(["git", "{0}"])\' </dev/null'
TRAPS = {
    "core.fsmonitor": (f"{SET} core.fsmonitor $trap", STATUS),
    "core.hooksPath": (
        f"mkdir h; ln -s $trap h/post-index-change; {SET} core.hooksPath $PWD/h",
        "git add a",
    ),
    "hooks": ("ln -s $trap .git/hooks/post-index-change", "git add a"),
    "core.pager": (f"{SET} core.pager $trap", IN_A_TERMINAL.format("log")),
    "pager.status": (f"{SET} pager.status $trap", IN_A_TERMINAL.format("status")),
    "include.path": (
        f"{SET} -f .git/more core.fsmonitor $trap; {SET} include.path more",
        STATUS,
    ),
    "includeIf": (
        f"{SET} -f .git/more core.fsmonitor $trap; {SET} includeIf.gitdir:/blaxel/.path more",
        STATUS,
    ),
    "config.worktree": (
        f"{SET} extensions.worktreeConfig true; {SET} --worktree core.fsmonitor $trap",
        STATUS,
    ),
    "core.sshCommand": (
        f"{SET} core.sshCommand $trap; {SET} remote.origin.url ssh://h/x; {PROMISED}",
        COUNT,
    ),
    "remote.uploadpack": (
        f"{SET} remote.origin.uploadpack $trap; {SET} remote.origin.url $PWD; {PROMISED}",
        COUNT,
    ),
    "ext::": (
        f"{SET} protocol.ext.allow always; {SET} remote.origin.url ext::$trap; {PROMISED}",
        COUNT,
    ),
    "filter.clean": (f"{SET} filter.f.clean $trap; echo '* filter=f' >.gitattributes", STATUS),
    "filter.clean in info/attributes": (
        f"{SET} filter.f.clean $trap; mkdir -p .git/info; echo '* filter=f' >.git/info/attributes",
        STATUS,
    ),
    "filter.clean of an odd name": (
        f"{SET} filter.A=b.c.clean $trap; echo '* filter=A=b.c' >.gitattributes",
        STATUS,
    ),
    "filter.process": (f"{SET} filter.f.process $trap; echo '* filter=f' >.gitattributes", STATUS),
    "filter.smudge": (
        f"{SET} filter.f.smudge $trap; echo '* filter=f' >.gitattributes",
        "git checkout a",
    ),
    "diff.external": (f"{SET} diff.external $trap", "git diff"),
    "diff.textconv": (
        f"{SET} diff.f.textconv $trap; echo '* diff=f' >.gitattributes",
        "git diff",
    ),
    "credential.helper": (
        f"{SET} credential.helper $trap",
        "printf 'protocol=https\\nhost=h\\n\\n' | GIT_ASKPASS=false git credential fill",
    ),
    "alias": (
        "for name in st status config remote rev-list rev-parse for-each-ref symbolic-ref; do"
        f' {SET} alias.$name "!$trap"; done',
        "git st",
    ),
    "a submodule's core.fsmonitor": (
        "git init -q sub; cd sub; git commit -q --allow-empty -m sub; cd ..; git add sub;"
        f"{SET} -f sub/.git/config core.fsmonitor $trap; echo x >sub/x",
        "git status",
    ),
    "variables in start-up files": (
        "for file in ~/.profile ~/.bashrc ~/.bash_profile /etc/profile; do"
        " echo export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.fsmonitor >>$file;"
        " echo export GIT_CONFIG_VALUE_0=$trap >>$file; done",
        f"bash -lc {shlex.quote(STATUS)}",
    ),
    "the person's own configuration": (f"{SET} --global core.fsmonitor $trap", STATUS),
}

PREPARE = """
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a
mkdir -p /blaxel/traps
lay() {
  trap=/blaxel/traps/$1
  printf '#!/bin/sh\\ntouch /blaxel/sprung-%s\\n' "$1" >$trap; chmod +x $trap
  git init -q -b main /blaxel/evil-$1; cd /blaxel/evil-$1
  echo x >a; git add a; git commit -qm one
  # As long as before: git has to read it.
  echo y >a
  eval "$2"
} </dev/null
"""


def lay_all():
    laid = (f"lay {at} {shlex.quote(trap)}" for at, (trap, _) in enumerate(TRAPS.values()))
    return "\n".join([PREPARE, *laid])


def spring_all():
    spring = 'spring() { (cd /blaxel/evil-$1; timeout 9 sh -c "$2") </dev/null >/dev/null 2>&1; }'
    sprung = (
        f"spring {at} {shlex.quote(springs)}" for at, (_, springs) in enumerate(TRAPS.values())
    )
    return "\n".join([spring, *sprung])


def test_no_program_is_run_that_git_would_find(made, provider, monkeypatch):
    # Without the limit of processes, to which the kernel does not hold root.
    unlimited = git_scan._SCRIPT.replace("ulimit -u 1 || ulimit -p 1; ", "")
    assert unlimited != git_scan._SCRIPT
    monkeypatch.setattr(git_scan, "_SCRIPT", unlimited)

    def run(script):
        return provider.server.run(made.name, script, workingDir="/blaxel")["stdout"]

    def sprung():
        marks = run("ls -d sprung-*").split()
        return [name for at, name in enumerate(TRAPS) if f"sprung-{at}" in marks]

    if "no git" in run("command -v git || echo no git"):
        pytest.skip("There is no git in the sandbox.")
    run(lay_all())
    # By laying them.
    run("rm -f sprung-*")

    found, problem = git_scan.look(made.reach)
    by_manta = sprung()
    run(spring_all())
    by_git = sprung()

    assert by_manta == []
    assert problem == ""
    # Each was looked into.
    assert {each["folder"] for each in found} >= {f"/blaxel/evil-{at}" for at in range(len(TRAPS))}
    assert [name for name in TRAPS if name not in by_git] == []

"""Nothing that was written inside runs on behalf of the agent, or of whoever asks for that.

A person or an agent that may write files and may not run commands would run them by it.
"""

import shlex
from pathlib import Path

import pytest

from local_blaxel.agent.programs import MARK
from local_blaxel.launcher import programs
from tests.support.launcher_host import Agent

# A shell that is nobody's, with a trap for each program in each place.
TRAP = "#!/blaxel/shell\ntouch /blaxel/sprung\n"
NAMES = ("sh", "bash", "env", "rm", "grep", "find", "git", "realpath", "tr", "timeout", "sed")
FOLDERS = ("/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/blaxel/.venv/bin")
PROGRAMS = {f"{folder}/{name}": TRAP for folder in FOLDERS for name in NAMES}
SETTINGS = {
    "/etc/profile": "touch /blaxel/sprung\n",
    "/etc/bash.bashrc": "touch /blaxel/sprung\n",
    "/root" + "/.profile": "touch /blaxel/sprung\n",
    "/blaxel/.profile": "touch /blaxel/sprung\n",
    "/blaxel/.bashrc": "touch /blaxel/sprung\n",
    "/blaxel/sitecustomize.py": "open('/blaxel/sprung', 'w')\n",
    "/usr/lib/python3/dist-packages/sitecustomize.py": "open('/blaxel/sprung', 'w')\n",
    "/etc/gitconfig": "[core]\n\tfsmonitor = touch /blaxel/sprung\n[no end",
}
# None of these is a library, nor what finds one.
LIBRARIES = {
    f"{folder}/{name}": "no library"
    for folder in ("/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/local/lib", "/usr/lib")
    for name in ("libc.so.6", "libpcre2-8.so.0", "libz.so.1", "libm.so.6", "ld-linux-x86-64.so.2")
}
LIBRARIES |= {
    "/etc/ld.so.cache": "no cache",
    "/usr/lib/ssl/openssl.cnf": "no setting [",
    "/etc/ssl/openssl.cnf": "no setting [",
}


@pytest.fixture(params=["programs", "libraries"])
def box(host, request):
    """A sandbox as somebody left it who may write, started again since."""
    planted = PROGRAMS | SETTINGS if request.param == "programs" else LIBRARIES
    instance = host.call("start", "planted")
    path = Path(host.call("agent_socket", instance))
    with Agent(path) as agent:
        prepared = "cp /bin/sh shell; git init -q repository; mkdir -p deep/er; echo needle > hay"
        assert agent.run(prepared).code == 0
        for place, content in planted.items():
            plant(agent, place, content)
    host.call("restart", instance)
    with Agent(path) as agent:
        yield agent
    host.call("stop", instance)


def plant(agent, place, content):
    """By the file API alone. What has another owner is not written to, and can be deleted."""
    agent.delete(f"/filesystem/{place}")
    body = {"content": content, "permissions": "0755"}
    answer = agent.put(f"/filesystem/{place}", json=body)
    assert answer.status_code == 200, (place, answer.text)


def marked(agent, script):
    """What a script wrote that is to run by none of the sandbox's own programs."""
    text = (
        f'exec env -i PATH="$PATH" LD_LIBRARY_PATH="$LD_LIBRARY_PATH" sh -c {shlex.quote(script)}'
    )
    body = {"command": text, "workingDir": "/", "waitForCompletion": True, "timeout": 30}
    body["env"] = {MARK: "1", "SHELL": "/bin/sh", "PATH": "/usr/local/bin:/usr/bin"}
    answer = agent.post("/process", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def is_sprung(agent):
    return agent.get("/filesystem//blaxel/sprung").status_code != 404


def test_the_agent_itself_runs_none_of_it(box):
    searched = box.get("/codegen/grep", params={"query": "needle"})
    removed = box.delete("/filesystem//blaxel/deep?recursive=true")

    assert searched.json()["lines"] == ["./hay:1:needle"]
    assert removed.status_code == 200
    assert not is_sprung(box)


@pytest.mark.exhaustive
def test_a_marked_command_runs_none_of_it(box):
    told = marked(
        box,
        "GIT_CONFIG_NOSYSTEM=1 git -C /blaxel/repository rev-parse --is-inside-work-tree;"
        " realpath /srv; echo needle | grep -c needle; env | cut -d= -f1 | sort; command -v sh",
    )

    assert told["stderr"] == ""
    assert told["stdout"].split() == [
        *("true", "/srv", "1", "LD_LIBRARY_PATH", "PATH", "PWD", "/opt/local_blaxel/bin/sh")
    ]
    assert not is_sprung(box)


def test_a_command_without_the_mark_is_the_sandboxs_own(attacker):
    ran = attacker.run("command -v sh; echo $HOME", env={"OTHER": "1"})

    assert ran.output in ("/usr/bin/sh\n/blaxel\n", "/bin/sh\n/blaxel\n")


def test_all_that_they_load_is_read_only(attacker):
    listing = attacker.get("/filesystem//opt/local_blaxel/bin").json()["files"]
    there = [file["name"] for file in listing]
    show = (
        "for p in /opt/local_blaxel/bin/*; do LD_TRACE_LOADED_OBJECTS=1 $p; done"
        r" | sed -n 's/.*=> //; /vdso/d; s/^\s*\(\S*\).*/\1/p' | sort -u | xargs realpath"
    )

    paths = marked(attacker, show)["stdout"].split()

    assert set(there) == {path.name for path in programs.sources()}
    assert any("libc.so" in path for path in paths)
    assert [path for path in paths if not path.startswith("/opt/local_blaxel/")] == []

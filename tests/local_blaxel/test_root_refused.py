"""A machine on which nothing can be laid over an image: sandboxes run there, and it is said."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from local_blaxel.launcher.tools import ORDINARY_UID
from tests.support.launcher_host import Agent, Host, maps_owners

# As in a container, whose own files lie in an overlay: that can't be the upper part of another.
CONTAINER = """#!/bin/sh
exec unshare -m sh -c '
mkdir -p {outside}/upper {outside}/work {outside}/lower
mount -t overlay overlay {state} \
  -o lowerdir={outside}/lower,upperdir={outside}/upper,workdir={outside}/work || exit
exec {python} "$@"' sh "$@"
"""
MOUNTED = """#!/bin/sh
exec unshare -m sh -c '
mount -t tmpfs tmpfs /usr/local/share && mkdir /usr/local/share/mine && exec {python} "$@"' sh "$@"
"""

# What root has in a container that was started with --cap-add SYS_ADMIN.
CAPABILITIES = ",".join(
    f"+{name}"
    for name in (
        *("chown", "dac_override", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap"),
        *("net_bind_service", "net_raw", "sys_chroot", "mknod", "audit_write", "setfcap"),
        "sys_admin",
    )
)
LESS = f"""#!/bin/sh
exec setpriv --bounding-set=-all,{CAPABILITIES} unshare -m {{python}} "$@"
"""


@pytest.fixture
def started(tmp_path, tmp_path_factory):
    """A launcher in a mount namespace that a script prepares, and the agent of a sandbox there."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"]).returncode:
        pytest.skip("only root can prepare this")
    hosts = []

    def started(script):
        state = tmp_path_factory.mktemp("lb")
        python = tmp_path / "python"
        places = {"state": state, "outside": tmp_path, "python": sys.executable}
        python.write_text(script.format(**{k: shlex.quote(str(v)) for k, v in places.items()}))
        python.chmod(0o755)
        hosts.append(host := Host(state, python=str(python)))
        path = host.call("agent_socket", host.call("start", "refused"))
        # Only there can it be seen.
        return host, Agent(Path(f"/proc/{host.process.pid}/root{path}"))

    yield started
    for host in hosts:
        for instance in host.call("instances"):
            host.call("stop", instance)
        host.__exit__(None, None, None)


def uid(agent):
    known = json.loads(agent.socket_path.with_name("processes").read_text())
    return Path(f"/proc/{known['init']}").stat().st_uid


@pytest.mark.exhaustive
def test_without_an_overlay_only_its_own_folders_can_be_written_and_that_is_said(started):
    host, agent = started(CONTAINER)

    with agent:
        written = agent.run("echo x > /blaxel/x && echo x > /var/x && echo x > /tmp/x && echo ok")
        refused = agent.run("echo x > /srv/x; echo x > /etc/x; echo x > /usr/x")
        removed = agent.run("mkdir -p d/e").code, agent.delete("/filesystem/d?recursive=true")
        # An overlay can't be mounted with other owners either.
        assert uid(agent) == ORDINARY_UID

    assert "only /blaxel, /tmp and /var can be written (mount overlay: " in host.call("describe")
    assert written.output == "ok\n"
    assert refused.output.count("Read-only file system") + refused.output.count("nonexistent") == 3
    assert removed[1].status_code == 200


@pytest.mark.exhaustive
def test_what_is_mounted_below_usr_stays_to_be_seen(started):
    host, agent = started(MOUNTED)

    with agent:
        seen = agent.run("ls -d /usr/local/share/mine; echo x > /srv/x; cat /srv/x")
        refused = agent.run("echo x > /usr/x")

    assert "all files can be written but those in /usr (mount overlay: " in host.call("describe")
    assert seen.output == "/usr/local/share/mine\nx\n"
    assert "Read-only file system" in refused.output


@pytest.mark.exhaustive
def test_what_root_has_in_a_container_is_enough(started):
    host, agent = started(LESS)

    with agent:
        ran = agent.run("id -u; echo x > /usr/x; cat /usr/x")

    assert ran.output == "1000\nx\n"
    if maps_owners(host.state_dir):
        assert uid(agent) not in (0, ORDINARY_UID)

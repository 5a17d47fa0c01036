"""Manta's own commands at a provider that knows of no programs apart from the sandbox's."""

import pytest

from sandboxes.data_plane import trusted

pytestmark = pytest.mark.data_plane

TRAP = "#!/bin/sh\ntouch /blaxel/sprung\n"
NAMES = {"GIVEN", "HOME", "LC_ALL", "LD_LIBRARY_PATH", "OPENSSL_CONF", "PATH"}
# A shell adds its own.
OF_SHELLS = {"PWD", "OLDPWD", "SHLVL", "_"}


def test_no_program_or_variable_of_the_sandbox_is_found(made, provider):
    server = provider.server
    for name in ("sh", "env", "realpath", "cut"):
        path = server.inside(made.name, f"/filesystem//blaxel/.venv/bin/{name}")
        body = {"content": TRAP, "permissions": "0755"}
        server.http.put(path, json=body).raise_for_status()
    fields = trusted.script("realpath /srv; env | cut -d= -f1", {"GIVEN": "value"})
    del fields["env"]["LOCAL_BLAXEL_APART"]

    answer = server.run(made.name, fields["command"], env=fields["env"], workingDir="/")

    told = answer["stdout"].split()
    assert told[:1] == ["/srv"]
    assert set(told[1:]) - OF_SHELLS == NAMES
    sprung = server.http.get(server.inside(made.name, "/filesystem//blaxel/sprung"))
    assert sprung.status_code == 404

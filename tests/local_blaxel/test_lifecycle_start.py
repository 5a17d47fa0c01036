import os
import signal
import socket
import subprocess
import sys

import pytest

from local_blaxel.config import Config, ConfigError
from tests.support.local_blaxel import KEY, ROOT


def start(state_dir, **variables):
    """Start local_blaxel where it is expected to stop by itself."""
    environ = {"PATH": os.environ["PATH"], "LOCAL_BLAXEL_STATE_DIR": str(state_dir), **variables}
    command = [sys.executable, "-m", "local_blaxel"]
    return subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LOCAL_BLAXEL_PORT", "http"),
        ("LOCAL_BLAXEL_PORT", "70000"),
        ("LOCAL_BLAXEL_WORKSPACE", "My Space"),
        ("LOCAL_BLAXEL_STANDBY_AFTER", "soon"),
        ("LOCAL_BLAXEL_STANDBY_AFTER", "nan"),
        ("LOCAL_BLAXEL_ISOLATION", "magic"),
        ("LOCAL_BLAXEL_API_KEY", "two words"),
        ("LOCAL_BLAXEL_STATE_DIR", "/proc/nowhere"),
    ],
)
def test_a_bad_value_is_named(tmp_path, variable, value):
    with pytest.raises(ConfigError, match=variable):
        Config.read({"LOCAL_BLAXEL_STATE_DIR": str(tmp_path), variable: value})


def test_what_is_unset_or_empty_has_a_default(tmp_path):
    config = Config.read({"LOCAL_BLAXEL_STATE_DIR": str(tmp_path), "LOCAL_BLAXEL_PORT": ""})

    assert (config.port, config.workspace, config.standby_after) == (8001, "manta", 1.0)
    assert config.isolation is None


def test_the_key_is_random_kept_and_for_its_owner_only(tmp_path):
    variables = {"LOCAL_BLAXEL_STATE_DIR": str(tmp_path / "state")}

    first, second = Config.read(variables), Config.read(variables)

    assert first.api_key == second.api_key == (tmp_path / "state/api-key").read_text().strip()
    assert len(first.api_key) > 40
    assert (tmp_path / "state/api-key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


def test_a_bad_value_ends_the_start_in_one_line(tmp_path):
    ended = start(tmp_path, LOCAL_BLAXEL_PORT="http")

    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [ended.stderr.strip()]
    assert "LOCAL_BLAXEL_PORT" in ended.stderr


def test_a_port_in_use_ends_the_start_in_one_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        ended = start(tmp_path, LOCAL_BLAXEL_PORT=port)

    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [ended.stderr.strip()]
    assert port in ended.stderr


@pytest.mark.exhaustive
def test_a_state_directory_has_one_server(server):
    ended = start(server.state_dir, LOCAL_BLAXEL_PORT="0")

    assert ended.returncode == 1
    assert str(server.state_dir) in ended.stderr
    assert ended.stderr.splitlines() == [ended.stderr.strip()]
    assert server.http.get("/health").status_code == 200


@pytest.mark.exhaustive
def test_a_started_server_says_what_to_set_and_never_the_key(own_server):
    said = own_server.end_by(signal.SIGTERM)

    assert own_server.url.startswith("http://127.0.0.1:")
    assert "isolation: " in said
    assert f"BL_API_URL={own_server.url}/v0" in said
    assert str(own_server.state_dir / "api-key") in said
    assert KEY not in said


def test_only_loopback_is_listened_on(server):
    address = socket.gethostbyname(socket.gethostname())
    mine = ("127.0.0.2", server.port) if address.startswith("127.") else (address, server.port)

    with pytest.raises(OSError):
        socket.create_connection(mine, timeout=2)


def test_ctrl_c_ends_it_quietly(own_server):
    said = own_server.end_by(signal.SIGINT)

    assert own_server.process.returncode == 0
    assert "Traceback" not in said

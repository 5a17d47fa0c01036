from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured

from manta.core import env


@pytest.mark.parametrize(
    ("value", "expected"), [("1", True), ("Yes", True), ("off", False), ("", False)]
)
def test_a_flag_is_read(monkeypatch, value, expected):
    monkeypatch.setenv("DEBUG", value)

    assert env.flag("DEBUG") is expected


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (env.flag, "maybe"),
        (lambda name: env.number(name, 1, minimum=1), "0"),
        (lambda name: env.number(name, 1), "many"),
        (lambda name: env.duration(name, "24h"), "24"),
        (lambda name: env.duration(name, "24h"), "soon"),
        (lambda name: env.ports(name, "3000"), "8080"),
        (lambda name: env.ports(name, "3000"), "70000"),
        (lambda name: env.choice(name, "a", ("a", "b")), "c"),
    ],
)
def test_a_value_that_makes_no_sense_stops_the_start_and_names_the_variable(
    monkeypatch, read, value
):
    monkeypatch.setenv("THE_VARIABLE", value)

    with pytest.raises(ImproperlyConfigured, match=f"THE_VARIABLE.*{value}"):
        read("THE_VARIABLE")


def test_a_duration_is_read(monkeypatch):
    monkeypatch.setenv("SANDBOX_TTL", "7d")

    assert env.duration("SANDBOX_TTL", "24h") == timedelta(days=7)


def test_a_secret_can_be_in_a_file(monkeypatch, tmp_path):
    (tmp_path / "key").write_text("from the file\n")
    monkeypatch.setenv("BLAXEL_API_KEY_FILE", str(tmp_path / "key"))

    assert env.secret("BLAXEL_API_KEY") == "from the file"


def test_a_secret_file_that_is_missing_names_the_variable(monkeypatch, tmp_path):
    monkeypatch.setenv("BLAXEL_API_KEY_FILE", str(tmp_path / "nowhere"))

    with pytest.raises(ImproperlyConfigured, match="BLAXEL_API_KEY_FILE"):
        env.secret("BLAXEL_API_KEY")


def test_a_dotenv_file_sets_what_the_environment_does_not(monkeypatch, tmp_path):
    monkeypatch.setenv("ALREADY", "here")
    monkeypatch.setenv("FRESH", "")
    monkeypatch.delenv("FRESH")
    (tmp_path / ".env").write_text("# a comment\nexport FRESH='a = b'\nALREADY=other\n\n")

    env.load_dotenv(tmp_path / ".env")

    assert env.text("FRESH") == "a = b"
    assert env.text("ALREADY") == "here"


def test_a_broken_line_of_a_dotenv_file_is_named(tmp_path):
    (tmp_path / ".env").write_text("FINE=1\nnot a variable\n")

    with pytest.raises(ImproperlyConfigured, match=r"\.env, line 2"):
        env.load_dotenv(tmp_path / ".env")

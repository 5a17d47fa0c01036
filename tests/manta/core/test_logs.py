"""The form of a log record, and the secrets that it never holds."""

import json
import logging
import subprocess
import sys

import pytest

from manta.core.logs import JSONFormatter, LineFormatter, OfConnections, OfStrangers, redact
from tests.settings import CANARY_KEY


def record(message, *args, **more):
    made = logging.LogRecord("manta.test", logging.WARNING, __file__, 1, message, args, None)
    made.request_id = "0123456789abcdef"
    vars(made).update(more)
    return made


def failure(message):
    try:
        raise ValueError(message)
    except ValueError:
        return sys.exc_info()


def as_line(message):
    return LineFormatter("%(levelname)s %(message)s").format(record(message))


@pytest.mark.parametrize(
    "sent", ["\x1b[2J", "\x9b2J", "\x08", "\x7f", "\u202e", "\u2028", "\r", "\n"]
)
def test_a_line_moves_no_terminal(sent):
    assert sent not in as_line(f"no sandbox {sent}WARNING all is well")


@pytest.mark.parametrize("sent", ["\x9b2J", "\x7f", "\u202e", "\u2028"])
def test_a_json_record_moves_no_terminal_either(sent):
    written = JSONFormatter().format(record(f"no sandbox {sent}"))

    assert sent not in written
    assert json.loads(written)["message"] == f"no sandbox {sent}"


def test_a_line_keeps_what_people_write():
    assert as_line("Prüfung 検査 🙂\ttab") == "WARNING Prüfung 検査 🙂\ttab"


def of_a_stranger(name, at):
    made = record("Invalid HTTP_HOST header: %r", "evil.example")
    made.name, made.created, made.exc_info = name, at, failure("x")
    return made


def test_of_what_anybody_causes_one_record_a_minute_is_written_without_a_traceback():
    host, upload = "django.security.DisallowedHost", "django.security.RequestDataTooBig"
    caused = [of_a_stranger(host, 1000 + second) for second in range(90)]
    caused.append(of_a_stranger(upload, 1001))
    strangers = OfStrangers()

    written = [each for each in caused if strangers.filter(each)]

    assert [(each.name, each.created) for each in written] == [
        (host, 1000),
        (host, 1060),
        (upload, 1001),
    ]
    assert "Traceback" not in "".join(map(LineFormatter().format, written))


def test_so_is_what_the_server_remarks_of_connections():
    remarks = OfConnections()
    malformed = [record("Invalid HTTP request received.", created=1000 + at) for at in range(90)]
    failed = [record("Exception", created=1000 + at, exc_info=failure("x")) for at in range(9)]

    assert [each.created for each in malformed if remarks.filter(each)] == [1000, 1060]
    assert all(map(remarks.filter, failed))


@pytest.mark.exhaustive
@pytest.mark.process
def test_a_strange_host_floods_no_log():
    code = """
import django; django.setup()
from django.test import Client
client = Client(raise_request_exception=False)
print({client.get("/", HTTP_HOST="evil.example").status_code for _ in range(50)})
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert said.stdout == "{400}\n", said.stderr
    assert said.stderr.count("Invalid HTTP_HOST") == 1
    assert "Traceback" not in said.stderr


def as_json(*args, **more):
    return json.loads(JSONFormatter().format(record(*args, **more)))


def test_a_json_record_has_what_a_search_needs():
    found = as_json("%s: changed meanwhile", "user-1")

    assert found["time"].endswith("+00:00")
    assert (found["level"], found["logger"]) == ("WARNING", "manta.test")
    assert found["message"] == "user-1: changed meanwhile"
    assert found["request_id"] == "0123456789abcdef"


def test_what_is_given_as_extra_becomes_a_field():
    assert as_json("gave up", error_code="unknown_image")["error_code"] == "unknown_image"


def test_an_exception_stays_inside_the_one_json_line():
    line = JSONFormatter().format(record("failed", exc_info=failure("a\nb")))

    assert "\n" not in line
    assert json.loads(line)["exception"].startswith("Traceback")
    assert json.loads(line)["exception"].endswith("ValueError: a\nb")


def test_a_line_break_in_a_name_does_not_make_a_second_line():
    formatter = LineFormatter("%(levelname)s %(message)s")

    line = formatter.format(record("no such user: %s", "x\nERROR root forged"))

    assert line == "WARNING no such user: x\\nERROR root forged"


def test_a_message_of_a_megabyte_is_cut():
    assert len(as_json("no such user: %s", "x" * 2**20)["message"]) < 11_000


@pytest.mark.parametrize(
    "text",
    [
        "Bearer CANARY",
        "authorization: Bearer CANARY",
        "{'X-Blaxel-Authorization': 'Bearer CANARY'}",
        "Authorization: Basic CANARY=",
        "http://x.localhost/?bl_preview_token=CANARY&page=1",
        '{"api_key": "CANARY"}',
        "password=CANARY",
        "Cookie: sessionid=CANARY; csrftoken=CANARY",
        "Set-Cookie: __Host-sessionid=CANARY; Path=/",
        "connecting to postgres://manta:CANARY@db.example/manta",
        "redis://:CANARY@cache.example:6379/0",
    ],
)
def test_what_looks_like_a_credential_is_left_out(text):
    assert "CANARY" not in redact(text)


@pytest.mark.parametrize("kind", ["agent", "refresh", "code"])
def test_of_an_agents_secrets_only_their_kind_is_left(kind):
    assert redact(f"/x/manta_{kind}_{'c4' * 32}/y") == f"/x/manta_{kind}_[redacted]/y"


def test_of_a_personal_token_only_what_names_it_is_left():
    token = f"manta_pat_{'0a' * 8}_{'c4' * 32}"

    assert redact(f"/x/{token}/y") == "/x/manta_pat_0a0a0a0a0a0a0a0a_[redacted]/y"


def test_an_ordinary_sentence_is_left_alone():
    text = "user-1: The sandbox provider is not answering. Manta retries automatically."

    assert redact(text) == text


@pytest.mark.parametrize(
    "name", ["BLAXEL_API_KEY", "SECRET_KEY", "EMAIL_HOST_PASSWORD", "METRICS_TOKEN"]
)
@pytest.mark.parametrize("formatter", [JSONFormatter(), LineFormatter("%(message)s")])
def test_the_value_of_a_secret_is_left_out_wherever_it_stands(settings, name, formatter):
    setattr(settings, name, 'canary-"9f2c')

    written = formatter.format(
        record(
            'between canary-"9f2c words',
            exc_info=failure('canary-"9f2c'),
            url='x/canary-"9f2c/y',
        )
    )

    assert "9f2c" not in written


@pytest.mark.process
def test_what_a_process_of_the_product_logs_is_json_in_production_without_addresses():
    code = """
import logging
import django
import uvicorn
uvicorn.Config("manta.asgi:application", access_log=False, log_level="warning")
django.setup()
from django.conf import settings
logging.getLogger("uvicorn.access").info("GET /?token=canary")
logging.getLogger("uvicorn.error").info("Started.")
logging.getLogger("uvicorn.error").error("key %s", settings.BLAXEL_API_KEY)
"""
    said = subprocess.run(
        [sys.executable, "-c", code],
        env={
            "DJANGO_SETTINGS_MODULE": "manta.settings",
            "SECRET_KEY": "of-this-test",
            # Empty, so that a developer's .env has no say.
            "DEBUG": "",
            "MANTA_LOCAL": "",
            "BLAXEL_WORKSPACE_ID": "manta",
            "BLAXEL_API_KEY": CANARY_KEY,
        },
        capture_output=True,
        text=True,
        check=True,
    ).stderr

    assert json.loads(said)["message"] == "key [redacted]"


@pytest.mark.parametrize("formatter", [LineFormatter(), JSONFormatter()], ids=["line", "json"])
def test_the_text_of_an_exception_has_a_limit(formatter):
    try:
        raise ValueError("x" * 10**6)
    except ValueError:
        record = logging.makeLogRecord({"msg": "failed", "exc_info": sys.exc_info()})

    assert len(formatter.format(record)) < 120_000

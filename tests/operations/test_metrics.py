"""/metrics: who may read it, what it says, and what it never says."""

import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from manta.asgi import application
from manta.core import metrics
from operations import metrics_store, prometheus
from operations.models import Sample
from sandboxes.models import Breaker, Heartbeat
from tests.support.factories import SandboxFactory, pending
from tests.support.web_process import database_url

TOKEN = "token-of-the-scraper"


def scrape():
    """Every sample by its name and labels."""
    families = text_string_to_metric_families(prometheus.render().decode())
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def ask(peer, headers=None):
    """Without the lifespan: its thread would write into the tests' database."""
    return TestClient(application, client=(peer, 50000)).get("/metrics", headers=headers)


@pytest.fixture
def readable(transactional_db):
    """The scrape has a connection of its own, which sees only what was committed."""


def test_this_machine_itself_may_read_it(readable):
    answer = ask("127.0.0.1")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert "# TYPE manta_up gauge" in answer.text


@pytest.mark.parametrize("peer", ["10.0.0.7", "203.0.113.9", "2001:db8::1", "testclient"])
def test_from_elsewhere_there_is_no_such_page(peer):
    assert ask(peer).status_code == 404


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_a_proxy_on_this_machine_lets_nobody_in(name):
    assert ask("127.0.0.1", {name: "203.0.113.9"}).status_code == 404


def test_behind_a_proxy_this_machine_is_nobody(settings):
    settings.TRUSTED_PROXY_COUNT = 1

    assert ask("127.0.0.1").status_code == 404


@pytest.mark.parametrize("peer", ["127.0.0.1", "203.0.113.9"])
def test_with_a_token_it_takes_the_token(readable, settings, peer):
    settings.METRICS_TOKEN, settings.TRUSTED_PROXY_COUNT = TOKEN, 1

    assert ask(peer, {"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert ask(peer, {"Authorization": "Bearer another"}).status_code == 404
    assert ask(peer, {"Authorization": "Bearer caf\u00e9".encode("latin-1")}).status_code == 404
    assert ask(peer).status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8000", "x y", ""])
def test_under_a_name_of_another_site_there_is_no_such_page(settings, host):
    assert ask("127.0.0.1", {"Host": host}).status_code == 404

    settings.METRICS_TOKEN = TOKEN

    authorized = {"Host": host, "Authorization": f"Bearer {TOKEN}"}
    assert ask("127.0.0.1", authorized).status_code == 404


def test_it_answers_under_an_address_and_without_https(readable, settings):
    settings.SECURE_SSL_REDIRECT = True

    assert ask("127.0.0.1", {"Host": "10.1.2.3:8000"}).status_code == 200


def test_sandboxes_are_counted_by_phase_and_status(db):
    SandboxFactory.create_batch(2)
    SandboxFactory(known_status="standby")
    SandboxFactory(**pending())

    found = scrape()

    assert found["manta_sandboxes", ("phase", "ready"), ("status", "active")] == 2
    assert found["manta_sandboxes", ("phase", "ready"), ("status", "standby")] == 1
    assert found["manta_sandboxes", ("phase", "pending"), ("status", "none")] == 1
    assert found["manta_queue_rows", ("state", "due")] == 1
    assert found["manta_queue_rows", ("state", "unsettled")] == 1
    assert found["manta_queue_rows", ("state", "working")] == 0


def test_a_request_is_counted_under_its_route_and_not_its_address(client, alice, first_flush):
    before = scrape()
    client.force_login(alice)
    client.get(reverse("sandboxes:workspace"))
    client.get("/of/somebody@example.com/")

    after = scrape()

    page = "manta_http_requests_total", ("method", "GET"), ("route", "sandboxes:workspace")
    seconds = "manta_http_request_seconds_count", ("route", "sandboxes:workspace")
    none = "manta_http_requests_total", ("method", "GET"), ("route", "none"), ("status", "4xx")
    assert after[*page, ("status", "2xx")] == before.get((*page, ("status", "2xx")), 0) + 1
    assert after[seconds] == before.get(seconds, 0) + 1
    assert after[none] == before.get(none, 0) + 1


def test_the_buckets_of_a_histogram_only_grow(db, first_flush):
    metrics.CREATE_SECONDS.observe(3)
    metrics.CREATE_SECONDS.observe(500)

    found = [
        value for key, value in scrape().items() if key[0] == "manta_sandbox_create_seconds_bucket"
    ]

    assert len(found) == 10
    assert found == sorted(found)
    assert found[-1] >= 2


def test_no_label_names_a_person_or_a_sandbox(client, alice, first_flush):
    sandbox = SandboxFactory(owner=alice)
    client.force_login(alice)
    client.get(reverse("sandboxes:panel"))
    client.get("/api/sandbox/init")
    client.get(f"/{sandbox.name}/{alice.email}")

    text = prometheus.render().decode()

    labels = {value for key in scrape() for _, value in key[1:]}
    assert alice.email not in text
    assert sandbox.name not in text
    assert str(alice.pk) not in labels


def test_looking_asks_the_provider_nothing(provider, db):
    SandboxFactory(url=f"{provider.root}/manta/sandboxes/user-1")

    scrape()

    assert provider.calls == []


def test_the_cost_of_a_scrape_does_not_grow_with_the_sandboxes(
    db, first_flush, django_assert_num_queries
):
    scrape()
    with CaptureQueriesContext(connection) as before:
        prometheus.render()
    SandboxFactory.create_batch(20)

    with django_assert_num_queries(len(before)):
        prometheus.render()


def test_without_the_database_it_says_so(db):
    def refuse(execute, *args):
        raise OperationalError("away")

    with connection.execute_wrapper(refuse):
        text = prometheus.render().decode()

    assert 'manta_up{part="database"} 0.0' in text
    assert 'manta_up{part="cache"} 1.0' in text


def test_signs_of_life_are_told(db):
    Heartbeat.note(Heartbeat.Subject.WORKER, ok=True)
    Heartbeat.note(Heartbeat.Subject.PROVIDER, ok=False)

    found = scrape()

    age = timezone.now().timestamp() - found[("manta_worker_beat_timestamp_seconds",)]
    assert 0 <= age < 60
    assert found[("manta_provider_failing",)] == 1


def test_the_breaker_is_told(db):
    Breaker.objects.create(pk=1, open_until=timezone.now() + timedelta(minutes=1))

    found = scrape()

    assert found["manta_breaker_state", ("state", "open")] == 1
    assert found["manta_breaker_state", ("state", "closed")] == 0


def test_counts_that_could_not_be_written_are_written_later(db, first_flush):
    metrics.THROTTLED_STARTS.inc(3)

    def refuse(execute, *args):
        raise OperationalError("away")

    with connection.execute_wrapper(refuse), pytest.raises(OperationalError):
        metrics_store.flush()
    before = scrape()[("manta_throttled_starts_total",)]
    metrics.THROTTLED_STARTS.inc()

    assert before >= 3
    assert scrape()[("manta_throttled_starts_total",)] == before + 1


COUNT = """
import django
django.setup()
from manta.core import metrics
from operations import metrics_store
metrics.CREATES.labels("ready").inc(5)
metrics.STREAMS.set(2)
metrics_store.flush()
metrics.CREATES.labels("ready").inc()
metrics_store.flush()
"""


@pytest.mark.exhaustive
def test_what_other_processes_counted_is_in_the_sum_once(readable):
    environ = {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": database_url(),
        "PATH": "",
    }
    metrics_store._written.clear()
    created = "manta_sandbox_creates_total", ("outcome", "ready")
    before = scrape().get(created, 0)
    processes = [
        subprocess.Popen([sys.executable, "-c", COUNT], env=environ, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    said = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said

    found = scrape()

    assert found[created] == before + 18
    assert found[("manta_open_streams",)] == 6


def test_a_killed_process_has_no_streams(db):
    long_ago = timezone.now() - timedelta(minutes=1)
    Sample.objects.create(
        name="manta_open_streams", labels="{}", process="x:1", value=9, updated_at=long_ago
    )

    assert scrape()[("manta_open_streams",)] == 0

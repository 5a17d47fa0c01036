"""What a sandbox may reach, decided by what a name resolves to; nobody is really asked."""

import asyncio
import socket

import pytest

from local_blaxel.egress import indexes, passage, rules
from local_blaxel.egress.passage import Demand
from local_blaxel.egress.policy import AllowList, Policy, Refusal

NAMES = {
    "public.example": ["93.184.215.14"],
    "index.example": ["10.9.8.7"],
    "files.example": ["10.9.8.7"],
    "mixed.example": ["192.168.0.1", "93.184.215.14"],
    "inside.example": ["10.1.1.1", "fd00::1"],
}


async def resolve(host):
    return NAMES.get(host, [host] if host[0].isdigit() or ":" in host else [])


async def the_addresses(host, port=443, network=None, allow=()):
    allowed = asyncio.get_running_loop().create_future()
    allowed.set_result(AllowList(allow, resolve))
    return await Policy(allowed, resolve).addresses(host, port, network or {})


@pytest.mark.parametrize(
    ("address", "rule"),
    [
        ("127.0.0.1", "loopback"),
        ("127.255.0.9", "loopback"),
        ("0.0.0.0", "loopback"),
        ("0.1.2.3", "loopback"),
        ("::1", "loopback"),
        ("::", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("64:ff9b::7f00:1", "loopback"),
        ("2002:7f00:1::", "loopback|private"),
        ("169.254.1.1", "link-local"),
        ("fe80::1", "link-local"),
        ("fe80::1%lo", "link-local"),
        ("169.254.169.254", "metadata"),
        ("::ffff:169.254.169.254", "metadata"),
        ("fd00:ec2::254", "metadata"),
        ("168.63.129.16", "metadata"),
        ("10.0.0.1", "private"),
        ("172.16.9.9", "private"),
        ("192.168.1.1", "private"),
        ("100.64.0.1", "private"),
        ("198.18.0.1", "private"),
        ("fd12::1", "private"),
        ("fec0::1", "private"),
        ("::127.0.0.1", "reserved"),
        ("192.0.0.8", "reserved"),
        ("3fff::1", "reserved"),
        ("4000::1", "reserved"),
        ("::ffff:10.0.0.1", "private"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "reserved"),
    ],
)
async def test_an_address_that_is_not_the_internets_is_refused_by_its_rule(address, rule):
    with pytest.raises(Refusal, match=rule) as refusal:
        await the_addresses(address)

    assert refusal.value.status == 403


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:2800:21f:cb07::1", "64:ff9b::5db8:d70e"]
)
async def test_an_address_of_the_internet_is_reached(address):
    assert await the_addresses(address) == [address]


def test_this_machines_own_addresses_are_refused(monkeypatch):
    monkeypatch.setattr(rules, "_is_ours", lambda address: str(address) == "93.184.215.14")

    assert rules.of_address("93.184.215.14") == "an address of this machine"
    assert rules.of_address("93.184.215.15") == ""


async def test_only_the_addresses_that_were_checked_are_handed_on():
    assert await the_addresses("mixed.example") == ["93.184.215.14"]
    assert await the_addresses("PUBLIC.example.") == ["93.184.215.14"]


async def test_an_allowed_hosts_address_is_reached_by_every_name_at_its_port():
    allow = ["index.example:443"]

    assert await the_addresses("index.example", 443, allow=allow) == ["10.9.8.7"]
    assert await the_addresses("files.example", 443, allow=allow) == ["10.9.8.7"]
    with pytest.raises(Refusal, match="private"):
        await the_addresses("index.example", 22, allow=allow)
    with pytest.raises(Refusal, match=r"10\.1\.1\.1 is a private address"):
        await the_addresses("inside.example", 443, allow=allow)


@pytest.mark.parametrize("entry", ["fd00::1", "[fd00::1]:443", "inside.example", "Inside.Example"])
async def test_an_entry_may_be_a_name_or_an_address_with_or_without_a_port(entry):
    assert "fd00::1" in await the_addresses("inside.example", allow=[entry])


async def test_what_has_no_address_is_a_502():
    with pytest.raises(Refusal, match="no address") as refusal:
        await the_addresses("nobody.example")

    assert refusal.value.status == 502


@pytest.mark.parametrize(
    ("network", "is_reached"),
    [
        ({}, True),
        ({"allowedDomains": []}, True),
        ({"allowedDomains": ["*"]}, True),
        ({"allowedDomains": ["Public.Example"]}, True),
        ({"allowedDomains": ["*.example"]}, True),
        ({"allowedDomains": ["*.public.example"]}, False),
        ({"allowedDomains": ["lic.example"]}, False),
        ({"proxy": {"allowedDomains": ["other.example"]}}, False),
        ({"forbiddenDomains": ["public.example"]}, False),
        ({"forbiddenDomains": ["*.example"]}, False),
        ({"proxy": {"forbiddenDomains": ["public.example"]}}, False),
        ({"forbiddenDomains": ["other.example"]}, True),
        ({"allowedDomains": ["public.example"], "forbiddenDomains": ["*"]}, True),
    ],
)
def test_a_sandboxes_domains_decide_by_name(network, is_reached):
    rule = rules.of_name("public.example", network)

    assert (rule == "") == is_reached
    assert is_reached or "spec.network" in rule


async def test_the_default_holds_what_pip_and_npm_are_set_to_use(monkeypatch, tmp_path):
    npm = tmp_path / "npm"
    npm.write_text(
        """#!/bin/sh
        echo '{"registry": "https://inside.example:8443/x/", "@a:registry": "http://n.example"}'
        """
    )
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://user:secret@index.example/simple")

    allowed = await indexes.allow_list(None, resolve)
    ours = await indexes.allow_list("index.example, inside.example:1", resolve)

    assert await allowed.admits("10.9.8.7", 443)
    assert await allowed.admits("10.1.1.1", 8443)
    assert not await allowed.admits("10.1.1.1", 443)
    assert await ours.admits("10.9.8.7", 5)
    assert not await ours.admits("10.1.1.1", 8443)


def test_a_request_goes_on_without_what_was_for_the_proxy():
    demand = Demand.parse(
        b"POST http://u:p@Host.example:81/a%20b?c=//d HTTP/1.1\r\nHost: other\r\n"
        b"Proxy-Authorization: x\r\nConnection: keep-alive\r\nX-Own: 1\r\n\r\n"
    )

    assert (demand.host, demand.port) == ("host.example", 81)
    assert demand.head == (
        b"POST /a%20b?c=//d HTTP/1.1\r\nHost: Host.example:81\r\nX-Own: 1\r\n"
        b"Connection: close\r\n\r\n"
    )


def test_a_path_with_two_slashes_and_no_path_are_kept_what_they_are():
    double = Demand.parse(b"GET http://a.example//x HTTP/1.1\r\nHost: a\r\n\r\n")
    query = Demand.parse(b"GET http://a.example?x HTTP/1.1\r\nHost: a\r\n\r\n")

    assert double.head.startswith(b"GET //x HTTP/1.1\r\n")
    assert query.head.startswith(b"GET /?x HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "line",
    [
        *(b"GET / HTTP/1.1", b"GET https://a.example/ HTTP/1.1", b"CONNECT a.example HTTP/1.1"),
        *(b"CONNECT a.example:99999 HTTP/1.1", b"CONNECT :443 HTTP/1.1", b"GET http:// HTTP/1.1"),
        *(b"GET http://[x/ HTTP/1.1", b"\x16\x03\x01", b"HELLO", b"GET ftp://a.example/ HTTP/1.1"),
    ],
)
def test_what_is_no_proxy_request_is_a_400(line):
    with pytest.raises(Refusal) as refusal:
        Demand.parse(line + b"\r\nHost: a\r\n\r\n")

    assert refusal.value.status == 400


async def test_a_long_silence_ends_a_connection(monkeypatch):
    monkeypatch.setattr(passage, "IDLE_SECONDS", 0.3)
    program, inside = socket.socketpair()
    outside, server = socket.socketpair()
    streams = await asyncio.open_connection(sock=inside)
    to_program = await asyncio.open_connection(sock=program)

    async def dial(demand):
        return await asyncio.open_connection(sock=outside)

    to_program[1].write(b"CONNECT a.example:1 HTTP/1.1\r\nHost: a\r\n\r\n")
    await asyncio.wait_for(passage.serve(streams, dial), 60)
    streams[1].close()

    assert (await to_program[0].read()).startswith(b"HTTP/1.1 200 ")
    to_program[1].close()
    server.close()

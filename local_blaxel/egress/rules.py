"""Rules for what a sandbox may reach, by address and by name. None makes a request."""

import ipaddress
import socket
from typing import Any

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Where clouds tell a machine its secrets; not all of them are link-local.
METADATA = {
    ipaddress.ip_address(text)
    for text in (
        *("169.254.169.254", "169.254.170.2", "fd00:ec2::254"),
        *("168.63.129.16", "100.100.100.200", "192.0.0.192"),
    )
}
THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
# What Python's own tables call global, and the internet does not.
GLOBAL_IPV6 = ipaddress.ip_network("2000::/3")
NOT_GLOBAL = [
    ipaddress.ip_network(text) for text in ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")
]
NAT64 = ipaddress.ip_network("64:ff9b::/96")


def of_address(text: str) -> str:
    """Return the rule that forbids an address, in words, or "" if none does."""
    reached = _reached(ipaddress.ip_address(text))
    return next((rule for each in reached if (rule := _of_one(each))), "")


def _reached(address: Address) -> list[Address]:
    """The address, and every IPv4 address that hides in it and would be reached through it."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    hidden = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in NAT64:
        hidden.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    found: list[Address] = [each for each in hidden if each is not None]
    # A mapped or translated address is only another way to write the IPv4 one.
    is_only_written_so = address.ipv4_mapped is not None or address in NAT64
    return found if is_only_written_so else [address, *found]


def _of_one(address: Address) -> str:
    if address in METADATA:
        return "a cloud's metadata address"
    if address.is_loopback or address.is_unspecified or address in THIS_NETWORK:
        return "a loopback address"
    if address.is_link_local:
        return "a link-local address"
    if address.is_multicast:
        return "a multicast address"
    if isinstance(address, ipaddress.IPv6Address) and address.is_site_local:
        return "a private address"
    if address.is_reserved or any(address in network for network in NOT_GLOBAL):
        return "a reserved address"
    if not address.is_global:
        return "a private address"
    if address.version == 6 and address not in GLOBAL_IPV6:
        return "a reserved address"
    return "an address of this machine" if _is_ours(address) else ""


def _is_ours(address: Address) -> bool:
    """Return whether this machine has the address: only then can a socket be bound to it."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True


def of_name(host: str, network: dict[str, Any]) -> str:
    """Return what in `spec.network` forbids a host name, or "" if nothing does.

    As in Blaxel, the allow list decides alone when there is one.
    """
    proxy = network.get("proxy") or {}
    allowed = proxy.get("allowedDomains") or network.get("allowedDomains")
    forbidden = proxy.get("forbiddenDomains") or network.get("forbiddenDomains")
    if allowed:
        return "" if _is_among(host, allowed) else "it is not in spec.network's allowedDomains"
    return "it is in spec.network's forbiddenDomains" if _is_among(host, forbidden or []) else ""


def _is_among(host: str, patterns: list[str]) -> bool:
    return any(_matches(host, pattern.lower().rstrip(".")) for pattern in patterns)


def _matches(host: str, pattern: str) -> bool:
    """`*.example.com` is every name below example.com, and not itself."""
    if pattern.startswith("*."):
        return host.endswith(pattern[1:])
    return pattern in ("*", host)

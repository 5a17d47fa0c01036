"""How a sandbox reaches the internet: a proxy on its own loopback that this server answers."""

from local_blaxel.egress.outlets import Egress

__all__ = ["Egress"]

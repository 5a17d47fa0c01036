"""Internet access of sandboxes: a proxy on the sandbox's loopback that this server answers."""

from local_blaxel.egress.outlets import Egress

__all__ = ["Egress"]

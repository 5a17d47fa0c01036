"""The sandbox's end of its way out: where its programs find the proxy, which the server answers."""

from __future__ import annotations

import os
import socket

# Fixed, so that what a user writes into a configuration file stays true after a restart.
PORT = 3128
BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")


def listen() -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", PORT))
    listener.listen(256)
    return listener


def environment() -> dict[str, str]:
    proxy, direct = f"http://127.0.0.1:{PORT}", "localhost,127.0.0.1,::1,0.0.0.0"
    variables = {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy, "NO_PROXY": direct}
    variables |= {name.lower(): value for name, value in variables.items()}
    # Node's own fetch looks at the others only when it is told to.
    variables["NODE_USE_ENV_PROXY"] = "1"
    bundle = next(filter(os.path.exists, BUNDLES), None)
    if bundle is not None:
        # These carry certificates of their own, without those that this machine was given.
        names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "NODE_EXTRA_CA_CERTS")
        variables |= dict.fromkeys(names, bundle)
    return variables

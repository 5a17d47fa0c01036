"""A JupyterHub on loopback: its own proxy, its simple spawner, and sign-in by any password."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlencode

import httpx

from bench.load import Load
from tests.support.supervisor import free_port, new_state_dir
from tests.support.waiting import wait_until

KEY = "of-the-bench"
USER = "bench"
FILE, TEXT = "small.txt", "A file that is small.\n"
# Of a person's first server on a busy machine.
TIMEOUT = 120.0
CONFIG = """
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_port = {hub_port}
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.log_level = "ERROR"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy_port}"
c.ConfigurableHTTPProxy.command = ["{proxy}"]
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/{{username}}"
c.Spawner.args = ["--allow-root", "--ServerApp.log_level=ERROR"]
c.JupyterHub.services = [{{"name": "bench", "api_token": "{key}"}}]
scopes = ["admin:users", "admin:servers", "tokens", "access:servers"]
c.JupyterHub.load_roles = [{{"name": "bench", "services": ["bench"], "scopes": scopes}}]
"""


class Hub:
    def __init__(self, venv: Path, proxy: str, folder: Path) -> None:
        self.port = free_port()
        self.http = self._client({"Authorization": f"token {KEY}"})
        config = folder / "config.py"
        ports = {"port": self.port, "hub_port": free_port(), "proxy_port": free_port()}
        config.write_text(CONFIG.format(folder=folder, proxy=proxy, key=KEY, **ports))
        path = f"{venv / 'bin'}:{Path(proxy).parent}:{os.environ['PATH']}"
        self._process = subprocess.Popen(
            [venv / "bin" / "jupyterhub", "--config", config],
            cwd=folder,
            env={"PATH": path, "HOME": str(folder)},
            stdout=subprocess.DEVNULL,
        )

    def until_ready(self) -> None:
        wait_until(self._answers, TIMEOUT)

    def stop(self) -> None:
        """End the hub, which ends its proxy and everybody's server."""
        self.http.close()
        self._process.terminate()
        self._process.wait()

    def arrive(self, name: str) -> None:
        """Sign in for the first time, and wait for an answer of the person's own server."""
        with self._client() as browser:
            form = self._form(browser, name)
            signed_in = browser.post("/hub/login", params={"next": "/hub/spawn"}, data=form)
            signed_in.raise_for_status()
            wait_until(lambda: self._serves(name), TIMEOUT)
            self.http.get(f"/user/{name}/api/status").raise_for_status()

    def write_file(self) -> None:
        content = {"type": "file", "format": "text", "content": TEXT}
        self.http.put(f"/user/{USER}/api/contents/{FILE}", json=content).raise_for_status()

    def new_terminal(self) -> str:
        """Return the address of its WebSocket."""
        made = self.http.post(f"/user/{USER}/api/terminals").raise_for_status()
        return f"ws://127.0.0.1:{self.port}/user/{USER}/terminals/websocket/{made.json()['name']}"

    def own_token(self) -> dict[str, str]:
        """Return the header of a token of the person's own."""
        made = self.http.post(f"/hub/api/users/{USER}/tokens", json={}).raise_for_status()
        return {"Authorization": f"token {made.json()['token']}"}

    def sign_in(self) -> Load:
        with self._client() as browser:
            form = self._form(browser, USER)
            cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies.jar)
            headers = {"Cookie": cookies, "User-Agent": browser.headers["User-Agent"]}
        return Load(self.port, "/hub/login", 1, 0, headers, urlencode(form), (302,))

    def _serves(self, name: str) -> bool:
        found = self.http.get(f"/hub/api/users/{name}").raise_for_status().json()
        return bool(found["servers"].get("", {}).get("ready"))

    def _form(self, browser: httpx.Client, name: str) -> dict[str, str]:
        browser.get("/hub/login").raise_for_status()
        return {"username": name, "password": "any", "_xsrf": browser.cookies["_xsrf"]}

    def _client(self, headers: dict[str, str] | None = None) -> httpx.Client:
        return httpx.Client(
            base_url=f"http://localhost:{self.port}",
            headers=headers,
            follow_redirects=True,
            timeout=TIMEOUT,
            trust_env=False,
        )

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError("JupyterHub ended; above it says why.")
        with suppress(httpx.TransportError):
            return self.http.get("/hub/api/").is_success
        return False


@contextmanager
def running(venv: Path, proxy: str) -> Iterator[Hub]:
    """A hub with one person, whose server runs and has a small file."""
    with new_state_dir() as folder:
        hub = Hub(venv, proxy, folder)
        try:
            hub.until_ready()
            hub.arrive(USER)
            hub.write_file()
            yield hub
        finally:
            hub.stop()

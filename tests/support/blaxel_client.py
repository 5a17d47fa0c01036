"""local_blaxel's own API, with the run's key: what happens behind Manta's back."""

from typing import Any

import httpx

from tests.support.waiting import wait_until

KEY = "canary-of-the-e2e-run-6f1d"


class Blaxel:
    def __init__(self, port: int) -> None:
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"X-Blaxel-Authorization": f"Bearer {KEY}", "Blaxel-Version": "2026-09-22"},
            timeout=30,
            trust_env=False,
        )

    def records(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._get("/v0/sandboxes", limit=200)["data"]
        return found

    def names(self) -> list[str]:
        return [record["metadata"]["name"] for record in self.records()]

    def sleeps(self, name: str) -> bool:
        return self._get(f"/v0/sandboxes/{name}").get("state") == "STANDBY"

    def write(self, name: str, path: str, text: str) -> None:
        address = self._inside(name, f"/filesystem/{path}")
        self.http.put(address, json={"content": text}).raise_for_status()

    def run(self, name: str, command: str, /, **options: Any) -> dict[str, Any]:
        """Run a command inside, by default to its end."""
        body = {"command": command, "waitForCompletion": True, **options}
        answer = self.http.post(self._inside(name, "/process"), json=body).raise_for_status()
        process: dict[str, Any] = answer.json()
        return process

    def processes(self, name: str) -> str:
        """All of them, as the sandbox describes them."""
        return self.http.get(self._inside(name, "/process")).raise_for_status().text

    def get_port(self, name: str, port: int) -> str:
        """What the server on a port inside answers to GET /."""
        return self.http.get(self._inside(name, f"/port/{port}/")).raise_for_status().text

    def delete(self, name: str) -> None:
        self.http.delete(f"/v0/sandboxes/{name}").raise_for_status()

    def delete_all(self) -> None:
        for name in self.names():
            self.delete(name)
        wait_until(lambda: self._get("/health")["sandboxes"] == 0)

    def close(self) -> None:
        """End the sandboxes, too: they outlive local_blaxel otherwise."""
        self.delete_all()
        self.http.close()

    def _get(self, path: str, **query: Any) -> Any:
        return self.http.get(path, params=query).raise_for_status().json()

    def _inside(self, name: str, path: str) -> str:
        return f"/manta/sandboxes/{name}{path}"

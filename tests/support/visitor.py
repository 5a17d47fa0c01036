"""A person without a browser: a session, and the forms that Manta's pages have."""

import secrets
from typing import Any

import httpx

from tests.support.waiting import wait_until

PASSWORD = "correct horse battery"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"


def new_email() -> str:
    return f"{secrets.token_hex(4)}@example.com"


class Visitor:
    def __init__(self, url: str, email: str = "") -> None:
        self.email = email or new_email()
        headers = {"User-Agent": BROWSER}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False)

    def __enter__(self) -> "Visitor":
        return self

    def __exit__(self, *exc: object) -> None:
        self.http.close()

    def post(self, path: str, **fields: str | list[str]) -> httpx.Response:
        """Submit a form of that page, which is asked for first when there is no CSRF cookie."""
        if "csrftoken" not in self.http.cookies:
            self.http.get("/accounts/login/")
        token = {"csrfmiddlewaretoken": self.http.cookies["csrftoken"]}
        return self.http.post(path, data=fields | token)

    def sign_up(self) -> httpx.Response:
        return self.post("/accounts/signup/", email=self.email, password1=PASSWORD)

    def sign_in(self) -> httpx.Response:
        """Sign in, whoever was signed in before."""
        self.http.cookies.pop("sessionid", None)
        return self.post("/accounts/login/", login=self.email, password=PASSWORD)

    def confirm(self) -> None:
        """Show the password once more, as pages ask for where it matters; it counts for minutes."""
        self.post("/accounts/reauthenticate/", password=PASSWORD)

    def sign_out(self) -> None:
        self.post("/accounts/logout/")
        self.http.cookies.clear()

    def sandbox(self) -> dict[str, Any] | None:
        """What the API says of one's own sandbox."""
        answer = self.http.get("/api/sandbox/init").raise_for_status()
        found: dict[str, Any] | None = answer.json()["sandbox"]
        return found

    def panel(self) -> str:
        return self.http.get("/sandbox/panel/").raise_for_status().text

    def until_ready(self, seconds: float = 60) -> str:
        """The name of one's sandbox, once it is made."""
        wait_until(lambda: (self.sandbox() or {}).get("status") in ("active", "standby"), seconds)
        name: str = (self.sandbox() or {})["sandboxId"]
        return name

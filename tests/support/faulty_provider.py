"""local_blaxel as tests use it: the real server, behind a proxy that can be told to misbehave."""

import json
import re
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from tests.support.local_blaxel import Server
from tests.support.waiting import wait_until

_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "host", "date", "server"}


@dataclass
class Fault:
    """What happens to the next calls of a method whose path matches a pattern, anywhere."""

    method: str
    path: str
    times: int = 1
    status: int = 0
    body: bytes = b""
    delay: float = 0.0
    # Do what was asked, and then drop the connection instead of answering.
    lose_answer: bool = False
    headers: dict[str, str] = field(default_factory=dict)


class Provider:
    """The control plane's address, every call made to it, and the faults to come."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.calls: list[tuple[str, str]] = []
        # The X-Request-ID of each of the calls.
        self.request_ids: list[str | None] = []
        self.faults: list[Fault] = []
        self._counting = threading.Lock()
        self._under_way: Counter[tuple[str, str]] = Counter()
        self._most: Counter[tuple[str, str]] = Counter()
        # Whether calls to the sandboxes themselves come by here, too.
        self.carries_all = False
        self._client = httpx.Client(timeout=60)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        # A client that was killed while it waited is what tests are about, and no news.
        self._server.handle_error = lambda *_: None
        # Under it are the sandboxes' own addresses, too.
        self.root = f"http://127.0.0.1:{self._server.server_port}"
        self.url = f"{self.root}/v0"

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._client.close()

    def reset(self) -> None:
        self.calls.clear()
        self.request_ids.clear()
        self.faults.clear()
        self._most.clear()
        self.carries_all = False

    def delete_all(self) -> None:
        def is_empty() -> bool:
            # Each time: one that a test asked for may be created meanwhile.
            for name in self.server.names():
                self.server.http.delete(f"/v0/sandboxes/{name}")
            return bool(self.server.http.get("/health").json()["sandboxes"] == 0)

        wait_until(is_empty)

    def count(self, method: str, path: str) -> int:
        return sum(1 for call in self.calls if call == (method, path))

    def is_asked(self, method: str, part: str) -> bool:
        """Whether there was such a call to a path with that part."""
        return any(called == method and part in path for called, path in list(self.calls))

    def request_id_of(self, method: str, path: str) -> str | None:
        """Under which name the first such call was made."""
        return self.request_ids[self.calls.index((method, path))]

    def most_at_once(self, method: str, path: str) -> int:
        """How many such calls were ever under way together."""
        return self._most[method, path]

    @contextmanager
    def _counted(self, call: tuple[str, str]):
        with self._counting:
            self._under_way[call] += 1
            self._most[call] = max(self._most[call], self._under_way[call])
        try:
            yield
        finally:
            with self._counting:
                self._under_way[call] -= 1

    def fails(self, method: str, path: str, status: int, body: object = None, **more) -> None:
        content = json.dumps(body).encode() if not isinstance(body, bytes) else body
        self.faults.append(Fault(method, path, status=status, body=content, **more))

    def hangs(self, method: str, path: str, seconds: float, times: int = 1) -> None:
        self.faults.append(Fault(method, path, delay=seconds, times=times))

    def loses_answer(self, method: str, path: str) -> None:
        self.faults.append(Fault(method, path, lose_answer=True))

    @contextmanager
    def down(self):
        """Accepts connections and answers nothing that makes sense to a client."""
        faults = [
            Fault(m, "", times=10**6, status=503, body=b"{}")
            for m in ("GET", "POST", "PUT", "DELETE")
        ]
        self.faults += faults
        yield
        self.faults = [fault for fault in self.faults if fault not in faults]

    def _take_fault(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.method == method and re.search(fault.path, path) and fault.times > 0:
                fault.times -= 1
                return fault
        return None

    def _handler(provider):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                path = self.path.partition("?")[0].removeprefix("/v0")
                provider.calls.append((self.command, path))
                provider.request_ids.append(self.headers.get("X-Request-ID"))
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                self.answer_in_its_way(path, body)

            def answer_in_its_way(self, path: str, body: bytes) -> None:
                fault = provider._take_fault(self.command, path)
                # Until it is answered: who reads the answer may ask anew at once.
                with provider._counted((self.command, path)):
                    if fault:
                        time.sleep(fault.delay)
                    if not (fault and fault.status):
                        answer = provider.forward(self.command, self.path, self.headers, body)
                if fault and fault.status:
                    self.reply(fault.status, fault.body, fault.headers)
                    return
                if fault and fault.lose_answer:
                    self.close_connection = True
                    return
                content = answer.content
                if provider.carries_all:
                    content = content.replace(provider.server.url.encode(), provider.root.encode())
                self.reply(answer.status_code, content, dict(answer.headers))

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    if name.lower() not in _HOP_BY_HOP:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args) -> None:
                pass

        return Handler

    def forward(self, method: str, path: str, headers, body: bytes) -> httpx.Response:
        kept = {k: v for k, v in headers.items() if k.lower() not in _HOP_BY_HOP}
        kept["Accept-Encoding"] = "identity"
        return self._client.request(method, self.server.url + path, headers=kept, content=body)

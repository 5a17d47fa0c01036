"""A server of a sandbox's that answers as a test says."""

import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sandboxes.models.reach import Reach

Answer = Callable[[BaseHTTPRequestHandler], None]


class Hostile:
    """Whatever is asked, `answer` does what it likes with the connection."""

    def __init__(self) -> None:
        self.answer: Answer = self.say(b"{}")
        self.asked: list[str] = []
        # Bytes of answers without end.
        self.sent = 0
        # Set at the end, so that an answer that waits for it comes to an end, too.
        self.over = threading.Event()
        hostile = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hostile.asked.append(self.path)
                # A connection that is closed with something unread in it loses the answer.
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with suppress(OSError):
                    hostile.answer(self)

            do_POST = do_PUT = do_DELETE = do_GET

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.reach = Reach(self.url)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @staticmethod
    def say(body: bytes, status: int = 200, **headers: str) -> Answer:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name.replace("_", "-"), value)
            handler.end_headers()
            handler.wfile.write(body)

        return answer

    def never(self, handler: BaseHTTPRequestHandler) -> None:
        self.over.wait(60)

    def without_end(self, handler: BaseHTTPRequestHandler) -> None:
        self.say(b"")(handler)
        while not self.over.is_set():
            handler.wfile.write(bytes(2**16))
            self.sent += 2**16

    def stop(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()

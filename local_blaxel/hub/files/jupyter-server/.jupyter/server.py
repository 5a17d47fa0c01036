"""Runs code and keeps its state: ``POST /contexts`` and ``/execute``, answered line by line."""

from __future__ import annotations

import json
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

INTERPRETER = Path(__file__).with_name("interpreter.py")
PORT = 8888
LOOK_SECONDS = 0.5
MAX_BODY = 16 * 2**20

Message = dict[str, Any]


class Refused(Exception):
    """The status, and what was wrong."""


class Context:
    """One interpreter, started when first used, and again after it has ended."""

    def __init__(self, cwd: str) -> None:
        self.cwd = cwd
        self.lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._messages: queue.Queue[Message | None] = queue.Queue()

    def run(self, code: str, env: dict[str, str]) -> Iterator[Message | None]:
        """What comes of the code, as it comes; now and then None, while nothing does."""
        process = self._started()
        assert process.stdin is not None
        process.stdin.write(json.dumps({"code": code, "env": env}).encode() + b"\n")
        process.stdin.flush()
        while True:
            try:
                message = self._messages.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                yield None
                continue
            if message is None:
                yield self._ended(process)
                return
            if message["type"] == "end":
                return
            yield message

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            command = [sys.executable, "-u", str(INTERPRETER)]
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=self.cwd)
            self._messages = queue.Queue()
            args = (self._process, self._messages)
            threading.Thread(target=self._read, args=args, daemon=True).start()
        return self._process

    def _read(
        self, process: subprocess.Popen[bytes], messages: queue.Queue[Message | None]
    ) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            messages.put(json.loads(line))
        messages.put(None)

    def _ended(self, process: subprocess.Popen[bytes]) -> Message:
        value = f"The interpreter ended with {process.wait()}; its state is lost."
        return {"type": "error", "name": "InterpreterEnded", "value": value, "traceback": value}

    def interrupt(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Contexts:
    """Every context by its id; "default" is whose code names none."""

    def __init__(self) -> None:
        self._all = {"default": Context(str(Path.home()))}

    def create(self, body: Message) -> Message:
        check_language(body)
        cwd = body.get("cwd") or str(Path.home())
        if not isinstance(cwd, str) or not os.path.isdir(cwd):
            raise Refused(400, f"cwd {cwd} is not a folder")
        name = str(uuid.uuid4())
        self._all[name] = Context(cwd)
        return {"id": name, "language": "python", "cwd": cwd}

    def all(self) -> list[Message]:
        return [
            {"id": name, "language": "python", "cwd": context.cwd}
            for name, context in list(self._all.items())
        ]

    def find(self, name: str) -> Context:
        context = self._all.get(name)
        if context is None:
            raise Refused(404, f"context {name} not found")
        return context

    def delete(self, name: str) -> None:
        self.find(name).close()
        del self._all[name]


def check_language(body: Message) -> None:
    if body.get("language") not in (None, "", "python", "python3"):
        raise Refused(400, f"language {body['language']} is not supported: only python is")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    contexts = Contexts()

    def do_GET(self) -> None:
        if self.path == "/contexts":
            self._answer(200, self.contexts.all())
        else:
            self._answer(200 if self.path in ("/", "/health") else 404, {"status": "ok"})

    def do_POST(self) -> None:
        try:
            body = self._body()
            if self.path == "/contexts":
                self._answer(200, self.contexts.create(body))
            elif self.path == "/execute":
                self._execute(body)
            else:
                raise Refused(404, "not found")
        except Refused as exc:
            status, text = exc.args
            self._answer(status, {"error": text})

    def do_DELETE(self) -> None:
        try:
            self.contexts.delete(self.path.removeprefix("/contexts/"))
            self._answer(200, {"message": "context deleted"})
        except Refused as exc:
            status, text = exc.args
            self._answer(status, {"error": text})

    def _execute(self, body: Message) -> None:
        check_language(body)
        context = self.contexts.find(str(body.get("context_id") or "default"))
        code, env = body.get("code"), body.get("env_vars") or {}
        if not isinstance(code, str) or not isinstance(env, dict):
            raise Refused(400, "code must be text, and env_vars an object")
        with context.lock:
            self.send_response(200)
            self.send_header("Content-Type", "application/x-ndjson")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            is_there = True
            for message in context.run(code, {name: str(text) for name, text in env.items()}):
                if is_there and (self._has_left() or (message and not self._send(message))):
                    is_there = False
                    context.interrupt()
        if is_there:
            self.wfile.write(b"0\r\n\r\n")

    def _has_left(self) -> bool:
        """Whether the client has hung up: it has nothing more to say, so it is not readable."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable)

    def _send(self, message: Message) -> bool:
        line = json.dumps(message).encode() + b"\n"
        try:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        except OSError:
            return False
        return True

    def _body(self) -> Message:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY:
            self.close_connection = True
            raise Refused(400, "the body must say its length, of 16 MB at most")
        try:
            body = json.loads(self.rfile.read(int(length)) or b"{}")
        except ValueError as exc:
            raise Refused(400, "the body is not JSON") from exc
        if not isinstance(body, dict):
            raise Refused(400, "the body is not an object")
        return body

    def _answer(self, status: int, body: Any) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: each request would be a line in the process's log."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


if __name__ == "__main__":
    Server((os.environ.get("HOST", "0.0.0.0"), PORT), Handler).serve_forever()

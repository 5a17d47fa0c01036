"""A development server as a sandbox runs one: hot reload over a WebSocket, events, uploads.

Of nothing but the standard library: it is written into the sandbox and started there.
"""

import base64
import hashlib
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
PAGE = """<!doctype html><title>Dev</title><link rel=icon href=data:,>
<h1>Version 1</h1><p id=events></p>
<script type=module>
  const scheme = location.protocol.replace("http", "ws");
  const socket = new WebSocket(`${scheme}//${location.host}/hot`);
  socket.onopen = () => document.body.dataset.hot = "";
  socket.onmessage = ({ data }) => document.querySelector("h1").textContent = data;
  new EventSource("/events").onmessage = ({ data }) => events.textContent = data;
</script>"""
sockets = []
seen = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        seen.append(dict(self.headers))
        if self.headers.get("Upgrade") == "websocket":
            return self.accept()
        if self.path == "/events":
            return self.events()
        if self.path == "/change":
            for socket in sockets:
                socket.write(b"\x81\x09Version 2")
            return self.answer("changed")
        if self.path == "/seen":
            return self.answer(json.dumps(seen), "application/json")
        if self.path == "/missing.js":
            return self.answer("no such file", "text/plain", 404)
        return self.answer(PAGE, "text/html")

    def do_POST(self):
        self.answer(str(len(self.rfile.read(int(self.headers["Content-Length"])))))

    def accept(self):
        key = (self.headers["Sec-WebSocket-Key"] + GUID).encode()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        accepted = base64.b64encode(hashlib.sha1(key).digest()).decode()
        self.send_header("Sec-WebSocket-Accept", accepted)
        self.end_headers()
        sockets.append(self.wfile)
        threading.Event().wait()

    def events(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        while True:
            self.wfile.write(b"data: An event\n\n")
            time.sleep(1)

    def answer(self, text, kind="text/plain", status=200):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()

"""Python servers for a sandbox: Server.serve writes one into it, and starts it on a port."""

ECHO = """
import http.server, json, sys

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        length = int(self.headers.get("Content-Length") or 0)
        heard = {"method": self.command, "path": self.path}
        heard["body"] = self.rfile.read(length).decode()
        heard["headers"] = [[name.lower(), value] for name, value in self.headers.items()]
        said = json.dumps(heard).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.send_header("Set-Cookie", "app=1; Domain=localhost; Path=/")
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else said)

    do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_PATCH = do_GET

    def log_message(self, *args):
        pass

http.server.ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), Handler).serve_forever()
"""

# Sends back what it hears while it hears it, in chunks.
MIRROR = """
import socketserver, sys

class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n")
        while size := int(self.rfile.readline(), 16):
            data = self.rfile.read(size)
            self.rfile.readline()
            self.wfile.write(b"%x\\r\\n%s\\r\\n" % (size, data))
        self.wfile.write(b"0\\r\\n\\r\\n")

socketserver.ThreadingTCPServer(("0.0.0.0", int(sys.argv[1])), Handler).serve_forever()
"""

# A WebSocket server by hand: the base image has no library for it. Echoes texts up to 125 bytes.
WEBSOCKET = """
import base64, hashlib, socketserver, sys

class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        headers = {}
        self.rfile.readline()
        while line := self.rfile.readline().strip():
            name, _, value = line.decode().partition(": ")
            headers[name.lower()] = value
        if "sec-websocket-key" not in headers:
            self.wfile.write(b"HTTP/1.1 426 Upgrade Required\\r\\nContent-Length: 0\\r\\n\\r\\n")
            return
        salted = headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(salted.encode()).digest()).decode()
        self.wfile.write((
            "HTTP/1.1 101 Switching Protocols\\r\\n"
            "Upgrade: websocket\\r\\nConnection: Upgrade\\r\\n"
            f"Sec-WebSocket-Accept: {accept}\\r\\nSec-WebSocket-Protocol: chat\\r\\n\\r\\n"
        ).encode())
        self.say(headers.get("cookie", "no cookie").encode())
        while True:
            opcode, length = self.rfile.read(2)
            mask = self.rfile.read(4)
            data = bytes(b ^ mask[i % 4] for i, b in enumerate(self.rfile.read(length & 127)))
            if data == b"bye":
                self.wfile.write(b"\\x88\\x05" + (4001).to_bytes(2, "big") + b"end")
                return
            self.say(data)

    def say(self, data):
        self.wfile.write(bytes([0x81, len(data)]) + data)

socketserver.ThreadingTCPServer(("0.0.0.0", int(sys.argv[1])), Handler).serve_forever()
"""

# Promises more than it says.
BROKEN_OFF = """
import socketserver, sys

class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 3000000\\r\\n\\r\\n")
        self.wfile.write(bytes(2000000))

socketserver.ThreadingTCPServer(("0.0.0.0", int(sys.argv[1])), Handler).serve_forever()
"""

# Answers with the status that the path names, or with one that HTTP does not have; `/200` also with
# a header that may not be, `/302` with an address.
NO_STATUS = """
import socketserver, sys

class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        status = self.rfile.readline().split()[1].strip(b"/") or b"999"
        while self.rfile.readline().strip():
            pass
        header = b"X-Odd: a\\x01b\\r\\n" if status == b"200" else b""
        header += b"Location: ws://127.0.0.1:9/\\r\\n" if status == b"302" else b""
        self.wfile.write(b"HTTP/1.1 %s Odd\\r\\n%sContent-Length: 0\\r\\n\\r\\n" % (status, header))

socketserver.ThreadingTCPServer(("0.0.0.0", int(sys.argv[1])), Handler).serve_forever()
"""

# Answers before it reads the head and the body, as a server does for which they are too large.
EARLY = """
import socketserver, sys

class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.recv(16)
        said = b"too large"
        head = b"HTTP/1.1 413 Too Large\\r\\nConnection: close\\r\\nContent-Length: %d\\r\\n\\r\\n"
        self.request.sendall(head % len(said) + said)

socketserver.ThreadingTCPServer(("0.0.0.0", int(sys.argv[1])), Handler).serve_forever()
"""

# Says how long its answer is, wrongly, and sends it in chunks.
TWO_LENGTHS = """
import socketserver, sys

class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\n")
        self.wfile.write(b"Transfer-Encoding: chunked\\r\\n\\r\\n6\\r\\nchunks\\r\\n0\\r\\n\\r\\n")

socketserver.ThreadingTCPServer(("0.0.0.0", int(sys.argv[1])), Handler).serve_forever()
"""

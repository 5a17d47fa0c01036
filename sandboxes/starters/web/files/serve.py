"""Serves this folder's public/ on port 3000. Reload the page to see a change."""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

PORT = 3000


class Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def end_headers(self):
        # Without this a browser may show yesterday's page.
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format, *args):
        # Not to stderr: a request is no error.
        print(format % args, flush=True)


if __name__ == "__main__":
    # 0.0.0.0, not 127.0.0.1: a preview reaches the sandbox from outside.
    server = ThreadingHTTPServer(("0.0.0.0", PORT), partial(Handler, directory="public"))
    print(f"Serving public/ on port {PORT}", flush=True)
    server.serve_forever()

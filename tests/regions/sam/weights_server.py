"""A real HTTP server on this machine that gives weights: rightly, wrongly, or not at all."""

import hashlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event

CONTENT = b"weights" * 100_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Answers by the path that is asked for, and remembers what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []
        self.over = Event()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{path}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        getattr(self, self.path.strip("/").partition(".")[0])()

    def whole(self) -> None:
        self._head(len(CONTENT))
        self.wfile.write(CONTENT)

    def missing(self) -> None:
        self.send_error(404)

    def silent(self) -> None:
        self.server.over.wait(30)

    def stalled(self) -> None:
        self._head(len(CONTENT))
        self.wfile.write(CONTENT[:1000])
        self.wfile.flush()
        self.server.over.wait(30)

    def cut_off(self) -> None:
        self._head(len(CONTENT))
        self.wfile.write(CONTENT[:1000])

    def babble(self) -> None:
        self.wfile.write(b"this is not HTTP\r\n\r\n")

    def _head(self, length: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass

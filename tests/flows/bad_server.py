"""A server on this machine that behaves as badly as a test asks it to, and remembers every request."""

import contextlib
import gzip
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

BOMB = gzip.compress(b"%PDF-1.4\n" + bytes(32 << 20), 1)


def pdf(words: str, size: int = 4000) -> bytes:
    """Return bytes that begin and end as a PDF does, and differ by words."""
    head = b"%PDF-1.4\n" + words.encode("utf-8") + b"\n"
    return head + b"x" * (size - len(head) - 7) + b"\n%%EOF\n"


@dataclass
class Asked:
    """One request: how, for what, with which headers (in lower case) and form."""

    method: str
    path: str
    headers: dict[str, str]
    form: dict[str, str] = field(default_factory=dict)
    at: float = 0.0
    sent: int = 0


Behaviour = Callable[["Handler", Asked], Any]


class Handler(BaseHTTPRequestHandler):
    """Answers as the behaviour of the path says."""

    protocol_version = "HTTP/1.1"
    server: "BadServer"

    def do_GET(self) -> None:
        self._answer("GET", {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self._answer(
            "POST", {key: values[0] for key, values in parse_qs(body.decode(), keep_blank_values=True).items()}
        )

    def _answer(self, method: str, form: dict[str, str]) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(method, self.path, headers, form, time.monotonic())
        self.server.asked.append(asked)
        self.asked = asked
        behaviour = self.server.paths.get(self.path.partition("?")[0], fails(404))
        with contextlib.suppress(OSError):
            behaviour(self, asked)

    def reply(self, body: bytes = b"", code: int = 200, **headers: object) -> None:
        """Send an answer; ``Content-Length`` is right unless given, and left out where it is None."""
        given = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        given.setdefault("content-length", len(body))
        self.send_response(code)
        for name, value in given.items():
            if value is not None:
                self.send_header(name, str(value))
        self.end_headers()
        self.send(body)
        if given["content-length"] != len(body):
            self.close_connection = True

    def send(self, body: bytes) -> None:
        self.wfile.write(body)
        self.wfile.flush()
        self.asked.sent += len(body)

    def log_message(self, *arguments: object) -> None:
        pass


class BadServer(ThreadingHTTPServer):
    """A server whose paths behave as they are told."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.paths: dict[str, Behaviour] = {}
        self.asked: list[Asked] = []
        self.host = f"127.0.0.1:{self.server_port}"
        self.address = f"http://{self.host}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass

    def asked_for(self, path: str) -> list[Asked]:
        return [each for each in self.asked if each.path.partition("?")[0] == path]


@contextlib.contextmanager
def serving(context: Any = None) -> Iterator[BadServer]:
    """Serve while the block runs; with https where there is a context."""
    server = BadServer()
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.address = server.address.replace("http:", "https:")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# Behaviours


def gives(body: bytes, **headers: object) -> Behaviour:
    return lambda handler, asked: handler.reply(body, **headers)


def fails(code: int, **headers: object) -> Behaviour:
    return lambda handler, asked: handler.reply(b"no", code, **headers)


def redirects(location: str) -> Behaviour:
    return lambda handler, asked: handler.reply(b"", 302, location=location)


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """Behave as the first at the first request, as the last from the last on."""
    waiting = list(behaviours)

    def behave(handler: Handler, asked: Asked) -> None:
        (waiting.pop(0) if len(waiting) > 1 else waiting[0])(handler, asked)

    return behave


def with_ranges(body: bytes, etag: str = '"one"', honours_if_range: bool = True) -> Behaviour:
    """Give the rest of a file where it is asked for; a bad server does so whatever If-Range says."""

    def behave(handler: Handler, asked: Asked) -> None:
        wanted = asked.headers.get("range", "")
        if not wanted or (honours_if_range and asked.headers.get("if-range") != etag):
            handler.reply(body, etag=etag)
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if start >= len(body):
            handler.reply(b"", 416, content_range=f"bytes */{len(body)}")
        else:
            place = f"bytes {start}-{len(body) - 1}/{len(body)}"
            handler.reply(body[start:], 206, etag=etag, content_range=place)

    return behave


def breaks_off(body: bytes, after: int, etag: str | None = '"one"') -> Behaviour:
    """Promise the whole body, and hang up in the middle."""
    return lambda handler, asked: handler.reply(body[:after], content_length=len(body), etag=etag)


def stalls(body: bytes, after: int, seconds: float, etag: str = '"one"') -> Behaviour:
    """Send a part of the body, and then nothing for a while."""

    def behave(handler: Handler, asked: Asked) -> None:
        handler.reply(body[:after], content_length=len(body), etag=etag)
        time.sleep(seconds)

    return behave


def is_silent(seconds: float) -> Behaviour:
    return lambda handler, asked: time.sleep(seconds)


def drips(body: bytes, seconds: float = 0.05) -> Behaviour:
    """Send a byte at a time, each soon enough to be no silence."""

    def behave(handler: Handler, asked: Asked) -> None:
        handler.reply(body[:8], content_length=len(body))
        for number in range(8, len(body)):
            time.sleep(seconds)
            handler.send(body[number : number + 1])

    return behave


def drips_headers(seconds: float = 0.05) -> Behaviour:
    def behave(handler: Handler, asked: Asked) -> None:
        handler.send(b"HTTP/1.1 200 OK\r\n")
        for number in range(10_000):
            time.sleep(seconds)
            handler.send(b"X-%d: y\r\n" % number)

    return behave


def never_ends(handler: Handler, asked: Asked) -> None:
    handler.reply(b"%PDF-1.4\n", content_length=None, connection="close")
    while True:
        handler.send(b"x" * 65536)


def is_a_bomb(handler: Handler, asked: Asked) -> None:
    """Send a little that unpack to 32 megabytes."""
    handler.reply(BOMB, content_encoding="gzip")


def is_no_server(handler: Handler, asked: Asked) -> None:
    handler.send(b"220 mail.example.org ESMTP\r\n\r\n")
    handler.close_connection = True

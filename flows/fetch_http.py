"""How requests travel: only to addresses that the gate lets pass, within the time limit of the file."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import time
import urllib.request
from collections.abc import Iterable, Iterator
from typing import Any

import httpcore
import httpx

from flows.fetch_gate import DEFAULT_PORTS, Gate
from shuzhi import UsageError

# Servers close idle connections, some soon.
KEPT_SECONDS = 5.0


class _Stream(httpcore.NetworkStream):
    """A connection on which nothing takes longer than the time that is left for the file."""

    def __init__(self, inner: httpcore.NetworkStream, backend: GuardedBackend) -> None:
        self._inner = inner
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return self._inner.read(max_bytes, self._backend.left(timeout))
        except httpcore.ReadTimeout:
            # Says which of the two limits it was.
            self._backend.left(timeout)
            raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._backend.left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, self._backend.left(timeout))
        return _Stream(inner, self._backend)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class GuardedBackend(httpcore.NetworkBackend):
    """Connects only to addresses that the gate lets pass, and keeps the time limit of a whole file.

    A name is resolved once and its address is checked and used, so that a name server cannot give another one between.
    """

    def __init__(self, gate: Gate | None) -> None:
        self._gate = gate
        self._inner = httpcore.SyncBackend()
        self.deadline = float("inf")

    def left(self, timeout: float | None) -> float:
        """Return how long one step may take; raise the library's timeout when no time is left."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the time limit of the file is over")
        return min(left, timeout if timeout is not None else left)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of a host that answers; all of them must be allowed."""
        try:
            found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"the name {host} cannot be resolved: {error}") from None
        addresses = list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
        if self._gate is not None:
            for address in addresses:
                self._gate.check_address(ipaddress.ip_address(address))
        failure: Exception = httpcore.ConnectError(f"the name {host} has no address")
        for address in addresses:
            try:
                stream = self._inner.connect_tcp(address, port, self.left(timeout), local_address, socket_options)
                return _Stream(stream, self)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


class _Body(httpx.SyncByteStream):
    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __iter__(self) -> Iterator[bytes]:
        with _translated():
            yield from self._inner

    def close(self) -> None:
        self._inner.close()


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Raise the errors of httpcore as those of httpx."""
    try:
        yield
    except httpcore.TimeoutException as error:
        raise httpx.ReadTimeout(str(error)) from error
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError) as error:
        raise httpx.NetworkError(str(error) or type(error).__name__) from error


class Transport(httpx.BaseTransport):
    """Carries requests through the guarded backend, or through the proxies of the environment where asked to."""

    def __init__(self, gate: Gate, context: ssl.SSLContext, *, use_proxies: bool) -> None:
        self.backends = [GuardedBackend(gate)]
        self._direct = httpcore.ConnectionPool(
            ssl_context=context, keepalive_expiry=KEPT_SECONDS, network_backend=self.backends[0]
        )
        self._proxies: dict[str, httpcore.ConnectionPool] = {}
        for scheme, address in urllib.request.getproxies().items() if use_proxies else ():
            if scheme in DEFAULT_PORTS:
                # The proxy is what the environment says; it may well be on the own network.
                self.backends.append(GuardedBackend(None))
                self._proxies[scheme] = _proxy_pool(address, context, self.backends[-1])

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request and return what comes back, its body unread."""
        url = request.url
        pool = self._proxies.get(url.scheme)
        if pool is None or urllib.request.proxy_bypass(url.host):
            pool = self._direct
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        sent = httpcore.Request(
            request.method, target, headers=request.headers.raw, content=request.stream, extensions=request.extensions
        )
        with _translated():
            answer = pool.handle_request(sent)
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer.stream))

    def close(self) -> None:
        """Close all connections."""
        for pool in (self._direct, *self._proxies.values()):
            pool.close()


def _proxy_pool(address: str, context: ssl.SSLContext, backend: GuardedBackend) -> httpcore.ConnectionPool:
    url = httpx.URL(address if "://" in address else f"http://{address}")
    if url.scheme not in DEFAULT_PORTS:
        raise UsageError(f"the environment names a {url.scheme} proxy; only http and https proxies are known")
    plain = url.copy_with(username=None, password=None)
    auth = (url.username, url.password) if url.username else None
    return httpcore.HTTPProxy(str(plain), proxy_auth=auth, ssl_context=context, network_backend=backend)

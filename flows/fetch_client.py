"""Asking a server politely: pace, waits that it asks for, tries, redirects within the hosts that may be asked."""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal, TypeVar
from urllib.parse import urljoin

import httpcore
import httpx
import numpy as np

from flows.fetch_gate import FetchError, Gate, StopFetchingError, host_of
from flows.fetch_http import Transport
from flows.settings import FetchParameters
from shuzhi import UsageError, __version__

MOST_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
# Timeouts, too many requests, and whatever is the server's own trouble: worth another try.
TRIED_AGAIN = (408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524)
Result = TypeVar("Result")


class Pacer:
    """Keeps requests apart: a steady pace, a random pause on top, and the waits that a server asks for."""

    def __init__(self, requests_per_second: float, jitter_seconds: float, seed: int) -> None:
        self._gap = 1 / requests_per_second
        self._jitter = jitter_seconds
        self._random = np.random.Generator(np.random.PCG64(seed))
        self._next = 0.0

    def pause(self) -> None:
        """Wait until the next request may be made."""
        time.sleep(max(self._next - time.monotonic(), 0.0))
        extra = self._jitter * float(self._random.random()) if self._jitter else 0.0
        self._next = time.monotonic() + self._gap + extra

    def hold(self, seconds: float) -> None:
        """Make no request for so long."""
        self._next = max(self._next, time.monotonic() + seconds)


def user_agent(contact: str) -> str:
    """Return what the client says of itself."""
    return f"shuzhi/{__version__} (research on annual reports{f'; {contact}' if contact else ''})"


def _ssl_context(certificates: str) -> ssl.SSLContext:
    context = httpx.create_ssl_context(trust_env=False)
    if certificates:
        try:
            context.load_verify_locations(cafile=certificates)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(f"{certificates}: no file of certificates (PEM): {error}") from None
    return context


class PoliteClient:
    """One server, asked one thing at a time.

    Parameters
    ----------
    parameters : FetchParameters
        Pace, waits, limits and who asks.
    hosts : sequence of str
        The hosts that may be asked.
    """

    def __init__(self, parameters: FetchParameters, hosts: Sequence[str]) -> None:
        self.gate = Gate(hosts, allow_private=parameters.allow_private)
        self._parameters = parameters
        self._pacer = Pacer(parameters.requests_per_second, parameters.jitter_seconds, parameters.seed)
        context = _ssl_context(parameters.certificates)
        self._transport = Transport(self.gate, context, use_proxies=parameters.proxies_from_environment)
        timeout = httpx.Timeout(parameters.read_seconds, connect=parameters.connect_seconds)
        headers = {"User-Agent": user_agent(parameters.contact), "Accept-Encoding": "identity"}
        self._client = httpx.Client(transport=self._transport, headers=headers, timeout=timeout, trust_env=False)
        self.requests = 0

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    @contextlib.contextmanager
    def ask(
        self, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None = None
    ) -> Iterator[httpx.Response]:
        """Make one request (POST where there is a form), and yield a good answer, its body unread.

        Redirects are followed while the gate lets them pass; a form is sent nowhere else.

        Raises
        ------
        FetchError
            If there is no good answer.
        """
        deadline = time.monotonic() + self._parameters.seconds_per_file
        before = ""
        for _ in range(MOST_REDIRECTS + 1):
            self.gate.check(url, before)
            # The pace may take longer than a file may.
            waited = time.monotonic()
            self._pacer.pause()
            deadline += time.monotonic() - waited
            for backend in self._transport.backends:
                backend.deadline = deadline
            self.requests += 1
            with self._sent(url, headers, form) as response:
                if response.status_code not in REDIRECTS:
                    check_status(response, is_part="Range" in headers)
                    yield response
                    return
                before, url = url, _target(url, response)
                if form is not None:
                    raise FetchError(f"the service redirects to {url}; write that address into its settings", "refused")
        raise FetchError(f"redirects more than {MOST_REDIRECTS} times", "refused")

    @contextlib.contextmanager
    def _sent(self, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None) -> Iterator[httpx.Response]:
        self._client.cookies.clear()
        method = "GET" if form is None else "POST"
        try:
            target = httpx.URL(url)
            # The gate and the library must mean the same host.
            if url.isascii() and host_of(str(target)) != host_of(url):
                raise FetchError("the link can be read as one to another host", "refused", is_local=True)
            with self._client.stream(method, target, headers=dict(headers), data=form) as response:
                yield response
        except httpx.TimeoutException as error:
            raise FetchError(f"took too long: {str(error) or 'no answer in time'}") from error
        except httpx.HTTPError as error:
            raise FetchError(f"the connection failed: {str(error) or type(error).__name__}") from error
        except (httpx.InvalidURL, UnicodeError, httpcore.UnsupportedProtocol) as error:
            raise FetchError(f"the link is no address: {error}", "refused", is_local=True) from error

    def with_tries(self, action: Callable[[], Result]) -> Result:
        """Do something that asks the server, again after growing waits where it failed in passing.

        Raises
        ------
        FetchError
            Of the last try.
        StopFetchingError
            If the server asks for a longer wait than allowed.
        """
        longest = self._parameters.longest_wait_seconds
        for attempt in range(self._parameters.tries):
            try:
                return action()
            except FetchError as error:
                if error.wait is not None and error.wait > longest:
                    raise StopFetchingError(
                        f"the server asks to wait {error.wait:,.0f} seconds ({error.reason}), longer than the"
                        f" {longest:,.0f} allowed; run the same command again after that time"
                    ) from error
                if error.wait is not None:
                    self._pacer.hold(error.wait)
                if error.status == "refused" or attempt == self._parameters.tries - 1:
                    raise
                self._pacer.hold(min(self._parameters.first_wait_seconds * 2**attempt, longest))
        raise AssertionError("tries is at least one")


def _target(url: str, response: httpx.Response) -> str:
    try:
        return urljoin(url, str(response.headers.get("location", "")))
    except ValueError:
        raise FetchError("redirects to what is no address", "refused") from None


def check_status(response: httpx.Response, *, is_part: bool = False) -> None:
    """Raise a `FetchError` unless the answer is one with content, or one about the range of bytes asked for."""
    code = response.status_code
    if code == 200 or (is_part and code in (206, 416)):
        return
    status: Literal["failed", "refused"] = "failed" if code in TRIED_AGAIN else "refused"
    raise FetchError(f"the server answers {code}", status, wait=retry_after(response.headers.get("retry-after")))


def retry_after(value: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for, given as seconds or as a date; None if it says neither."""
    if not value:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return float(value.strip()[:9])
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((aware - datetime.now(UTC)).total_seconds(), 0.0)

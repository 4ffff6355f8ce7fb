"""Which addresses may be asked: schemes, hosts, and the networks behind their names; and what a failed link says."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Iterator, Sequence
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from flows.files import CONTROL_CHARACTERS
from shuzhi import RunError, masked

LONGEST_REASON = 200
DEFAULT_PORTS = {"http": 80, "https": 443}
# Networks whose addresses end in an IPv4 one: written as IPv6, or translated into it.
IPV4_AT_THE_END = tuple(
    ipaddress.IPv6Network(network) for network in ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")
)
SITE_LOCAL = ipaddress.IPv6Network("fec0::/10")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class FetchError(Exception):
    """A link that gave no report.

    Parameters
    ----------
    reason : str
        Why, in words; control characters are shown, and what is too long is cut.
    status : str
        ``failed`` where another try may help, ``refused`` where it would not.
    wait : float or None
        Seconds that the server asked to wait.
    is_local : bool
        Whether no server was asked.
    """

    def __init__(
        self,
        reason: str,
        status: Literal["failed", "refused"] = "failed",
        *,
        wait: float | None = None,
        is_local: bool = False,
    ) -> None:
        self.reason = shown(reason)
        super().__init__(self.reason)
        self.status = status
        self.wait = wait
        self.is_local = is_local


class StopFetchingError(RunError):
    """A server that should be left alone for now."""


def shown(text: str) -> str:
    """Return text of a server or a list so that it can be printed: no control characters, not too long."""
    plain = CONTROL_CHARACTERS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), masked(text))
    return plain if len(plain) <= LONGEST_REASON else plain[: LONGEST_REASON - 1] + "…"


class Gate:
    """Which addresses may be asked: http and https, configured hosts only, no private address unless allowed.

    Parameters
    ----------
    hosts : sequence of str
        Host names, each with ``:port`` where it is not the usual one of its scheme.
    allow_private : bool
        Whether a host may have an address of this machine or of a private network.
    """

    def __init__(self, hosts: Sequence[str], *, allow_private: bool = False) -> None:
        self._hosts = {host.strip().lower().rstrip(".") for host in hosts}
        self.allow_private = allow_private

    def check(self, url: str, before: str = "") -> None:
        """Raise a `FetchError` with status ``refused`` unless the address may be asked.

        Parameters
        ----------
        url : str
            Where to go.
        before : str
            Where the redirect came from; empty for a link.
        """
        what = "redirects to" if before else "the link is"
        is_local = not before
        parts = split_url(url)
        if parts is None or parts.scheme not in DEFAULT_PORTS or not parts.hostname:
            raise FetchError(f"{what} no http or https address: {url}", "refused", is_local=is_local)
        if parts.username is not None or parts.password is not None:
            raise FetchError(f"{what} an address with a user name", "refused", is_local=is_local)
        host = host_of(url)
        if host not in self._hosts:
            raise FetchError(f"{what} on another host: {host} is not allowed", "refused", is_local=is_local)
        if before and urlsplit(before).scheme == "https" and parts.scheme == "http":
            raise FetchError("redirects from https to http", "refused")
        with contextlib.suppress(ValueError):
            self.check_address(ipaddress.ip_address(parts.hostname))

    def check_address(self, address: Address) -> None:
        """Raise a `FetchError` if an address is of this machine or a private network, and that is not allowed."""
        if not self.allow_private and not all(_is_public(each) for each in _inner(address)):
            raise FetchError(f"{address} is an address of this machine or a private network", "refused", is_local=True)


def _is_public(address: Address) -> bool:
    return address.is_global and not address.is_multicast and address not in SITE_LOCAL


def _inner(address: Address) -> Iterator[Address]:
    """Yield an address, and the IPv4 address that an IPv6 one stands for."""
    yield address
    if isinstance(address, ipaddress.IPv6Address):
        held = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if any(address in network for network in IPV4_AT_THE_END):
            held.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        yield from (each for each in held if each is not None)


def split_url(url: str) -> SplitResult | None:
    """Return the parts of an address, or None where it is none: spaces, control characters, a port of letters."""
    if any(character <= " " or character == "\\" for character in url) or CONTROL_CHARACTERS.search(url):
        return None
    try:
        parts = urlsplit(url)
        return parts if parts.port is None or parts.port > 0 else None
    except ValueError:
        return None


def host_of(url: str) -> str:
    """Return the host of an address as it is configured: with the port where it is not the usual one; or empty."""
    parts = split_url(url)
    if parts is None or not parts.hostname:
        return ""
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname.rstrip(".")
    usual = parts.port is None or parts.port == DEFAULT_PORTS.get(parts.scheme)
    return name if usual else f"{name}:{parts.port}"

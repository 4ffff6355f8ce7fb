"""Addresses that a list, a redirect or a name server may give for what must not be asked."""

import ipaddress
import socket
from typing import Any

import httpcore
import pytest

from flows.fetch_gate import FetchError, Gate
from flows.fetch_http import GuardedBackend

PUBLIC = "93.184.215.14"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "10.1.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
        "fe80::1",
        "fec0::1",
        "fd00::1",
        "ff02::1",
        "2001:db8::1",
    ],
)
def test_no_special_address_is_public(address: str):
    with pytest.raises(FetchError, match="of this machine or a private network"):
        Gate(["host"]).check_address(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", [PUBLIC, "2606:4700::1111", "64:ff9b::5db8:d70e"])
def test_public_addresses_pass(address: str):
    Gate(["host"]).check_address(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "link",
    ["http://2130706433/a", "http://0x7f.1/a", "http://0177.0.0.1/a", "http://127.1/a", "http://[::ffff:7f00:1]/a"],
)
def test_other_spellings_of_this_machine_are_not_connected_to(link: str):
    # Where the system's resolver knows such a spelling, the address that it gives is checked.
    host = link.split("/")[2]
    gate = Gate([host])
    with pytest.raises((FetchError, httpcore.ConnectError)):
        gate.check(link)
        GuardedBackend(gate).connect_tcp(host, 80, 1)


class NameServer:
    """Answers in turn, as one does that wants its second answer to be used."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int, **_: Any) -> list[Any]:
        found = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]


class Recorder(httpcore.NetworkBackend):
    def __init__(self) -> None:
        self.connected: list[str] = []

    def connect_tcp(self, host: str, *_: Any, **__: Any) -> httpcore.NetworkStream:
        self.connected.append(host)
        return httpcore.MockStream([])


def backend(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> tuple[GuardedBackend, Recorder, NameServer]:
    names, recorder = NameServer(*answers), Recorder()
    monkeypatch.setattr(socket, "getaddrinfo", names)
    guarded = GuardedBackend(Gate(["files.example.org"]))
    guarded._inner = recorder  # type: ignore[assignment]
    return guarded, recorder, names


def test_a_name_that_changes_its_address_in_between_is_asked_once_and_kept(monkeypatch):
    guarded, recorder, names = backend(monkeypatch, [PUBLIC], ["127.0.0.1"])
    guarded.connect_tcp("files.example.org", 80, 1)
    # The address that was checked is the one that is connected to, not the name.
    assert recorder.connected == [PUBLIC]
    assert names.asked == 1
    with pytest.raises(FetchError, match="of this machine"):
        guarded.connect_tcp("files.example.org", 80, 1)
    assert recorder.connected == [PUBLIC]


def test_one_private_address_among_public_ones_refuses_the_name(monkeypatch):
    guarded, recorder, _ = backend(monkeypatch, [PUBLIC, "10.0.0.7"])
    with pytest.raises(FetchError, match=r"10\.0\.0\.7"):
        guarded.connect_tcp("files.example.org", 80, 1)
    assert recorder.connected == []


def test_credentials_in_a_link_are_neither_sent_nor_shown():
    with pytest.raises(FetchError, match="user name") as error:
        Gate(["files.example.org"]).check("https://user:s3cr3t-4711@files.example.org/a")
    assert "s3cr3t" not in str(error.value)

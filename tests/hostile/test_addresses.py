"""Which addresses are never fetched from, however they are spelled."""

import ipaddress
import socket

import pytest

from forecasting.fetch import FORBIDDEN, checked, forbidden, resolve
from tests.hostile.server import refused


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "2130706433", "0x7f.1", "0x7f000001", "0177.0.0.1", "localhost",
        "0", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
        "169.254.169.254", "192.0.0.192", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1",
        "255.255.255.255", "192.88.99.1", "[::]", "[::1]", "[::ffff:127.0.0.1]",
        "[::ffff:8.8.8.8]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::1]",
        "[2002:7f00:1::]", "[2001::1]", "[2001:db8::1]", "[fc00::1]", "[fd00:ec2::254]",
        "[fe80::1]", "[fec0::1]", "[ff02::1]", "[100::1]", "[3fff::1]", "[4000::1]", "[5f00::1]",
    ],
)  # fmt: skip
def test_no_spelling_of_a_forbidden_address_is_reached(host, monkeypatch):
    def never(*_):
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", never)
    message = refused(f"http://{host}/", allowed=())
    assert (
        "no request was sent" in message
        or "names no host" in message
        or "cannot be fetched" in message
    )


@pytest.mark.parametrize(
    "public", ["9.9.9.9", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00::1"]
)
def test_public_addresses_are_not_forbidden(public):
    assert forbidden(ipaddress.ip_address(public)) == ""


def test_every_special_address_of_python_is_in_our_table_too():
    edges = [network[i] for network, _ in FORBIDDEN for i in (0, -1)]
    assert all(forbidden(edge) for edge in edges)
    seen = 0
    for first in range(256):
        for rest in ((0, 0, 1), (64, 0, 1), (168, 0, 1), (254, 1, 1), (18, 0, 1), (51, 100, 1)):
            address = ipaddress.IPv4Address(bytes((first, *rest)))
            if not address.is_global or address.is_multicast:
                seen += 1
                assert forbidden(address), address
    assert seen > 200


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("ftp://example.org/", "must begin with"),
        ("file:///etc/hosts", "must begin with"),
        ("javascript:alert(1)", "must begin with"),
        ("feed.xml", "must begin with"),
        ("//example.org/", "must begin with"),
        ("http://", "no host"),
        ("http:///x", "no host"),
        ("http://u@example.org/", "contains a user name"),
        ("http://u:secret@example.org/", "contains a user name"),
        ("http://example.org\\@10.0.0.1/", "percent-encoded"),
        ("http://example.org/a b", "percent-encoded"),
        ("http://example.org/\r\nHost: x", "percent-encoded"),
        ("http://example.org/\n", "percent-encoded"),
        ("http://ex\u00e4mple.org/", "percent-encoded"),
        ("http://\u2460\u2461\u2466.0.0.1/", "percent-encoded"),
        ("http://example.org:99999/", "ort"),
        ("http://example.org:0/", "no host"),
        ("http://example.org:x/", "ort"),
        ("http://[::1", "IPv6"),
        ("http://[fe80::1%25eth0]/", "no host"),
        ("http://exam$ple.org/", "no host"),
        ("http://a%2eb/", "no host"),
        ("", "percent-encoded"),
    ],
)
def test_an_address_that_reads_two_ways_is_refused(url, word):
    message = refused(url)
    assert word in message
    assert "secret" not in message


def test_a_label_too_long_for_a_name_is_one_line():
    assert "cannot be fetched" in refused(f"http://{'a' * 70}.org/", allowed=())


def test_an_address_is_taken_apart():
    assert checked("http://EXAMPLE.org:8080/x?y")[1] == 8080
    assert resolve("127.0.0.1", 80) == ["127.0.0.1"]

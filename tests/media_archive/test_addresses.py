from __future__ import annotations

import pytest

from media_archive.addresses import is_public, parse_target
from media_archive.errors import RefusedAddress


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:808:808::",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700::1111%eth0",
        "fec0::1",
        "ff02::1",
        "no address",
        "",
    ],
)
def test_special_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "126.255.255.255",
        "128.0.0.1",
        "172.15.255.255",
        "172.32.0.1",
        "198.17.255.255",
        "198.20.0.1",
        "223.255.255.255",
        "2606:4700:4700::1111",
        "2a00:1450:4001:830::200e",
    ],
)
def test_addresses_just_beside_the_special_ones_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "wall.example.org",
        "//wall.example.org/",
        "ftp://wall.example.org/",
        "file:///etc/passwd",
        "gopher://wall.example.org/",
        "javascript:alert(1)",
        "http://",
        "http:///path",
        "http://user@wall.example.org/",
        "http://user:secret@wall.example.org/",
        "http://@wall.example.org/",
        "http://wall.example.org\\@127.0.0.1/",
        "http://wall.example.org/a b",
        " http://wall.example.org/",
        "http://wall.example.org/\n",
        "http://wall.example.org/\r\nX-Evil: 1",
        "http://wall.example.org/\x00",
        "http://wall\u00a0.example.org/",
        "http://wall.example.org/\ud800",
        "http://wall.example.org:99999/",
        "http://wall.example.org:-1/",
        "http://wall.example.org:http/",
        "http://[::1/",
        "http://[::1%25eth0]/",
        "http://[127.0.0.1]/",
        "http://[v1.x]/",
        "http://wall%2eexample.org/",
        "http://wall..example.org/",
        "http://-wall.example.org/",
        "http://" + "a" * 254 + "/",
        "http://2130706433/",
        "http://017700000001/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://127.0.1/",
        "http://wall.example../",
        "http://127.0.0.0x1/",
        "http://1.2.3.4.5/",
        "http://256.1.1.1/",
        "http://wall.example.org/" + "a" * 2_048,
    ],
)
def test_addresses_that_are_not_called(url: str) -> None:
    with pytest.raises(RefusedAddress):
        parse_target(url)


@pytest.mark.parametrize(
    ("url", "called"),
    [
        ("http://wall.example.org", "http://wall.example.org/"),
        ("HTTPS://Wall.Example.ORG:443/A?b=c#d", "https://wall.example.org/A?b=c"),
        ("http://wall.example.org:8080/", "http://wall.example.org:8080/"),
        ("http://127.0.0.1:8001/x", "http://127.0.0.1:8001/x"),
        ("http://[0:0:0:0:0:0:0:1]:80/", "http://[::1]/"),
        (
            "https://bücher.example/ü?q=ü",
            "https://xn--bcher-kva.example/%C3%BC?q=%C3%BC",
        ),
        ("https://a.example/%C3%BC/%2F", "https://a.example/%C3%BC/%2F"),
        ("http://\uff11\uff12\uff17.0.0.1/", "http://127.0.0.1/"),
        ("http://wall.example./", "http://wall.example/"),
        ("https://my_host.example/", "https://my_host.example/"),
    ],
)
def test_what_is_checked_is_what_is_called(url: str, called: str) -> None:
    assert parse_target(url).url == called


def test_a_refusal_does_not_repeat_the_address() -> None:
    with pytest.raises(RefusedAddress) as caught:
        parse_target("http://user:hunter2@wall.example.org/")
    assert "hunter2" not in str(caught.value)

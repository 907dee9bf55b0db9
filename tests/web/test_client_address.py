from ipaddress import ip_address, ip_network

import pytest
from pydantic import ValidationError

from nanobanana.kit.addresses import parse_address, subnet_of
from nanobanana.settings import Settings
from nanobanana.web.client_address import client_address

PROXY, STRANGER = "10.0.0.1", "203.0.113.9"
TRUSTED = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


def seen(peer: str, *, on_fly: bool = False, **headers: str | list[str]) -> str:
    pairs = [
        (name.replace("_", "-").encode(), value.encode())
        for name, values in headers.items()
        for value in (values if isinstance(values, list) else [values])
    ]
    scope = {"type": "http", "client": (peer, 5000), "headers": pairs}
    return str(client_address(scope, trusted=TRUSTED, on_fly=on_fly))


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("1.1.1.1, 198.51.100.7", "198.51.100.7"),  # the left end is what the client made up
        ("198.51.100.7, 10.2.3.4", "198.51.100.7"),
        ("198.51.100.7,10.2.3.4 , fd00::7", "198.51.100.7"),
        ("10.9.9.9, 10.2.3.4", "10.9.9.9"),
        ("198.51.100.7, garbage", PROXY),
        ("198.51.100.7, garbage, 10.2.3.4", "10.2.3.4"),
        ("198.51.100.7,", PROXY),
        ("", PROXY),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8::7", "2001:db8::7"),
        (["1.1.1.1", "198.51.100.7"], "198.51.100.7"),
    ],
)
def test_the_header_is_read_from_the_right_up_to_the_first_stranger(
    forwarded: str | list[str], address: str
) -> None:
    assert seen(PROXY, x_forwarded_for=forwarded) == address


def test_a_stranger_is_not_believed() -> None:
    assert seen(STRANGER, x_forwarded_for="1.1.1.1", fly_client_ip="1.1.1.1") == STRANGER


def test_a_trusted_peer_is_known_in_its_ipv6_wrapping_too() -> None:
    assert seen("::ffff:10.0.0.1", x_forwarded_for="198.51.100.7") == "198.51.100.7"


def test_fly_client_ip_is_believed_from_a_trusted_peer_and_on_fly_before_x_forwarded_for() -> None:
    headers = {"fly_client_ip": "198.51.100.7", "x_forwarded_for": "198.51.100.7, 192.0.2.1"}

    assert seen(PROXY, fly_client_ip="198.51.100.7") == "198.51.100.7"
    assert seen(PROXY, fly_client_ip="garbage") == PROXY
    assert seen(PROXY, on_fly=True, **headers) == "198.51.100.7"
    assert seen(PROXY, on_fly=False, **headers) == "192.0.2.1"


def test_subnets_are_24_bits_of_ipv4_and_64_of_ipv6() -> None:
    assert subnet_of(ip_address("198.51.100.7")) == ip_network("198.51.100.0/24")
    assert subnet_of(ip_address("2001:db8:1:2:3:4:5:6")) == ip_network("2001:db8:1:2::/64")


def test_one_machine_has_one_spelling() -> None:
    assert parse_address("fe80::1%eth0") == parse_address("fe80::1") == ip_address("fe80::1")
    assert parse_address("::ffff:198.51.100.7") == ip_address("198.51.100.7")
    assert parse_address("198.51.100.7:443") is None


def test_trusted_proxies_are_addresses_and_networks_or_no_start() -> None:
    settings = Settings(trusted_proxies="10.0.0.0/8, 2001:db8::1")

    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("2001:db8::1/128"))
    with pytest.raises(ValidationError):
        Settings(trusted_proxies="10.0.0.0/33")

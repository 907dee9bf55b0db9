"""Nothing but public addresses is ever connected to, however they are written, looked up or changed."""

import asyncio
import socket
import threading
from collections.abc import Sequence
from ipaddress import ip_address, ip_network

import pytest

from nanobanana.integrations.webhooks.addresses import Guard, is_public
from nanobanana.integrations.webhooks.client import WebhookClient, open_client
from nanobanana.integrations.webhooks.errors import RefusedUrlError
from tests.receiver import receiving

LOOPBACK = (ip_network("127.0.0.0/8"),)

FORBIDDEN = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",  # metadata of Alibaba
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",  # of Azure
    "169.254.169.254",  # of nearly all others
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.9",
    "192.0.0.192",  # of Oracle
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "fc00::1",
    "fd00:ec2::254",  # metadata of Amazon
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
PUBLIC = [
    "1.1.1.1",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "169.253.255.255",
    "192.167.255.255",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "::ffff:1.1.1.1",
    "64:ff9b::101:101",
    "2002:101:101::1",
]
SPELLINGS = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f.1",
    "0x7f000001",
    "0177.0.0.1",
    "017700000001",
    "\uff11\uff12\uff17.0.0.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:0:0:1]",
    "localhost",
]
# Names, strictly speaking, which some machines look up and others do not.
WITH_A_DOT = ["127.0.0.1.", "localhost."]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_what_is_not_the_public_internet_is_refused(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_beside_it_is_not(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("host", SPELLINGS + WITH_A_DOT)
async def test_no_spelling_of_loopback_is_taken_or_connected_to(host: str) -> None:
    client = open_client(https_only=False, allowed=())
    async with receiving() as (receiver, url):
        spelled = url.replace("127.0.0.1", host)
        if host not in WITH_A_DOT:
            with pytest.raises(RefusedUrlError):
                await client.check(spelled)
        answer = await client.post(spelled, body=b"{}", headers={})
    await client.close()

    assert answer.status is None
    assert answer.problem is not None
    assert receiver.received == []


async def test_an_address_that_the_operator_allows_is_connected_to() -> None:
    client = open_client(https_only=False, allowed=LOOPBACK)
    async with receiving() as (receiver, url):
        await client.check(url)
        answer = await client.post(url, body=b"{}", headers={})
    await client.close()

    assert (answer.status, answer.problem, len(receiver.received)) == (204, None, 1)


def looking_up(*answers: Sequence[str]) -> tuple[WebhookClient, list[str]]:
    """A client for which every name leads to the first answer, then to the second, …; and the names it asked for."""
    left, asked = list(answers), []

    def lookup(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        found = left.pop(0) if len(left) > 1 else left[0]
        family = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [(family[ip_address(one).version], socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    return open_client(https_only=False, allowed=(), lookup=lookup), asked


async def test_a_name_that_is_public_when_it_is_registered_and_ours_when_it_is_sent_to_gets_nothing() -> None:
    client, asked = looking_up(["1.1.1.1"], ["127.0.0.1"])
    async with receiving() as (receiver, url):
        rebound = url.replace("127.0.0.1", "rebinding.example")
        await client.check(rebound)
        answer = await client.post(rebound, body=b"{}", headers={})
    await client.close()

    assert asked == ["rebinding.example"] * 2
    assert answer.problem == "The host leads to an address that is not public."
    assert receiver.received == []


async def test_a_name_is_not_looked_up_again_between_the_check_and_the_connection() -> None:
    """The second answer would be ours. 192.0.2.0/24 is nobody's, and allowed here to get past the first check."""
    client, asked = looking_up(["192.0.2.1"], ["127.0.0.1"])
    client._guard._allowed = (ip_network("192.0.2.0/24"),)
    connected = []

    def remember(found: tuple[object, ...]) -> socket.socket:
        connected.append(found[4])
        raise OSError("no further")

    client._http.connector._socket_factory = remember
    await client.post("http://rebinding.example:8080/", body=b"{}", headers={})
    await client.close()

    assert (asked, [place[0] for place in connected]) == (["rebinding.example"], ["192.0.2.1"])


async def test_one_forbidden_address_among_public_ones_is_one_too_many() -> None:
    client, _ = looking_up(["1.1.1.1", "2606:4700:4700::1111", "10.0.0.1"])
    with pytest.raises(RefusedUrlError):
        await client.check("http://mixed.example/")
    answer = await client.post("http://mixed.example/", body=b"{}", headers={})
    await client.close()

    assert answer.problem == "The host leads to an address that is not public."


async def test_the_socket_is_checked_whatever_the_lookup_let_through() -> None:
    client = open_client(https_only=False, allowed=())
    client._resolver._guard = Guard(LOOPBACK)
    async with receiving() as (receiver, url):
        answer = await client.post(url.replace("127.0.0.1", "localhost"), body=b"{}", headers={})
    await client.close()

    assert answer.problem == "The host leads to an address that is not public."
    assert receiver.received == []


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as (proxy, proxy_url), receiving() as (receiver, url):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy_url)
        client = open_client(https_only=False, allowed=LOOPBACK)
        await client.post(url, body=b"{}", headers={})
        await client.close()

    assert (len(proxy.received), len(receiver.received)) == (0, 1)


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("https://example.invalid/hooks?a=b", True),
        ("https://example.invalid:443/", True),
        ("https://example.invalid:1024/", True),
        ("https://example.invalid:65535/", True),
        ("https://example.invalid:1023/", False),
        ("https://example.invalid:25/", False),
        ("https://example.invalid:0/", False),
        ("https://example.invalid:65536/", False),
        ("http://example.invalid/", False),
        ("ftp://example.invalid/", False),
        ("//example.invalid/", False),
        ("https:///hooks", False),
        ("https://ada:secret@example.invalid/", False),
        ("https://example.invalid/#here", False),
        ("example.invalid", False),
        ("", False),
    ],
)
async def test_a_url_is_https_to_a_host_on_a_port_of_the_web(url: str, *, taken: bool) -> None:
    client, _ = looking_up(["1.1.1.1"])
    client._https_only = True
    try:
        await client.check(url)
        was_taken = True
    except RefusedUrlError:
        was_taken = False
    await client.close()

    assert was_taken is taken


async def test_http_is_taken_where_the_operator_is_the_developer() -> None:
    client, _ = looking_up(["1.1.1.1"])
    await client.check("http://example.invalid/")
    await client.close()


@pytest.mark.parametrize("slow", ["deliveries", "checks"])
async def test_names_that_are_looked_up_slowly_keep_only_their_own_kind_waiting(slow: str) -> None:
    go_on = threading.Event()

    def lookup(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        if host.startswith("slow"):
            go_on.wait(20)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    client = open_client(https_only=False, allowed=(), lookup=lookup)
    urls = [f"http://slow-{number}.example/" for number in range(100)]
    waiting = [
        asyncio.create_task(
            client.post(url, body=b"{}", headers={}) if slow == "deliveries" else client.check(url)
        )
        for url in urls
    ]
    await asyncio.sleep(0.1)
    async with asyncio.timeout(2):  # the address that was found is refused
        if slow == "deliveries":
            with pytest.raises(RefusedUrlError):
                await client.check("http://quick.example/")
        else:
            answer = await client.post("http://quick.example/", body=b"{}", headers={})
            assert answer.problem == "The host leads to an address that is not public."
    go_on.set()
    await asyncio.gather(*waiting, return_exceptions=True)
    await client.close()

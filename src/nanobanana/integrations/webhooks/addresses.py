"""Where a webhook may lead: to public addresses, by whatever name or spelling.

A name is looked up once for a connection, and the very addresses that were found are checked and connected to: one
that answers differently the second time is not asked a second time.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any

from aiohttp import AddrInfoType
from aiohttp.abc import AbstractResolver, ResolveResult

from nanobanana.integrations.webhooks.errors import RefusedAddressError
from nanobanana.kit.addresses import IPAddress, IPNetwork, parse_address

# As socket.getaddrinfo answers.
Lookup = Callable[..., Sequence[Any]]

# Under which a gateway reaches IPv4.
_NAT64 = ip_network("64:ff9b::/96")
# All of IPv6 that is given out to the world so far.
_GLOBAL_UNICAST = ip_network("2000::/3")
# What the registries call global and is not the world: relays of old transition schemes, and the address under which
# Azure answers its own machines.
_REFUSED = tuple(ip_network(text) for text in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32"))


def is_public(address: IPAddress) -> bool:
    address = _inside(address)
    return (
        address.is_global
        and not address.is_multicast
        and (address.version == 4 or address in _GLOBAL_UNICAST)
        and not any(address in network for network in _REFUSED)
    )


def _inside(address: IPAddress) -> IPAddress:
    """The IPv4 address that an IPv6 address stands for, else itself."""
    if not isinstance(address, IPv6Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


class Guard:
    """Lets connections through to public addresses and to the networks that the operator allows."""

    def __init__(self, allowed: Sequence[IPNetwork] = ()) -> None:
        self._allowed = allowed

    def check(self, text: str) -> None:
        """Raises RefusedAddressError."""
        address = parse_address(text)
        if address is None or not (
            is_public(address) or any(address in network for network in self._allowed)
        ):
            raise RefusedAddressError

    def open_socket(self, found: AddrInfoType) -> socket.socket:
        """For the address that is connected to next; also for those that stand in the URL and are not looked up."""
        family, kind, protocol, _, place = found
        self.check(str(place[0]))
        return socket.socket(family, kind, protocol)


class GuardedResolver(AbstractResolver):
    """A name with one forbidden address among others is refused altogether. A lookup holds a thread for as long as a
    name server likes: `lookups_at_once` are this resolver's own, so that those who wait here keep nobody else waiting."""

    def __init__(self, guard: Guard, lookup: Lookup = socket.getaddrinfo, *, lookups_at_once: int) -> None:
        self._guard = guard
        self._lookup = lookup
        self._threads = ThreadPoolExecutor(lookups_at_once, thread_name_prefix="webhook_lookup")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        ask = partial(self._lookup, host, port, family=family, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        for *_, place in found:
            self._guard.check(str(place[0]))
        return [
            ResolveResult(
                hostname=host,
                host=str(place[0]),
                port=port,
                family=family,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for family, _, protocol, _, place in found
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

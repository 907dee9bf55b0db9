"""Who a request comes from, when it may have come through proxies."""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import Scope

from nanobanana.kit.addresses import IPAddress, IPNetwork, parse_address

_UNKNOWN = parse_address("0.0.0.0")  # noqa: S104 - nobody's, not bound to


def client_address(scope: Scope, *, trusted: Sequence[IPNetwork], on_fly: bool = False) -> IPAddress:
    """The peer's address, unless the peer is a trusted proxy: only then can headers tell more.

    `X-Forwarded-For` goes first, because a proxy that writes it may hand a forged `Fly-Client-IP` through. Not on
    Fly, whose proxy writes both and puts an address of its own at the right end.
    """
    peer = parse_address((scope.get("client") or ("", 0))[0]) or _UNKNOWN
    assert peer is not None  # noqa: S101 - a constant
    if not _is_in(peer, trusted):
        return peer
    headers = Headers(scope=scope)
    forwarded = ",".join(headers.getlist("x-forwarded-for"))
    if forwarded and not on_fly:
        return _walk(forwarded.split(","), proxy=peer, trusted=trusted)
    return parse_address(headers.get("fly-client-ip", "")) or peer


def _walk(hops: Sequence[str], *, proxy: IPAddress, trusted: Sequence[IPNetwork]) -> IPAddress:
    """From the right, where the nearest proxy wrote, to the first that is no proxy of ours: anything to the left of
    it is what a stranger says. Behind garbage the proxy that wrote it is the last address known."""
    for hop in reversed(hops):
        address = parse_address(hop.strip())
        if address is None:
            return proxy
        if not _is_in(address, trusted):
            return address
        proxy = address
    return proxy


def _is_in(address: IPAddress, networks: Sequence[IPNetwork]) -> bool:
    return any(address in network for network in networks)

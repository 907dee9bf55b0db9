"""Internet addresses, one spelling each."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

# What one household, server or small company usually holds: within it, addresses are changed at no cost.
_PREFIX_LENGTHS = {4: 24, 6: 64}


@lru_cache(maxsize=4_096)  # reading one costs 5 us, and most requests come from where others came from
def parse_address(text: str) -> IPAddress | None:
    """None for what is no address. IPv4 wrapped in IPv6 is IPv4, and the name of a network card is left out:
    one machine must not count as two."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    return address.ipv4_mapped or IPv6Address(int(address))


def subnet_of(address: IPAddress) -> IPNetwork:
    return ip_network((address, _PREFIX_LENGTHS[address.version]), strict=False)

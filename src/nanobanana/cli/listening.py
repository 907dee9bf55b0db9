"""Sockets that the supervisor listens on for its children: they outlive a child, and no port is ever raced for."""

import errno
import socket

from nanobanana.cli.configuration import StartError

_BACKLOG = 4096  # a thousand callers may come in the same instant


def listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        raise StartError(_sentence(error, host, port)) from None


def loopback_address(listener: socket.socket) -> tuple[str, int]:
    """How this machine reaches it: an address that stands for all of them becomes the loopback's."""
    host, port = listener.getsockname()[:2]
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port  # noqa: S104  compared, not bound


def url_of(listener: socket.socket) -> str:
    host, port = loopback_address(listener)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _sentence(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken by another program: choose another with --port, or --port 0."
    if error.errno == errno.EACCES:
        return f"Port {port} needs rights that this user lacks: choose one above 1023 with --port."
    return f"Cannot listen on {host}, port {port}: {error.strerror}."

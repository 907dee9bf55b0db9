"""Finds out when the service answers, without ever blocking for long."""

import contextlib
import socket

_WAIT_S = 0.05


class HealthProbe:
    """One request at a time: until a web process takes it, it waits in the listening socket's queue."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._connection: socket.socket | None = None

    def answered(self) -> bool:
        """Whether /healthz has said 200 by now."""
        with contextlib.suppress(TimeoutError):
            try:
                answer = self._ask().recv(64)
            except ConnectionError:
                answer = b""
            self.close()
            return b" 200 " in answer
        return False

    def close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    def _ask(self) -> socket.socket:
        if self._connection is None:
            self._connection = socket.create_connection(self._address, timeout=1)
            self._connection.settimeout(_WAIT_S)
            self._connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return self._connection

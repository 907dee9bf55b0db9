"""`python -m nanobanana_sandbox`: the sandbox as a process of its own."""

import argparse
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress

from nanobanana_sandbox import scenarios
from nanobanana_sandbox.config import Latency, SandboxConfig
from nanobanana_sandbox.server import create_server, listen


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    if options.list_scenarios:
        sys.stdout.write(scenarios.as_markdown())
        return
    listener = (
        socket.socket(fileno=options.fd) if options.fd is not None else listen(options.host, options.port)
    )
    host, port = listener.getsockname()[:2]
    # Whoever asked for port 0 reads the address here.
    sys.stdout.write(f"sandbox listening on http://{host}:{port}\n")
    sys.stdout.flush()
    # uvicorn raises Ctrl-C again when it has drained.
    with suppress(KeyboardInterrupt):
        create_server(_config(options)).run(sockets=[listener])


def _config(options: argparse.Namespace) -> SandboxConfig:
    return SandboxConfig(
        api_keys=tuple(key.strip() for key in options.api_keys.split(",") if key.strip()),
        latency=options.latency,
        thought_signature_bytes=options.thought_signature_bytes,
        imagen=options.imagen,
        requests_per_minute=options.requests_per_minute,
        requests_per_day=options.requests_per_day,
        picture_cache_bytes=options.picture_cache_bytes,
    )


def _parser() -> argparse.ArgumentParser:
    default = SandboxConfig()
    parser = argparse.ArgumentParser(
        prog="nanobanana_sandbox", description="Stands in for Google's image API."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8090, help="0 takes a free one and prints it")
    parser.add_argument(
        "--fd", type=int, help="an inherited socket that listens already, instead of host and port"
    )
    parser.add_argument(
        "--api-keys", default=",".join(default.api_keys), help="a comma list; * at the end matches any"
    )
    parser.add_argument(
        "--latency", type=Latency.parse, default=default.latency, metavar="SECONDS", help="as in 2.5 or 15-40"
    )
    parser.add_argument("--thought-signature-bytes", type=int, default=default.thought_signature_bytes)
    parser.add_argument(
        "--imagen", action="store_true", help="revive the Imagen models that were shut down in 2026"
    )
    parser.add_argument("--requests-per-minute", type=int, help="quota of each key; none by default")
    parser.add_argument("--requests-per-day", type=int, help="quota of each key; none by default")
    parser.add_argument("--picture-cache-bytes", type=int, default=default.picture_cache_bytes)
    parser.add_argument(
        "--list-scenarios", action="store_true", help="print the table of scenarios as Markdown"
    )
    return parser


if __name__ == "__main__":
    main()

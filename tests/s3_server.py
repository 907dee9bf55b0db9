"""moto as the S3 of a test run, in a process of its own that checks all signatures.

moto checks those in headers and stumbles over links: they are checked here, then go to it signed in its way. So does what
is asked for under `/public/`, where everybody may read, as by a public domain. `PUT /bucket` makes a bucket.
"""

import select
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs
from urllib.request import Request, urlopen

ACCESS_KEY_ID, SECRET_ACCESS_KEY = "AKIAOFTHETESTS000000", "a secret access key of the tests"

_OWNER = "123456789012"
_REGION = "auto"
_LONGEST_S = 604_800


@contextmanager
def running_s3() -> Iterator[str]:
    """Its address. It takes memory and a second only once somebody connects."""
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        command = [sys.executable, "-m", "tests.s3_server", str(listening.fileno())]
        process = subprocess.Popen(command, pass_fds=[listening.fileno()], stderr=subprocess.DEVNULL)
    try:
        yield url
    finally:
        process.kill()
        process.wait()


def make_bucket(url: str, name: str) -> None:
    with urlopen(Request(f"{url}/{name}", method="PUT"), timeout=60):
        pass


def serve(descriptor: int) -> None:
    select.select([descriptor], [], [])
    from moto import settings  # noqa: PLC0415
    from moto.iam import iam_backends  # noqa: PLC0415
    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415
        DomainDispatcherApplication,
        create_backend_app,
    )
    from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: PLC0415

    class Handler(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

    backend = iam_backends[_OWNER]["aws"]
    backend.create_user("aws", "tests")
    key = backend.create_access_key("tests")
    key.access_key_id, key.secret_access_key = ACCESS_KEY_ID, SECRET_ACCESS_KEY
    everything = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'
    backend.put_user_policy("tests", "everything", everything)
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    application = _Door(DomainDispatcherApplication(create_backend_app))
    make_server(
        "127.0.0.1", 0, application, threaded=True, request_handler=Handler, fd=descriptor
    ).serve_forever()


class _Door:
    def __init__(self, application: Any) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path, query = environ["PATH_INFO"], parse_qs(environ["QUERY_STRING"])
        if environ["REQUEST_METHOD"] == "PUT" and path.count("/") == 1:
            _make_bucket(path[1:])
            start_response("200 OK", [("Content-Length", "0")])
            return []
        if "X-Amz-Signature" in query:
            if not _is_valid(environ, {name: values[0] for name, values in query.items()}):
                start_response("403 Forbidden", [("Content-Length", "0")])
                return []
            _sign(environ, path)
        elif path.startswith("/public/"):
            _sign(environ, path.removeprefix("/public"))
        return self._application(environ, start_response)  # type: ignore[no-any-return]


def _make_bucket(name: str) -> None:
    from moto.s3 import s3_backends  # noqa: PLC0415

    s3_backends[_OWNER]["aws"].create_bucket(name, "us-east-1")


def _credentials() -> Any:
    from botocore.credentials import Credentials  # noqa: PLC0415

    return Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY)


def _is_valid(environ: dict[str, Any], link: dict[str, str]) -> bool:
    """By botocore's way to sign one at the same moment."""
    from botocore.auth import S3SigV4QueryAuth  # noqa: PLC0415
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415

    signed_at, lifetime_s = datetime.fromisoformat(link["X-Amz-Date"]), int(link["X-Amz-Expires"])
    if lifetime_s > _LONGEST_S or signed_at + timedelta(seconds=lifetime_s) < datetime.now(UTC):
        return False
    auth = S3SigV4QueryAuth(_credentials(), "s3", _REGION, expires=lifetime_s)
    url = f"http://{environ['HTTP_HOST']}{environ['PATH_INFO']}"
    unsigned = "&".join(
        f"{name}={value}"
        for name, value in (pair.split("=") for pair in environ["QUERY_STRING"].split("&"))
        if name != "X-Amz-Signature"
    )
    request = AWSRequest(method=environ["REQUEST_METHOD"], url=f"{url}?{unsigned}")
    request.headers["host"] = environ["HTTP_HOST"]
    request.context["timestamp"] = link["X-Amz-Date"]
    text = auth.string_to_sign(request, auth.canonical_request(request))
    return bool(auth.signature(text, request) == link["X-Amz-Signature"])


def _sign(environ: dict[str, Any], path: str) -> None:
    from botocore.auth import S3SigV4Auth  # noqa: PLC0415
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415

    request = AWSRequest(method=environ["REQUEST_METHOD"], url=f"http://{environ['HTTP_HOST']}{path}")
    S3SigV4Auth(_credentials(), "s3", _REGION).add_auth(request)
    environ.update(PATH_INFO=path, RAW_URI=path, REQUEST_URI=path, QUERY_STRING="")
    for name, value in request.headers.items():
        environ[f"HTTP_{name.upper().replace('-', '_')}"] = value


if __name__ == "__main__":
    serve(int(sys.argv[1]))

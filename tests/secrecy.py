"""Looks for secrets in the clear in everything that a test brought about: answers, log lines, rows."""

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from httpx2 import RequestNotRead, Response

from tests.rows import rows_of_all_tables

_SHAPES = {
    "key": re.compile(r"nb_(?:live|test)_[0-9A-Za-z]{20,}"),
    "session": re.compile(r"nb_session_[\w-]{20,}"),
    "webhook secret": re.compile(r"whsec_[0-9A-Za-z+/=]{20,}"),
    "password hash": re.compile(r"\$argon2\w+\$\S+"),
}
# Fields of requests. Shorter values are refused by the service and may be any word.
_FIELDS = {"password": "password", "current_password": "password", "token": "token"}
_SHORTEST = 10
_IN_MAILS = {"token": re.compile(r"token=([\w-]{20,})"), "code": re.compile(r"^ +(\d{6})\r?$", re.MULTILINE)}

# What the body of which answer is for.
_MAY_SHOW = {
    "key": re.compile(
        r"POST (/v1/auth/register|/register(/code)?|(/v1/auth)?/verify-email|(/v1)?/keys(/[^/]+/rotate)?)"
    ),
    "webhook secret": re.compile(r"POST (/v1)?/webhooks(/[^/]+/rotate-secret)?"),
    "session": re.compile(r"POST /v1/auth/(login|verify-email)"),
    # The pages behind the links hold their token for the button; /dev/mail is where a developer reads mails.
    "token": re.compile(r"(GET|POST) /(verify-email|confirm-email|reset-password)|GET /dev/mail.*"),
    "code": re.compile(r"GET /dev/mail.*"),
}
# Pages keep their session in a cookie.
_SETS_COOKIE = re.compile(r"POST /(login|register(/code)?|verify-email)")
_SHOWN_ONCE = {"key", "session", "webhook secret"}


class _Sight(NamedTuple):
    place: str
    text: str
    may_show: frozenset[str] = frozenset()


class Watch:
    """What one test got to see, and the secrets that came up in it."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self._sights: list[_Sight] = []
        self._known: dict[str, str] = {}

    def saw_answer(self, response: Response) -> None:
        request = response.request
        place = f"{request.method} {request.url.path}"
        with suppress(RequestNotRead):
            self._learn_from_fields([*_fields(request.content), *request.url.params.multi_items()])
        cookie = frozenset({"session"} if _SETS_COOKIE.fullmatch(place) else ())
        self._sights.append(_Sight(f"the headers of {place}", str(response.headers.multi_items()), cookie))
        if not response.headers.get("content-type", "").startswith("image/"):
            may_show = frozenset(kind for kind, places in _MAY_SHOW.items() if places.fullmatch(place))
            self._sights.append(_Sight(f"the body of {place}", response.text, may_show))

    def saw_mail(self, text: str) -> None:
        """A mail itself may say everything; what it says may stand nowhere else."""
        for kind, shape in _IN_MAILS.items():
            self._known |= dict.fromkeys(shape.findall(text), kind)

    def saw_written(self, text: str, *, by: str) -> None:
        self._sights.append(_Sight(f"what {by} wrote", text))

    def saw_logs(self, data_dir: Path) -> None:
        for log in (data_dir / "logs").glob("*.log"):
            self.saw_written(log.read_text(errors="replace"), by=log.name)

    def saw_database(self, url: str) -> None:
        for table, row in rows_of_all_tables(url):
            if table == "development_mails":
                self.saw_mail(json.loads(row)["text"])
                continue
            # Hashes have their place in columns, and only there.
            columns = json.loads(row)
            for name in [name for name in columns if name.endswith("hash")]:
                self._learn_hash(columns.pop(name))
            self._sights.append(_Sight(f"the table {table}", json.dumps(columns, ensure_ascii=False)))

    def leaks(self) -> list[str]:
        """What stands where it must not, without saying it."""
        leaks, shown = set(), set()
        for place, text, may_show in self._sights:
            for kind, secret in self._secrets_in(text):
                if kind not in may_show or (kind in _SHOWN_ONCE and secret in shown):
                    leaks.add(f"a {kind} in {self.masked(place)}")
            shown |= {secret for _, secret in self._secrets_in(text)}
        return sorted(leaks)

    def masked(self, text: str) -> str:
        for _, secret in self._secrets_in(text):
            text = text.replace(secret, "[hidden]")
        return text

    def _secrets_in(self, text: str) -> set[tuple[str, str]]:
        shaped = {(kind, secret) for kind, shape in _SHAPES.items() for secret in shape.findall(text)}
        return shaped | {(kind, secret) for secret, kind in self._known.items() if _stands_in(text, secret)}

    def _learn_from_fields(self, fields: Iterable[tuple[str, Any]]) -> None:
        for name, value in fields:
            if name in _FIELDS and isinstance(value, str) and len(value) >= _SHORTEST:
                self._known[value] = _FIELDS[name]
                self._known[value.encode().hex()] = _FIELDS[name]

    def _learn_hash(self, value: str | None) -> None:
        """`value` as PostgreSQL writes bytes, or a password's hash, which its shape gives away."""
        if value and value.startswith(r"\x"):
            hash = bytes.fromhex(value[2:])
            self._known |= {hash.hex(): "hash", repr(hash)[2:-1]: "hash"}


def _fields(body: bytes) -> Iterable[tuple[str, Any]]:
    """Of JSON or of a form; of anything else none."""
    with suppress(ValueError):
        text = body.decode()
        if not text.startswith("{"):
            return parse_qsl(text)
        fields: dict[str, Any] = json.loads(text)
        return fields.items()
    return ()


def _stands_in(text: str, secret: str) -> bool:
    if len(secret) > 6:
        return secret in text
    # A code of six digits may be part of a number by chance, but hardly be one.
    return bool(re.search(rf"(?<![\w.:-]){secret}(?![\w.:-])", text))


# Of the test that runs.
watch = Watch()

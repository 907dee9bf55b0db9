"""The settings of a key as a form has them, both ways: texts, boxes, and an emptied field where there is no limit."""

from datetime import UTC
from typing import TypedDict

from nanobanana.domain.api_keys.types import ApiKey
from nanobanana.web.api.schemas.api_keys import ApiKeyChanges, NewApiKey, Rotation
from nanobanana.web.dashboard.forms import Form, FormLists, checked, whole_number


class KeyForm(TypedDict):
    name: str
    mode: str
    monthly_image_cap: str
    images_per_hour: str
    scopes: list[str]
    # One a line.
    allowed_addresses: str
    # A day.
    expires_at: str


EMPTY = KeyForm(
    name="",
    mode="live",
    monthly_image_cap="",
    images_per_hour="",
    scopes=["generate", "read", "usage"],
    allowed_addresses="",
    expires_at="",
)

# By seconds, when the text before a rotation ends.
OVERLAPS = {"0": "at once", "3600": "in an hour", "86400": "in a day", "604800": "in 7 days"}


def typed(lists: FormLists) -> KeyForm:
    """Without the empty lines among the addresses, whose problems are told by line."""

    def one(name: str) -> str:
        return lists.get(name, [""])[0].strip()

    lines = [line.strip() for line in one("allowed_addresses").splitlines()]
    return KeyForm(
        name=one("name"),
        mode=one("mode"),
        monthly_image_cap=one("monthly_image_cap"),
        images_per_hour=one("images_per_hour"),
        scopes=lists.get("scopes", []),
        allowed_addresses="\n".join(line for line in lines if line),
        expires_at=one("expires_at"),
    )


def present(api_key: ApiKey) -> KeyForm:
    return KeyForm(
        name=api_key.name,
        mode=api_key.mode,
        monthly_image_cap=str(api_key.monthly_image_cap or ""),
        images_per_hour=str(api_key.images_per_hour or ""),
        scopes=list(api_key.scopes),
        allowed_addresses="\n".join(api_key.allowed_addresses or ()),
        expires_at=_day_of_expiry(api_key),
    )


def new_key(form: KeyForm) -> NewApiKey:
    return checked(NewApiKey, {**_settings(form), "mode": form["mode"]})


def changes(form: KeyForm, *, before: ApiKey) -> ApiKeyChanges:
    settings = _settings(form)
    if before.mode == "test":
        # Its page does not ask for them.
        del settings["monthly_image_cap"], settings["images_per_hour"]
    if form["expires_at"] == _day_of_expiry(before):
        # The field has no hour: it stays as it is, also when it is past.
        del settings["expires_at"]
    return checked(ApiKeyChanges, settings)


def rotation(form: Form) -> Rotation:
    return checked(Rotation, {"overlap_seconds": whole_number(form.get("overlap_seconds", ""))})


def _settings(form: KeyForm) -> dict[str, object]:
    return {
        "name": form["name"],
        "monthly_image_cap": whole_number(form["monthly_image_cap"]),
        "images_per_hour": whole_number(form["images_per_hour"]),
        "scopes": form["scopes"],
        "allowed_addresses": form["allowed_addresses"].splitlines() or None,
        "expires_at": form["expires_at"] or None,
    }


def _day_of_expiry(api_key: ApiKey) -> str:
    return api_key.expires_at.astimezone(UTC).date().isoformat() if api_key.expires_at else ""

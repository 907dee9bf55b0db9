"""What the pages say that the code decides: read from it, so that no number stands twice."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel

from nanobanana.domain.accounts.ceilings import PER_MAILBOX_AND_MONTH
from nanobanana.domain.accounts.throttle import LIMITS
from nanobanana.domain.api_keys.service import MAX_KEYS
from nanobanana.domain.generation import magic_words, rules
from nanobanana.domain.generation.service import LOOKED_AT
from nanobanana.domain.generation.speed_limits import TEST_IMAGES_PER_HOUR
from nanobanana.domain.generation.types import Size
from nanobanana.domain.images import headers as image_headers
from nanobanana.domain.images.repository import KEPT_S
from nanobanana.domain.images.rules import THUMBNAIL_SIDE
from nanobanana.domain.images.types import ImageFormat
from nanobanana.domain.plans.rules import DEFAULT_PLANS, read_plans
from nanobanana.domain.registration.repository import CODE_LIFETIME, TRIES
from nanobanana.domain.sessions.repository import IDLE
from nanobanana.domain.sessions.service import LIFETIME
from nanobanana.domain.surges import rules as surges
from nanobanana.domain.webhooks import rules as webhooks
from nanobanana.domain.webhooks.delivery_repository import KEPT
from nanobanana.domain.webhooks.dispatcher import PATIENCE
from nanobanana.domain.webhooks.service import MAX_WEBHOOKS, OVERLAP
from nanobanana.errors import NanoBananaError
from nanobanana.integrations.webhooks.client import TIMEOUT_S
from nanobanana.settings import Settings
from nanobanana.web.api import generate, usage
from nanobanana.web.api.schemas.api_keys import Rotation
from nanobanana.web.api.schemas.generations import NewGeneration
from nanobanana.web.middleware.body_limit import LIMIT


def facts(settings: Settings) -> Mapping[str, Any]:
    return {
        "settings": settings,
        "plans": read_plans(settings.plans_file or DEFAULT_PLANS).values(),
        "sizes": get_args(Size),
        "formats": get_args(ImageFormat),
        "prompt_length": _field(NewGeneration, "prompt")["maxLength"],
        "artistic": rules.directed("", "artistic").strip(),
        "wait_s": generate.DEFAULT_WAIT_S,
        "longest_wait_s": generate.LONGEST_WAIT_S,
        "looked_at": LOOKED_AT,
        "most_keys": MAX_KEYS,
        "overlap_s": Rotation().overlap_seconds,
        "longest_overlap_s": _field(Rotation, "overlap_seconds")["maximum"],
        "code_s": CODE_LIFETIME.total_seconds(),
        "code_tries": TRIES,
        "per_mailbox": max(1, int(PER_MAILBOX_AND_MONTH * settings.throttle_scale)),
        "session_s": LIFETIME.total_seconds(),
        "session_idle_s": IDLE.total_seconds(),
        "test_images_per_hour": TEST_IMAGES_PER_HOUR,
        "magic_refusals": list(_refusals()),
        "magic_outcomes": list(_outcomes()),
        "slow_s": magic_words.SLOW_DEFAULT_S,
        "slowest_s": magic_words.SLOWEST_S,
        "surge_times": surges.TIMES_USUAL,
        "surge_images": surges.FEWEST_IMAGES,
        "thumbnail_side": THUMBNAIL_SIDE,
        "cached_s": image_headers.LONGEST_S,
        "without_store_s": KEPT_S,
        "most_webhooks": MAX_WEBHOOKS,
        "webhook_waits_s": webhooks.WAITS_S,
        "webhook_timeout_s": TIMEOUT_S,
        "webhook_rest_s": webhooks.LONGEST_REST_S,
        "webhook_patience_s": PATIENCE.total_seconds(),
        "webhook_overlap_s": OVERLAP.total_seconds(),
        "deliveries_s": KEPT.total_seconds(),
        "usage_days": usage.LONGEST.days,
        "body_bytes": LIMIT,
        "throttles": list(_throttles(settings.throttle_scale)),
    }


def _field(schema: type[BaseModel], name: str) -> Mapping[str, Any]:
    field: Mapping[str, Any] = schema.model_json_schema()["properties"][name]
    return field


def errors() -> Mapping[str, type[NanoBananaError]]:
    """By code, one for each: by status, then by name."""
    found: dict[str, type[NanoBananaError]] = {}
    for error in _family(NanoBananaError):
        found.setdefault(error.code, error)
    return dict(sorted(found.items(), key=lambda item: (item[1].status, item[0])))


def _family(error: type[NanoBananaError]) -> Iterator[type[NanoBananaError]]:
    yield error
    for child in error.__subclasses__():
        yield from _family(child)


def _refusals() -> Iterator[Mapping[str, Any]]:
    for word, make in magic_words.REFUSALS.items():
        error = make()
        headers = {name: value for name, value in error.headers.items() if name != "WWW-Authenticate"}
        yield {"word": word, "error": error, "headers": headers}


def _outcomes() -> Iterator[Mapping[str, Any]]:
    for word, outcome in magic_words.OUTCOMES.items():
        yield {"word": word, "error": errors()[outcome.error_code], "state": outcome.state}


_ACTIONS = {
    "register": "Registering",
    "login": "Logging in",
    "forgot_password": "Asking for a new password",
    "verify_email": "Codes and links of mails",
    "reset_password": "Setting the new password",
    "current_password": "Confirming the password",
    "export": "Exports",
    "webhook_change": "New and changed webhooks",
    "webhook_send": "Webhook tests and replays",
}


def _throttles(scale: float) -> Iterator[Mapping[str, Any]]:
    """What one meets alone; what everybody meets together is no figure to plan with."""
    for action, scopes in LIMITS.items():
        windows = {
            scope: [(max(1, int(tokens * scale)), window_s) for tokens, window_s in limits]
            for scope, limits in scopes.items()
        }
        yield {
            "action": _ACTIONS.get(action, action.replace("_", " ").capitalize()),
            "address": windows.get("address", []),
            "subnet": windows.get("subnet", []),
            "account": windows.get("account_from_subnet") or windows.get("account", []),
        }

"""How often the doors that need no key may be knocked at, and what a session asks for that is dear."""

from collections.abc import Iterator
from typing import Literal

from nanobanana.domain.accounts.rules import fold_email, fold_mailbox
from nanobanana.domain.limits.errors import RateLimitedError
from nanobanana.domain.limits.rules import rate_limit_headers
from nanobanana.domain.limits.service import Limiter
from nanobanana.domain.limits.types import Limit
from nanobanana.kit.addresses import IPAddress, subnet_of
from nanobanana.metrics import THROTTLED

Action = Literal[
    "register",
    "login",
    "forgot_password",
    "verify_email",
    "reset_password",
    "current_password",
    "export",
    "webhook_change",
    "webhook_send",
    "try",
    "try_picture",
]

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400

# (tokens, seconds) per action and whom they count for. Right and wrong passwords count alike: whether a password was
# right is known only after the work that is to be saved.
#
# address   a person who forgot which password it was, and an office at nine o'clock; a guesser is slowed to 60 an hour.
# subnet    about three addresses' worth: to use all 256 of a /24 gains nothing.
# account_from_subnet   what a guesser meets first: 10 tries, then a quarter of an hour. It belongs to one account and
#           one subnet, so that nobody who guesses elsewhere can lock the owner out.
# account   above what 50 subnets at once may do (500, 2,500), so that the owner still gets in beside them. Guessing
#           from more subnets than 60 locks an account's login (its keys and sessions go on): 3,000 guesses a day are
#           the most against any password.
# global    what argon2 may cost: 600 logins a minute are a quarter of a server core, and one core of a Raspberry Pi 4.
#           Since nothing is kept of a refused request, it bounds the memory in Redis as well.
LIMITS: dict[Action, dict[str, tuple[tuple[int, int], ...]]] = {
    "login": {
        "address": ((10, _MINUTE), (60, _HOUR)),
        "subnet": ((30, _MINUTE), (180, _HOUR)),
        "account_from_subnet": ((10, 15 * _MINUTE), (50, _DAY)),
        "account": ((600, 15 * _MINUTE), (3_000, _DAY)),
        "global": ((600, _MINUTE),),
    },
    "register": {
        "address": ((10, _HOUR), (30, _DAY)),
        "subnet": ((30, _HOUR), (100, _DAY)),
        "account": ((5, _HOUR),),  # with mail set up, each is a mail to somebody who may not have asked
        "global": ((120, _MINUTE), (2_000, _HOUR)),
    },
    "forgot_password": {
        "address": ((10, _HOUR),),
        "subnet": ((30, _HOUR),),
        "account": ((3, _HOUR), (10, _DAY)),  # each is a mail
        "global": ((120, _MINUTE),),
    },
    # Codes have six digits and end after a handful of wrong ones: these only bound the work.
    "verify_email": {
        "address": ((10, _MINUTE), (60, _HOUR)),
        "subnet": ((30, _MINUTE), (180, _HOUR)),
        "account_from_subnet": ((10, 15 * _MINUTE),),
        "account": ((600, 15 * _MINUTE),),
        "global": ((600, _MINUTE),),
    },
    "reset_password": {
        "address": ((10, _MINUTE), (60, _HOUR)),
        "subnet": ((30, _MINUTE), (180, _HOUR)),
        "global": ((600, _MINUTE),),
    },
    # Whoever has found a session may guess the password behind it. Nobody else is in the owner's way here, so that the
    # account's limit can be low; a reset by mail helps the owner past it, and ends the session.
    "current_password": {
        "address": ((10, _MINUTE), (60, _HOUR)),
        "subnet": ((30, _MINUTE), (180, _HOUR)),
        "account_from_subnet": ((10, 15 * _MINUTE), (50, _DAY)),
        "account": ((30, 15 * _MINUTE), (150, _DAY)),
        "global": ((600, _MINUTE),),
    },
    # Each reads all that the account ever made.
    "export": {
        "account": ((10, _HOUR),),
        "global": ((120, _MINUTE),),
    },
    # New endpoints and changed ones: a lookup of a name that the caller chooses, whose server may take its time.
    "webhook_change": {
        "account": ((20, _MINUTE), (200, _DAY)),
        "global": ((300, _MINUTE),),
    },
    # Tests and replays: a POST of ours to a server that the caller names.
    "webhook_send": {
        "account": ((60, _MINUTE), (1_000, _DAY)),
        "global": ((600, _MINUTE),),
    },
    # The example on the landing page, for whoever has no account: a key costs a minute and has no such limits.
    "try": {
        "address": ((5, _HOUR),),
        "subnet": ((20, _HOUR),),
        "global": ((60, _MINUTE), (1_000, _HOUR)),
    },
    # Its pictures, each drawn anew for whoever has the address; browsers keep it.
    "try_picture": {
        "address": ((20, _HOUR),),
        "subnet": ((80, _HOUR),),
        "global": ((120, _MINUTE), (2_000, _HOUR)),
    },
}

_REFUSALS: dict[Action, str] = {"try": "That is all there is to try without an account for now."}


class Throttle:
    def __init__(self, limiter: Limiter, *, scale: float) -> None:
        self._limiter = limiter
        self._scale = scale

    async def take(
        self, action: Action, *, address: IPAddress, email: str | None = None, account_id: str | None = None
    ) -> int:
        """How many more are left for now. Raises RateLimitedError when it is too often. Comes before anything that costs:
        argon2, the database.

        The account is named by its id where a session tells, else by the address that somebody says is theirs."""
        # Mails to one mailbox are not multiplied by its spellings.
        fold = fold_mailbox if action == "register" else fold_email
        account = account_id or (fold(email) if email else "")
        verdict = await self._limiter.take(list(self._limits(action, address, account)))
        if not verdict.allowed:
            tightest = verdict.tightest
            THROTTLED.labels(tightest.limit.name).inc()
            raise RateLimitedError(
                _REFUSALS.get(action, "Too many requests."),
                retry_after_s=verdict.retry_after_s,
                headers=rate_limit_headers([tightest]),
            )
        return min(window.remaining for window in verdict.windows)

    def _limits(self, action: Action, address: IPAddress, account: str) -> Iterator[Limit]:
        subnet = str(subnet_of(address))
        subjects = {
            "address": str(address),
            "subnet": subnet,
            "account_from_subnet": f"{account} {subnet}",
            "account": account,
            "global": "",
        }
        for scope, windows in LIMITS[action].items():
            if scope.startswith("account") and not account:
                continue  # a link names nobody, and nobody guesses its token
            for tokens, window_s in windows:
                yield Limit(
                    name=f"{action}_{scope}",
                    subject=subjects[scope],
                    tokens=max(1, int(tokens * self._scale)),
                    window_s=window_s,
                )

"""What admission and settlement must come to, written down without a thought of speed: sums over all orders."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from nanobanana.domain.generation.types import Generation

# By plan: images a month, and micro-dollars an image.
PLANS: dict[str, tuple[int | None, int]] = {"free": (4, 0), "hobby": (3, 0), "payg": (None, 20_000)}
FREE_IMAGES_PER_DAY = 3
OPEN = {"running", "succeeded"}


@dataclass
class Account:
    id: str
    plan: str = "free"
    credited: int = 0
    spending_cap: int | None = None


@dataclass
class Key:
    id: str
    account: Account
    cap: int | None = None


@dataclass
class Made:
    row: Generation
    key: Key
    month: int
    price: int
    is_free: bool
    idempotency_key: str | None
    prompt: str
    state: str = "running"


@dataclass
class Model:
    made: list[Made] = field(default_factory=list)
    month: int = 0

    def earlier(self, key: Key, idempotency_key: str | None) -> Made | None:
        """The order that this idempotency key belongs to. A month is longer than a day."""
        if idempotency_key is None:
            return None
        found = (one for one in self._of_month(key.account) if one.idempotency_key == idempotency_key)
        return next((one for one in found if one.state not in {"failed", "expired"}), None)

    def full_limit(self, key: Key) -> str | None:
        account = key.account
        images_per_month, price = PLANS[account.plan]
        used = [one for one in self._of_month(account) if one.state in OPEN]
        spent = sum(one.price for one in used)
        free = [one for one in self._of_month() if one.is_free and one.state in OPEN]
        if images_per_month is not None and len(used) >= images_per_month:
            return "account_month"
        if price > self.balance(account) - self.held(account):
            return "balance"
        if price and account.spending_cap is not None and spent + price > account.spending_cap:
            return "spending_cap"
        if key.cap is not None and sum(one.key is key for one in used) >= key.cap:
            return "key_cap"
        return "free_pool" if account.plan == "free" and len(free) >= FREE_IMAGES_PER_DAY else None

    def balance(self, account: Account) -> int:
        return account.credited - self._price(account, "succeeded")

    def held(self, account: Account) -> int:
        return self._price(account, "running")

    def running(self) -> list[Made]:
        return [one for one in self.made if one.state == "running"]

    def made_this_month(self) -> int:
        return sum(1 for _ in self._of_month())

    def _price(self, account: Account, state: str) -> int:
        return sum(one.price for one in self.made if one.key.account is account and one.state == state)

    def _of_month(self, account: Account | None = None) -> Iterator[Made]:
        return (one for one in self.made if one.month == self.month and account in (None, one.key.account))

"""The rule of the sliding window, written down without a thought of speed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from nanobanana.domain.limits.types import Limit


@dataclass
class PlainModel:
    taken: list[tuple[str, str, float]] = field(default_factory=list)

    def counted(self, key: str, limit: Limit, now: float) -> list[str]:
        return [token for k, token, at in self.taken if k == key and now - limit.window_s < at <= now]

    def allows(self, wanted: Mapping[str, Limit], token: str, now: float) -> bool:
        return all(
            token in self.counted(key, limit, now) or len(self.counted(key, limit, now)) < limit.tokens
            for key, limit in wanted.items()
        )

    def take(self, wanted: Mapping[str, Limit], token: str, now: float) -> bool:
        if not self.allows(wanted, token, now):
            return False
        for key, limit in wanted.items():
            if token not in self.counted(key, limit, now):
                self.taken.append((key, token, now))
        return True

    def give_back(self, wanted: Mapping[str, Limit], token: str, now: float) -> None:
        self.taken = [
            (key, name, at)
            for key, name, at in self.taken
            if not (key in wanted and name == token and now - wanted[key].window_s < at)
        ]

    def most_in_any_window(self, key: str, limit: Limit) -> int:
        times = [at for k, _, at in self.taken if k == key]
        return max((sum(start <= at < start + limit.window_s for at in times) for start in times), default=0)

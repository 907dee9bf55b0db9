from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an account gets and pays, in millionths of a US dollar. None: unlimited, or for good."""

    name: str
    price_micro_usd_per_month: int
    price_micro_usd_per_image: int
    images_per_month: int | None
    images_per_hour: int | None
    images_in_flight: int | None
    retention_days: int | None

    @property
    def is_free(self) -> bool:
        """Draws on the free images of the day."""
        return self.price_micro_usd_per_month == 0 and self.price_micro_usd_per_image == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCost:
    """What Google takes: micro-dollars for an image, and for a million tokens beside the image's own."""

    micro_usd_per_image: int
    micro_usd_per_million_tokens_in: int
    micro_usd_per_million_tokens_out: int
    tokens_per_image: int


ModelCosts = Mapping[str, ModelCost]

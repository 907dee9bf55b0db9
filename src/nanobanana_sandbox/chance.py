"""Chance that comes out the same for the same seed."""

import random


def chance(seed: str | int) -> random.Random:
    return random.Random(seed)  # noqa: S311  # pictures and token counts, no secrets

_MICRO = 1_000_000


def usd(micro_usd: int) -> float:
    """Dollars for an answer: a double holds any such sum below a billion exactly enough to print its micro-dollars."""
    return micro_usd / _MICRO

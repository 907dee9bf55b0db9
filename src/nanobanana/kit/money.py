from decimal import Decimal

MICRO = 1_000_000


def in_dollars(micro_usd: int) -> str:
    """Exactly, and with cents at least: `$1,234.50`, `-$0.0136`."""
    whole, _, decimals = f"{Decimal(abs(micro_usd)) / MICRO:,.6f}".partition(".")
    return f"{'-' if micro_usd < 0 else ''}${whole}.{decimals.rstrip('0').ljust(2, '0')}"

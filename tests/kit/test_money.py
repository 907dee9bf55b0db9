import pytest

from nanobanana.kit.money import in_dollars


@pytest.mark.parametrize(
    ("micro_usd", "text"),
    [
        (0, "$0.00"),
        (1, "$0.000001"),
        (-13_600, "-$0.0136"),
        (140_000, "$0.14"),
        (1_234_567_890_120, "$1,234,567.89012"),
        (9_007_199_254_740_993, "$9,007,199,254.740993"),
    ],
)
def test_dollars_are_exact_and_have_cents(micro_usd: int, text: str) -> None:
    assert in_dollars(micro_usd) == text

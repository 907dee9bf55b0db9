"""The plan table and the cost table: read exactly, or refused with everything that is wrong in them."""

from pathlib import Path

import pytest

from nanobanana.domain.plans.errors import UnusableFileError
from nanobanana.domain.plans.rules import (
    DEFAULT_MODEL_COSTS,
    DEFAULT_PLANS,
    cost_micro_usd,
    margin_micro_usd,
    read_model_costs,
    read_plans,
)
from nanobanana.domain.plans.types import ModelCost, Plan
from nanobanana.settings import Settings

DOLLARS = "must be a number of US dollars, as in 9 or 0.02"
WHOLE = "must be a whole number from 1 to 2147483647"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "table.toml"


def problems(file: Path, text: str | bytes, *, costs: bool = False) -> list[str]:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UnusableFileError) as refused:
        read_model_costs(file) if costs else read_plans(file)
    lines = refused.value.message.splitlines()
    assert all(line.startswith(f"{file}: ") for line in lines)
    return [line.removeprefix(f"{file}: ") for line in lines]


def test_the_plans_that_come_along_are_those_of_the_price_list() -> None:
    plans = read_plans(DEFAULT_PLANS)

    shown = {
        name: (
            plan.price_micro_usd_per_month,
            plan.price_micro_usd_per_image,
            plan.images_per_month,
            plan.images_per_hour,
            plan.retention_days,
            plan.is_free,
        )
        for name, plan in plans.items()
    }
    assert shown == {
        "free": (0, 0, 50, 10, 30, True),
        "hobby": (9_000_000, 0, 500, 100, None, False),
        "pro": (29_000_000, 0, 2_000, 500, None, False),
        "payg": (0, 20_000, None, 1_000, None, False),
    }


def test_every_field_is_read_to_the_micro_dollar(file: Path) -> None:
    file.write_text(
        "[free]\n[Team-like]\n".replace("[Team-like]", "[team_2-b]")
        + "price_usd_per_image = 0.123456\nimages_per_month = 1\nimages_per_hour = 2147483647\n"
        "images_in_flight = 3\nretention_days = 4\n"
    )

    assert read_plans(file)["team_2-b"] == Plan(
        name="team_2-b",
        price_micro_usd_per_month=0,
        price_micro_usd_per_image=123_456,
        images_per_month=1,
        images_per_hour=2_147_483_647,
        images_in_flight=3,
        retention_days=4,
    )
    assert read_plans(file)["free"].images_per_hour is None


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("colour = 1", "colour: there is no such field"),
        ("price_usd_per_month = -9", "price_usd_per_month: must be from 0 to 1000000"),
        ("price_usd_per_month = -0.5", "price_usd_per_month: must be from 0 to 1000000"),
        ("price_usd_per_month = 1_000_001", "price_usd_per_month: must be from 0 to 1000000"),
        ("price_usd_per_image = 0.0000001", "price_usd_per_image: must have 6 decimals at most"),
        ('price_usd_per_month = "9"', f"price_usd_per_month: {DOLLARS}"),
        ("price_usd_per_month = true", f"price_usd_per_month: {DOLLARS}"),
        ("price_usd_per_month = nan", f"price_usd_per_month: {DOLLARS}"),
        ("price_usd_per_month = inf", f"price_usd_per_month: {DOLLARS}"),
        ("images_per_month = 50.0", f"images_per_month: {WHOLE}"),
        ("images_per_month = 0", f"images_per_month: {WHOLE}"),
        ("images_per_hour = -1", f"images_per_hour: {WHOLE}"),
        ("images_in_flight = true", f"images_in_flight: {WHOLE}"),
        ("retention_days = 2147483648", f"retention_days: {WHOLE}"),
        ('images_per_hour = "10"', f"images_per_hour: {WHOLE}"),
    ],
)
def test_a_wrong_field_is_named_with_its_table(file: Path, line: str, problem: str) -> None:
    assert problems(file, f"[free]\n[shop]\n{line}\n") == [f"[shop] {problem}"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "[free]\n[shop]\nprice_usd_per_month = 1\nprice_usd_per_image = 1\n",
            "[shop]: a plan is paid by the month or by the image, not both",
        ),
        ("", "there is no [free], but new accounts are on it"),
        ("free = 1\n", "[free]: must be a table"),
        (
            "[free]\n[Shop]\n",
            "[Shop]: a plan's name is up to 32 of a-z, 0-9, - and _, and begins with a letter",
        ),
        ("[free\n", "is not TOML: Expected ']' at the end of a table declaration (at line 1, column 6)"),
    ],
)
def test_a_wrong_table_is_named(file: Path, text: str, problem: str) -> None:
    assert problems(file, text) == [problem]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[free]\nimages_per_month = " + b"9" * 5_000])
def test_what_cannot_be_toml_is_one_line(file: Path, content: bytes) -> None:
    (problem,) = problems(file, content)
    assert problem.startswith("is not TOML: ")


def test_everything_that_is_wrong_is_told_at_once(file: Path) -> None:
    text = "[hobby]\nprice_usd_per_month = -1\nimages_per_hour = 1.5\n[pro]\nimages = 1\n"

    assert problems(file, text) == [
        "there is no [free], but new accounts are on it",
        "[hobby] price_usd_per_month: must be from 0 to 1000000",
        f"[hobby] images_per_hour: {WHOLE}",
        "[pro] images: there is no such field",
    ]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for file, reason in (
        (tmp_path / "absent.toml", "No such file or directory"),
        (tmp_path, "Is a directory"),
    ):
        for read in (read_plans, read_model_costs):
            with pytest.raises(UnusableFileError, match=f"^{file}: cannot be read: {reason}$"):
                read(file)


def test_the_costs_that_come_along_know_the_models_that_are_asked() -> None:
    costs = read_model_costs(DEFAULT_MODEL_COSTS)

    assert set(Settings().gemini_models) <= set(costs)
    assert costs["gemini-nano-banana-2.1"] == ModelCost(
        micro_usd_per_image=33_600,
        micro_usd_per_million_tokens_in=1_500_000,
        micro_usd_per_million_tokens_out=7_500_000,
        tokens_per_image=1_120,
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[m]\n", "[m] usd_per_image: must be given"),
        ("[m]\nusd_per_image = -1\n", "[m] usd_per_image: must be from 0 to 1000000"),
        ("[m]\nusd_per_image = 1\ntokens = 1\n", "[m] tokens: there is no such field"),
        (
            "[m]\nusd_per_image = 1\ntokens_per_image = -1\n",
            "[m] tokens_per_image: must be a whole number from 0 to 2147483647",
        ),
        (
            "[m]\nusd_per_image = 1\nusd_per_million_tokens_in = 0.1234567\n",
            "[m] usd_per_million_tokens_in: must have 6 decimals at most",
        ),
        ("m = 1\n", "[m]: must be a table"),
    ],
)
def test_a_wrong_cost_is_named_with_its_model(file: Path, text: str, problem: str) -> None:
    assert problems(file, text, costs=True) == [problem]


@pytest.mark.parametrize(
    ("tokens_in", "tokens_out", "cost"),
    [(0, 0, 33_600), (0, 1_120, 33_600), (0, 1_121, 33_608), (1, 0, 33_602)],
)
def test_an_image_costs_its_price_and_the_tokens_beside_it_rounded_up(
    tokens_in: int, tokens_out: int, cost: int
) -> None:
    model = read_model_costs(DEFAULT_MODEL_COSTS)["gemini-nano-banana-2.1"]

    assert cost_micro_usd(model, input_tokens=tokens_in, output_tokens=tokens_out) == cost


def test_a_plan_without_an_end_has_no_margin() -> None:
    plan = Plan(
        name="all",
        price_micro_usd_per_month=9,
        price_micro_usd_per_image=0,
        images_per_month=None,
        images_per_hour=None,
        images_in_flight=None,
        retention_days=None,
    )

    assert margin_micro_usd(plan, micro_usd_per_image=1) is None

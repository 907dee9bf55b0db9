"""Pictures out of the sandbox's answers, whatever stands around them."""

import io

import pytest
from PIL import Image

from nanobanana.integrations.google.types import GoogleImage, ImageRequest
from tests.integrations.google.conftest import LITE, NANO_BANANA, GoogleFactory


def request(*scenarios: str, width: int = 1024, height: int = 1024) -> ImageRequest:
    tokens = "".join(f"[sandbox:{scenario}]" for scenario in scenarios)
    return ImageRequest(prompt=f"a quiet hill {tokens}", width=width, height=height)


async def image(google: GoogleFactory, *scenarios: str, model: str = NANO_BANANA) -> GoogleImage:
    async with google(model=model).generate(request(*scenarios)) as picture:
        return picture


async def test_a_picture_comes_with_its_model_and_its_tokens(google: GoogleFactory) -> None:
    picture = await image(google)

    assert (picture.mime_type, picture.model) == ("image/jpeg", NANO_BANANA)
    assert Image.open(io.BytesIO(picture.data)).size == (1024, 1024)
    assert picture.input_tokens > 0
    # 1,120 for the picture, at least 88 that Google adds and at least 120 of thoughts.
    assert picture.output_tokens >= 1120 + 88 + 120


@pytest.mark.parametrize(
    "scenario",
    ["text_before", "text_after", "thought_text", "draft=2", "unflagged_draft=2", "signature=2000000"],
)
async def test_the_final_picture_is_found_whatever_stands_around_it(
    google: GoogleFactory, scenario: str
) -> None:
    assert (await image(google, scenario)).data == (await image(google, "ok")).data


@pytest.mark.parametrize("mime_type", ["image/png", "image/jpeg"])
async def test_the_type_is_told_from_the_bytes_not_believed(google: GoogleFactory, mime_type: str) -> None:
    picture = await image(google, mime_type.removeprefix("image/"), "wrong_mime")

    assert picture.mime_type == mime_type


@pytest.mark.parametrize(("model", "native"), [("imagen-4.0-generate-001", (1280, 896)), (LITE, (1264, 848))])
async def test_the_native_size_is_the_one_asked_for(
    google: GoogleFactory, model: str, native: tuple[int, int]
) -> None:
    async with google(model=model).generate(request(width=1280, height=896)) as picture:
        assert Image.open(io.BytesIO(picture.data)).size == native

"""What a picture is made from."""

from dataclasses import dataclass

from nanobanana_sandbox.plan import Damage, Plan
from nanobanana_sandbox.scenarios import without_tokens


@dataclass(frozen=True, kw_only=True)
class PictureRequest:
    """What both protocols ask of a picture. `size` is width and height."""

    prompt: str
    seed: int | None
    size: tuple[int, int]
    mime_type: str
    wants_image: bool = True


@dataclass(frozen=True, kw_only=True)
class PictureOrder:
    """Everything a file depends on. `variant` numbers the pictures of one request."""

    prompt: str
    seed: int | None
    size: tuple[int, int]
    mime_type: str
    test_card: bool
    file_bytes: int | None
    damage: Damage | None
    variant: int


def picture_order(request: PictureRequest, plan: Plan, *, variant: int = 0) -> PictureOrder:
    return PictureOrder(
        prompt=without_tokens(request.prompt),
        seed=request.seed,
        size=request.size,
        mime_type=plan.mime_type or request.mime_type,
        test_card=plan.test_card,
        file_bytes=plan.file_bytes,
        damage=plan.damage,
        variant=variant,
    )

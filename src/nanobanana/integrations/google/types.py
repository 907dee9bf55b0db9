"""What goes to Google and what comes back."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """`width` and `height` are the pixels the caller wants; Google answers in the nearest shape it knows."""

    prompt: str = field(repr=False)
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleImage:
    """The file as Google sent it. `mime_type` tells what the bytes are; thoughts count as output tokens."""

    data: bytes = field(repr=False)
    mime_type: str
    model: str
    input_tokens: int
    output_tokens: int

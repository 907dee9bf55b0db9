"""When a key does so much more than usual that its owner should hear of it."""

from nanobanana.domain.surges.types import KeyHour

TIMES_USUAL = 10
# Below, ten times usual is a person at play, and no bill to be afraid of.
FEWEST_IMAGES = 50
# With fewer used hours in the week before, nobody knows what is usual.
FEWEST_EARLIER_HOURS = 3


def is_surge(hour: KeyHour) -> bool:
    return (
        hour.images >= FEWEST_IMAGES
        and hour.earlier_hours >= FEWEST_EARLIER_HOURS
        and hour.images >= TIMES_USUAL * hour.usual_images
    )

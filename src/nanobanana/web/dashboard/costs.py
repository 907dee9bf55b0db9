"""What an image would cost, in a sentence."""

from nanobanana.domain.generation.types import Quote, Room
from nanobanana.web.pages import thousands, usd


def cost_of(quote: Quote) -> str:
    room = quote.room
    if room is None:
        return "Free: drawn in the sandbox, with TEST across it."
    return _paid(room) if room.price_micro_usd else _of_the_plan(room)


def _paid(room: Room) -> str:
    cost = f"Takes {usd(room.price_micro_usd)} of {usd(room.balance_micro_usd)}."
    if room.spending_cap_micro_usd is not None:
        cost += f" {usd(room.spending_cap_micro_usd - room.month_micro_usd)} of this month's cap is left."
    return cost + _of_the_key(room)


def _of_the_plan(room: Room) -> str:
    if room.month_limit is None:
        cost = "Takes 1 image; your plan does not count them."
    else:
        cost = f"Takes 1 of {_images(room.month_limit - room.month_images)} left this month."
    if room.free_limit is not None:
        left = room.free_limit - room.free_images
        if room.month_limit is None or left < room.month_limit - room.month_images:
            cost += f" All free accounts together have {_images(left)} left today."
    return cost + _of_the_key(room)


def _of_the_key(room: Room) -> str:
    if room.key_limit is None:
        return ""
    return f" This key has {_images(room.key_limit - room.key_images)} left this month."


def _images(number: int) -> str:
    return f"{thousands(number)} image{'' if number == 1 else 's'}"

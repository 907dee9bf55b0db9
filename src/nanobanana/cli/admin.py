"""`nanobanana admin`: what an operator does to accounts, money and routes."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from nanobanana.kit.money import MICRO, in_dollars

if TYPE_CHECKING:
    from nanobanana.domain.billing.service import Billing
    from nanobanana.storage.database import Database

app = typer.Typer(help="Act on accounts, money and the routes to Google.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="The account's address, as in ada@example.com.")]
Result = TypeVar("Result")


# What begins with a minus is an amount, not an unknown option.
_NEGATIVE_AMOUNTS = {"ignore_unknown_options": True}


@app.command(
    epilog="Example: nanobanana admin credit ada@example.com 25 --note 'invoice 17'",
    context_settings=_NEGATIVE_AMOUNTS,
)
def credit(
    email: Email,
    usd: Annotated[str, typer.Argument(help="US dollars, as in 25 or 0.14; negative ones take back.")],
    note: Annotated[str | None, typer.Option(help="Kept in the ledger.")] = None,
) -> None:
    """Add to the balance that images on pay-as-you-go are paid from."""
    micro_usd = _micro_usd(usd)
    balance = _bill(lambda billing: billing.credit(email=email, micro_usd=micro_usd, note=note))
    typer.echo(f"The balance of {email} is {in_dollars(balance)} now.")


@app.command(epilog="Example: nanobanana admin plan ada@example.com hobby")
def plan(
    email: Email, name: Annotated[str, typer.Argument(metavar="PLAN", help="A plan of PLANS_FILE.")]
) -> None:
    """Move an account to another plan, at once; what it used this month stays used."""
    _bill(lambda billing: billing.move(email=email, plan=name))
    typer.echo(f"{email} is on the plan {name} now.")


@app.command(epilog="Ends with 1 when anything disagrees. Safe at any time, under load too.")
def reconcile() -> None:
    """Hold ledger, counters, generations and usage against each other."""
    differences = _bill(lambda billing: billing.reconcile())
    for difference in differences:
        typer.echo(
            f"{difference.check}  {difference.subject}  {difference.period}: "
            f"recorded {difference.recorded}, expected {difference.expected}"
        )
    if differences:
        typer.echo(f"{len(differences)} records disagree.", err=True)
        raise typer.Exit(1)
    typer.echo("Ledger, counters, generations and usage agree.")


@app.command(epilog="Example: nanobanana admin suspend ada@example.com --reason 'a stolen card'")
def suspend(
    email: Email,
    reason: Annotated[str | None, typer.Option(help="Told to the owner, and kept in the audit log.")] = None,
) -> None:
    """Refuse an account's keys from now on, and mail its owner."""
    from nanobanana.domain.moderation.suspensions import Suspensions  # noqa: PLC0415  see main.py

    _run(lambda database: Suspensions(database).suspend(email=email, reason=reason))
    typer.echo(f"{email} is suspended. Images that are being made are finished.")


@app.command(epilog="Example: nanobanana admin unsuspend ada@example.com")
def unsuspend(email: Email) -> None:
    """Let an account's keys work again; its refused prompts are counted anew."""
    from nanobanana.domain.moderation.suspensions import Suspensions  # noqa: PLC0415  see main.py

    _run(lambda database: Suspensions(database).unsuspend(email=email))
    typer.echo(f"{email} is not suspended any more.")


@app.command(epilog="Example: nanobanana admin audit ada@example.com")
def audit(
    email: Annotated[str | None, typer.Argument(help="An account's address; all accounts.")] = None,
) -> None:
    """Show the last hundred suspensions, plans and credits, the newest last."""
    from nanobanana.domain.audit.service import AuditLog  # noqa: PLC0415  see main.py

    for entry in _run(lambda database: AuditLog(database).newest(email=email)):
        who = entry.email or f"{entry.account_id} (erased)"
        detail = " ".join(f"{name}={value!r}" for name, value in entry.detail.items() if value is not None)
        typer.echo(
            f"{entry.created_at:%Y-%m-%d %H:%M:%S}Z  {entry.actor:<8}  {entry.action:<9}  {who}  {detail}".rstrip()
        )


@app.command(epilog="Example: nanobanana admin routes --reopen primary")
def routes(
    reopen: Annotated[str | None, typer.Option(metavar="NAME", help="Ask this route again at once.")] = None,
) -> None:
    """Show how the routes to Google stand, as the running processes tell each other."""
    from nanobanana.cli.configuration import load_settings, one_sentence  # noqa: PLC0415  see main.py
    from nanobanana.cli.route_lines import route_lines  # noqa: PLC0415  see main.py
    from nanobanana.storage.embedded.servers import running_servers  # noqa: PLC0415  see main.py

    settings = load_settings()
    with one_sentence(), running_servers(settings) as complete:
        for line in asyncio.run(route_lines(complete, reopen=reopen)):
            typer.echo(line)


def _micro_usd(usd: str) -> int:
    try:
        micro = Decimal(usd) * MICRO
    except InvalidOperation:
        raise typer.BadParameter(f"{usd!r} is no number of dollars.", param_hint="USD") from None
    if not micro.is_finite() or micro != int(micro) or not 0 < abs(micro) <= MICRO * MICRO:
        raise typer.BadParameter("at most a million dollars, and no less than a millionth.", param_hint="USD")
    return int(micro)


def _bill(work: "Callable[[Billing], Awaitable[Result]]") -> Result:
    from nanobanana.domain.billing.service import Billing  # noqa: PLC0415  see main.py

    return _run(lambda database: work(Billing(database)))


def _run(work: "Callable[[Database], Awaitable[Result]]") -> Result:
    from nanobanana.cli.configuration import load_settings  # noqa: PLC0415  see main.py
    from nanobanana.cli.database_command import with_database  # noqa: PLC0415  see main.py

    return with_database(load_settings(), work)

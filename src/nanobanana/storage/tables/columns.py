"""What all tables share."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    MetaData,
    Text,
    func,
    text,
)

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_name)s_key",
        "ix": "%(table_name)s_%(column_0_name)s_idx",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)


def id_column(**options: object) -> Column[str]:
    # Byte order, so that ids sort by the moment they were made whatever the database's language is.
    return Column("id", Text(collation="C"), primary_key=True, **options)  # type: ignore[arg-type]


def moment(name: str, *, nullable: bool = True) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def created_at() -> Column[object]:
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())


def count(name: str) -> Column[int]:
    """Of images, or of micro-dollars."""
    return Column(name, BigInteger, nullable=False, server_default=text("0"))

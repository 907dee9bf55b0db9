"""What PostgreSQL does inside the functions that admit and settle: auto_explain, statement by statement."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row

# From the sixth time on, functions use plans that hold for all values.
_TIMES = 7
_SETTINGS = {
    "client_min_messages": "log",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_nested_statements": "on",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_buffers": "on",
    "auto_explain.log_timing": "off",
}


class Explained:
    """In the place of a Database, of which repositories use `statement` alone."""

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self._connection = connection
        self.plans: list[str] = []
        connection.add_notice_handler(lambda notice: self.plans.append(notice.message_primary))

    async def statement(self, sql: LiteralString, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        async with self._connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(sql, parameters, prepare=True)
            return await cursor.fetchall()


async def print_plans(url: str, work: Callable[[Explained], Awaitable[None]]) -> None:
    """Of all statements that `work` leads to."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("load 'auto_explain'")
        for name, value in _SETTINGS.items():
            await connection.execute(f"set {name} = '{value}'")
        explained = Explained(connection)
        for _ in range(_TIMES):
            explained.plans.clear()
            await work(explained)
        for plan in explained.plans:
            print(plan, "\n")

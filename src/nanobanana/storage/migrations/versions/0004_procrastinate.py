"""The job queue's own schema, as procrastinate 3.10 ships it.

Kept as a copy: the library's file changes with the library, a migration must not. A newer schema of procrastinate
comes by a migration of its own, with the library's file of that step. Its licence lies beside it.

SHA-256 of procrastinate_3_10.sql: c70ec4b400a60ad9592787653aae5ae77ae41bf801d56b5bd2712751a07f2009
"""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    schema = (Path(__file__).parents[1] / "procrastinate_3_10.sql").read_text()
    # Straight to psycopg: several statements at once, and percent signs that are no parameters.
    op.get_bind().connection.cursor().execute(schema)

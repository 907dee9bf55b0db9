"""What an image writes and a report reads among many rows.

No index on the names of pictures: nobody looks rows up by them, and 128 random bits are unique without one. Each new
name met a page of its own in it: among 10 million rows a page read, and written to the log whole, for every image.

The key of usage_days holds what reports read. In the table the days of an account lie a page apart each: a year of ten
keys was 3,600 pages, of the index it is 60."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint(op.f("generations_image_name_key"), "generations")
    op.drop_constraint(op.f("usage_days_pkey"), "usage_days")
    op.execute("""
        alter table usage_days add constraint usage_days_pkey
        primary key (account_id, day, api_key_id) include (images, micro_usd, failed, blocked)
    """)

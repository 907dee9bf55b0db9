"""No index on the names of pictures: nobody looks rows up by them, and 128 random bits are unique without one. Each
new name met a page of its own in it: among 10 million rows a page read, and written to the log whole, for every image."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint(op.f("generations_image_name_key"), "generations")

"""Keep the pictures of models of keys."""

from alembic import op
import sqlalchemy as sa
import broker.db

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("metadata_model", schema=None) as batch_op:
        batch_op.add_column(sa.Column("icon", sa.LargeBinary(), nullable=True))



def downgrade() -> None:
    with op.batch_alter_table("metadata_model", schema=None) as batch_op:
        batch_op.drop_column("icon")


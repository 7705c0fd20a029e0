"""Stage entries of the record."""

from alembic import op
import sqlalchemy as sa
import broker.db

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_staged",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.String(length=43), nullable=True),
        sa.Column("salt", sa.LargeBinary(length=32), nullable=True),
        sa.Column("subject", sa.String(length=255), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    if op.get_bind().scalar(sa.text("SELECT count(*) FROM audit_staged")):
        # They are the only trace of facts that are committed.
        raise RuntimeError("entries wait: flask --app broker audit sequence --once")
    op.drop_table("audit_staged")

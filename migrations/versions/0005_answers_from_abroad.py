"""Keep answers from abroad, and whose identity is whose."""

from alembic import op
import sqlalchemy as sa
import broker.db

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "foreign_identity",
        sa.Column("id", sa.String(length=43), nullable=False),
        sa.Column("account_id", sa.String(length=43), nullable=False),
        sa.Column("scheme", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("method", sa.String(length=20), nullable=False),
        sa.Column("at", broker.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    with op.batch_alter_table("foreign_identity", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_foreign_identity_account_id"), ["account_id"], unique=False
        )

    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.add_column(sa.Column("answer", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("ticket", sa.LargeBinary(length=32), nullable=True))



def downgrade() -> None:
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.drop_column("ticket")
        batch_op.drop_column("answer")

    with op.batch_alter_table("foreign_identity", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_foreign_identity_account_id"))

    op.drop_table("foreign_identity")

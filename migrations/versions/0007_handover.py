"""Let a telephone photograph what was begun at a computer."""

from alembic import op
import sqlalchemy as sa
import broker.db

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "proofing_handover",
        sa.Column("id", sa.String(length=43), nullable=False),
        sa.Column("address", sa.LargeBinary(length=32), nullable=False),
        sa.Column("attempt", sa.String(length=43), nullable=False),
        sa.Column("account_id", sa.String(length=43), nullable=False),
        sa.Column("client_name", sa.JSON(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("expires", broker.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("address"),
    )
    with op.batch_alter_table("proofing_handover", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_proofing_handover_account_id"), ["account_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_proofing_handover_attempt"), ["attempt"], unique=False)
        batch_op.create_index(batch_op.f("ix_proofing_handover_expires"), ["expires"], unique=False)



def downgrade() -> None:
    with op.batch_alter_table("proofing_handover", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_proofing_handover_expires"))
        batch_op.drop_index(batch_op.f("ix_proofing_handover_attempt"))
        batch_op.drop_index(batch_op.f("ix_proofing_handover_account_id"))

    op.drop_table("proofing_handover")

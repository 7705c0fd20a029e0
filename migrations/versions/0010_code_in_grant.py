"""Keep a code in the row of its grant

Two rows and seven indexes became one row and two: that is what every sign-in writes. Codes that
are on their way while this runs are not found any more; the person begins again.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

import broker.db

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("authorization_grant", schema=None) as batch_op:
        batch_op.add_column(sa.Column("redirect_uri", sa.String(length=2048), nullable=True))
        batch_op.add_column(sa.Column("code_challenge", sa.String(length=43), nullable=True))
        batch_op.add_column(sa.Column("dpop_jkt", sa.String(length=43), nullable=True))
        batch_op.add_column(sa.Column("code_expires", broker.db.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("code_spent", broker.db.UtcDateTime(timezone=True), nullable=True))
        batch_op.drop_index("ix_authorization_grant_client_id")
    with op.batch_alter_table("access_token", schema=None) as batch_op:
        batch_op.drop_index("ix_access_token_client_id")
    op.drop_table("authorization_code")


def downgrade() -> None:
    op.create_table(
        "authorization_code",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("grant_id", sa.String(length=43), nullable=False),
        sa.Column("redirect_uri", sa.String(length=2048), nullable=False),
        sa.Column("code_challenge", sa.String(length=43), nullable=False),
        sa.Column("dpop_jkt", sa.String(length=43), nullable=True),
        sa.Column("expires", broker.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("spent", broker.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["grant_id"], ["authorization_grant.id"]),
        sa.PrimaryKeyConstraint("digest"),
    )
    with op.batch_alter_table("authorization_code", schema=None) as batch_op:
        batch_op.create_index("ix_authorization_code_expires", ["expires"], unique=False)
        batch_op.create_index("ix_authorization_code_grant_id", ["grant_id"], unique=False)
    with op.batch_alter_table("access_token", schema=None) as batch_op:
        batch_op.create_index("ix_access_token_client_id", ["client_id"], unique=False)
    with op.batch_alter_table("authorization_grant", schema=None) as batch_op:
        batch_op.create_index("ix_authorization_grant_client_id", ["client_id"], unique=False)
        for name in ("code_spent", "code_expires", "dpop_jkt", "code_challenge", "redirect_uri"):
            batch_op.drop_column(name)

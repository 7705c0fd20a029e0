"""Add the tables of the whole desk and the life of a key."""

from alembic import op
import sqlalchemy as sa
import broker.db

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "initial_access",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("uses_left", sa.Integer(), nullable=False),
        sa.Column("expires", broker.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    with op.batch_alter_table("initial_access", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_initial_access_expires"), ["expires"], unique=False)

    op.create_table(
        "logout_notice",
        sa.Column("id", sa.String(length=43), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("sid", sa.String(length=43), nullable=True),
        sa.Column("created", broker.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("due", broker.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("logout_notice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_logout_notice_client_id"), ["client_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_logout_notice_due"), ["due"], unique=False)

    op.create_table(
        "metadata_blob",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("next_update", broker.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("imported", broker.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "metadata_model",
        sa.Column("aaguid", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("statuses", sa.JSON(), nullable=False),
        sa.Column("protection", sa.JSON(), nullable=False),
        sa.Column("anchors", sa.JSON(), nullable=False),
        sa.Column("fresh_until", broker.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("aaguid"),
    )
    op.create_table(
        "pushed_request",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("expires", broker.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    with op.batch_alter_table("pushed_request", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pushed_request_expires"), ["expires"], unique=False)

    op.create_table(
        "signing_key_used",
        sa.Column("kid", sa.String(length=43), nullable=False),
        sa.Column("alg", sa.String(length=8), nullable=False),
        sa.Column("since", broker.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kid"),
    )
    op.create_table(
        "recovery_code",
        sa.Column("id", sa.String(length=43), nullable=False),
        sa.Column("account_id", sa.String(length=43), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("made", broker.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("used", broker.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    with op.batch_alter_table("recovery_code", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_recovery_code_account_id"), ["account_id"], unique=False
        )

    # An access token lives for minutes, and nothing of an old one says when it was issued.
    op.execute("DELETE FROM access_token")
    with op.batch_alter_table("access_token", schema=None) as batch_op:
        batch_op.add_column(sa.Column("audience", sa.JSON(), nullable=False))
        batch_op.add_column(sa.Column("cnf", sa.JSON(), nullable=False))
        batch_op.add_column(sa.Column("actor", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(
            sa.Column("issued", broker.db.UtcDateTime(timezone=True), nullable=False)
        )

    with op.batch_alter_table("authenticator", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("full_from", broker.db.UtcDateTime(timezone=True), nullable=True)
        )
        batch_op.drop_column("level")

    with op.batch_alter_table("authorization_code", schema=None) as batch_op:
        batch_op.add_column(sa.Column("dpop_jkt", sa.String(length=43), nullable=True))

    with op.batch_alter_table("client", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("removed", broker.db.UtcDateTime(timezone=True), nullable=True)
        )

    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("claims", sa.JSON(), nullable=False, server_default="[]")
        )
        batch_op.add_column(
            sa.Column("details", sa.JSON(), nullable=False, server_default="[]")
        )

    with op.batch_alter_table("refresh_token", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("cnf", sa.JSON(), nullable=False, server_default="{}")
        )
        batch_op.add_column(sa.Column("successor", sa.LargeBinary(length=32), nullable=True))
        batch_op.add_column(sa.Column("sealed", sa.LargeBinary(), nullable=True))

    with op.batch_alter_table("webauthn_challenge", schema=None) as batch_op:
        batch_op.add_column(sa.Column("session_id", sa.String(length=43), nullable=True))



def downgrade() -> None:
    with op.batch_alter_table("webauthn_challenge", schema=None) as batch_op:
        batch_op.drop_column("session_id")

    with op.batch_alter_table("refresh_token", schema=None) as batch_op:
        batch_op.drop_column("sealed")
        batch_op.drop_column("successor")
        batch_op.drop_column("cnf")

    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.drop_column("details")
        batch_op.drop_column("claims")

    with op.batch_alter_table("client", schema=None) as batch_op:
        batch_op.drop_column("removed")

    with op.batch_alter_table("authorization_code", schema=None) as batch_op:
        batch_op.drop_column("dpop_jkt")

    with op.batch_alter_table("authenticator", schema=None) as batch_op:
        batch_op.add_column(sa.Column("level", sa.VARCHAR(length=40), nullable=False, server_default="C2"))
        batch_op.drop_column("full_from")

    with op.batch_alter_table("access_token", schema=None) as batch_op:
        batch_op.drop_column("issued")
        batch_op.drop_column("actor")
        batch_op.drop_column("cnf")
        batch_op.drop_column("audience")

    with op.batch_alter_table("recovery_code", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_recovery_code_account_id"))

    op.drop_table("recovery_code")
    op.drop_table("signing_key_used")
    with op.batch_alter_table("pushed_request", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_pushed_request_expires"))

    op.drop_table("pushed_request")
    op.drop_table("metadata_model")
    op.drop_table("metadata_blob")
    with op.batch_alter_table("logout_notice", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_logout_notice_due"))
        batch_op.drop_index(batch_op.f("ix_logout_notice_client_id"))

    op.drop_table("logout_notice")
    with op.batch_alter_table("initial_access", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_initial_access_expires"))

    op.drop_table("initial_access")

"""Find assertions in the record."""

from alembic import op
import sqlalchemy as sa
import broker.db

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_ahead",
        sa.Column("origin", sa.String(length=255), nullable=False),
        sa.Column("witness", sa.String(length=255), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("time", broker.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("origin", "witness"),
    )
    op.create_table(
        "audit_cosignature",
        sa.Column(
            "size",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("witness", sa.String(length=255), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("time", broker.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("size", "witness"),
    )
    op.create_table(
        "audit_policy",
        sa.Column("version", sa.String(length=100), nullable=False),
        sa.Column("since", broker.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "audit_pruning",
        sa.Column(
            "minimum",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("time", broker.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("minimum"),
    )
    op.create_table(
        "audit_succession",
        sa.Column("origin", sa.String(length=255), nullable=False),
        sa.Column("successor", sa.String(length=255), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("time", broker.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("origin"),
    )
    op.create_table(
        "desk_case",
        sa.Column("id", sa.String(length=43), nullable=False),
        sa.Column("entry", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("client", sa.String(length=255), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("assignee", sa.String(length=100), nullable=True),
        sa.Column("opened_by", sa.String(length=100), nullable=False),
        sa.Column("opened", broker.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("desk_case", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_case_client"), ["client"], unique=False)
        batch_op.create_index(batch_op.f("ix_desk_case_entry"), ["entry"], unique=False)
        batch_op.create_index(batch_op.f("ix_desk_case_opened"), ["opened"], unique=False)

    op.create_table(
        "desk_export",
        sa.Column("id", sa.String(length=43), nullable=False),
        sa.Column("owner", sa.String(length=100), nullable=False),
        sa.Column("format", sa.String(length=10), nullable=False),
        sa.Column("query", sa.JSON(), nullable=False),
        sa.Column("sight", sa.JSON(), nullable=True),
        sa.Column("created", broker.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("due", broker.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("made", broker.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("fault", sa.String(length=40), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("bundle", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("desk_export", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_export_due"), ["due"], unique=False)
        batch_op.create_index(batch_op.f("ix_desk_export_owner"), ["owner"], unique=False)

    op.create_table(
        "desk_kept_answer",
        sa.Column("caller", sa.String(length=100), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("asked", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("expires", broker.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key"),
    )
    with op.batch_alter_table("desk_kept_answer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_kept_answer_expires"), ["expires"], unique=False)

    op.create_table(
        "desk_search",
        sa.Column("id", sa.String(length=43), nullable=False),
        sa.Column("owner", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("query", sa.JSON(), nullable=False),
        sa.Column("created", broker.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("desk_search", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_search_owner"), ["owner"], unique=False)

    op.create_table(
        "desk_unmasking",
        sa.Column("id", sa.String(length=43), nullable=False),
        sa.Column("entry", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("client", sa.String(length=255), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("requested_by", sa.String(length=100), nullable=False),
        sa.Column("requested", broker.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=100), nullable=True),
        sa.Column("decided", broker.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("approved", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("desk_unmasking", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_desk_unmasking_requested"), ["requested"], unique=False
        )

    op.create_table(
        "desk_auditor",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.String(length=43), nullable=False),
        sa.Column("scope", sa.JSON(), nullable=False),
        sa.Column("clients", sa.JSON(), nullable=True),
        sa.Column("since", broker.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id"),
    )
    op.create_table(
        "desk_comment",
        sa.Column("case_id", sa.String(length=43), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("author", sa.String(length=100), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", broker.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["desk_case.id"],
        ),
        sa.PrimaryKeyConstraint("case_id", "number"),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.add_column(sa.Column("grant_id", sa.String(length=255), nullable=True))
        batch_op.add_column(sa.Column("evidence", sa.String(length=255), nullable=True))
        batch_op.add_column(sa.Column("kind", sa.String(length=255), nullable=True))
        batch_op.add_column(sa.Column("reason", sa.String(length=255), nullable=True))
        batch_op.add_column(sa.Column("assertion", sa.String(length=10), nullable=True))
        batch_op.add_column(
            sa.Column("latest", sa.String(length=24), server_default="", nullable=False)
        )
        batch_op.drop_index(batch_op.f("ix_audit_entry_client"))
        batch_op.drop_index(batch_op.f("ix_audit_entry_event"))
        batch_op.drop_index(batch_op.f("ix_audit_entry_time"))
        batch_op.create_index("audit_entry_assertion", ["assertion", "idx"], unique=False)
        batch_op.create_index(
            "audit_entry_assertion_client", ["client", "assertion", "idx"], unique=False
        )
        batch_op.create_index("audit_entry_client", ["client", "idx"], unique=False)
        batch_op.create_index("audit_entry_client_level", ["client", "level", "idx"], unique=False)
        batch_op.create_index("audit_entry_event", ["event", "idx"], unique=False)
        batch_op.create_index("audit_entry_evidence", ["evidence", "idx"], unique=False)
        batch_op.create_index("audit_entry_grant", ["grant_id", "idx"], unique=False)
        batch_op.create_index("audit_entry_kind", ["kind", "idx"], unique=False)
        batch_op.create_index(
            "audit_entry_late",
            ["time", "idx"],
            unique=False,
            sqlite_where=sa.text("time < latest"),
            postgresql_where=sa.text("time < latest"),
        )
        batch_op.create_index("audit_entry_level", ["level", "idx"], unique=False)
        batch_op.create_index(
            "audit_entry_reason",
            ["reason", "idx"],
            unique=False,
            sqlite_where=sa.text("reason IS NOT NULL"),
            postgresql_where=sa.text("reason IS NOT NULL"),
        )

    with op.batch_alter_table("audit_subject", schema=None) as batch_op:
        batch_op.add_column(sa.Column("subject", sa.String(length=255), nullable=True))
        batch_op.create_index(batch_op.f("ix_audit_subject_subject"), ["subject"], unique=False)



def downgrade() -> None:
    with op.batch_alter_table("audit_subject", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_subject_subject"))
        batch_op.drop_column("subject")

    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_index(
            "audit_entry_reason",
            sqlite_where=sa.text("reason IS NOT NULL"),
            postgresql_where=sa.text("reason IS NOT NULL"),
        )
        batch_op.drop_index("audit_entry_level")
        batch_op.drop_index(
            "audit_entry_late",
            sqlite_where=sa.text("time < latest"),
            postgresql_where=sa.text("time < latest"),
        )
        batch_op.drop_index("audit_entry_kind")
        batch_op.drop_index("audit_entry_grant")
        batch_op.drop_index("audit_entry_evidence")
        batch_op.drop_index("audit_entry_event")
        batch_op.drop_index("audit_entry_client_level")
        batch_op.drop_index("audit_entry_client")
        batch_op.drop_index("audit_entry_assertion_client")
        batch_op.drop_index("audit_entry_assertion")
        batch_op.create_index(batch_op.f("ix_audit_entry_time"), ["time"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_entry_event"), ["event"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_entry_client"), ["client"], unique=False)
        batch_op.drop_column("latest")
        batch_op.drop_column("assertion")
        batch_op.drop_column("reason")
        batch_op.drop_column("kind")
        batch_op.drop_column("evidence")
        batch_op.drop_column("grant_id")

    op.drop_table("desk_comment")
    op.drop_table("desk_auditor")
    with op.batch_alter_table("desk_unmasking", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_desk_unmasking_requested"))

    op.drop_table("desk_unmasking")
    with op.batch_alter_table("desk_search", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_desk_search_owner"))

    op.drop_table("desk_search")
    with op.batch_alter_table("desk_kept_answer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_desk_kept_answer_expires"))

    op.drop_table("desk_kept_answer")
    with op.batch_alter_table("desk_export", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_desk_export_owner"))
        batch_op.drop_index(batch_op.f("ix_desk_export_due"))

    op.drop_table("desk_export")
    with op.batch_alter_table("desk_case", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_desk_case_opened"))
        batch_op.drop_index(batch_op.f("ix_desk_case_entry"))
        batch_op.drop_index(batch_op.f("ix_desk_case_client"))

    op.drop_table("desk_case")
    op.drop_table("audit_succession")
    op.drop_table("audit_pruning")
    op.drop_table("audit_policy")
    op.drop_table("audit_cosignature")
    op.drop_table("audit_ahead")

"""Index of the record only what is searched by; remember that the sequencer refuses."""

from alembic import op
import sqlalchemy as sa
import broker.db

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TOLD, _REFUSED = "assertion IS NOT NULL", "assertion = 'refused'"
_BEFORE = (
    ("audit_entry_client", ["client"], None),
    ("audit_entry_grant", ["grant_id"], None),
    ("audit_entry_evidence", ["evidence"], None),
    ("audit_entry_assertion", ["assertion"], None),
    ("audit_entry_assertion_client", ["client", "assertion"], None),
    ("audit_entry_client_level", ["client", "level"], None),
    ("audit_entry_level", ["level"], None),
    ("audit_entry_kind", ["kind"], None),
)
_AFTER = (
    ("audit_entry_client", ["client"], "client IS NOT NULL"),
    ("audit_entry_grant", ["grant_id"], "grant_id IS NOT NULL"),
    ("audit_entry_evidence", ["evidence"], "evidence IS NOT NULL"),
    ("audit_entry_told_client_level", ["client", "level"], _TOLD),
    ("audit_entry_told_level", ["level"], _TOLD),
    ("audit_entry_told_kind", ["kind"], _TOLD),
    ("audit_entry_refused", [], _REFUSED),
    ("audit_entry_refused_client", ["client"], _REFUSED),
)


def _replace(old, new) -> None:
    for name, _, _ in old:
        op.drop_index(name, "audit_entry")
    for name, columns, only in new:
        those = sa.text(only) if only else None
        op.create_index(
            name, "audit_entry", [*columns, "idx"], sqlite_where=those, postgresql_where=those
        )


def upgrade() -> None:
    op.create_table(
        "audit_refusal",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("time", broker.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    _replace(_BEFORE, _AFTER)
    op.drop_index("ix_audit_subject_subject", "audit_subject")
    those = sa.text("subject IS NOT NULL")
    op.create_index(
        "audit_subject_subject",
        "audit_subject",
        ["subject", "idx"],
        sqlite_where=those,
        postgresql_where=those,
    )


def downgrade() -> None:
    op.drop_index("audit_subject_subject", "audit_subject")
    op.create_index("ix_audit_subject_subject", "audit_subject", ["subject"])
    _replace(_AFTER, _BEFORE)
    op.drop_table("audit_refusal")

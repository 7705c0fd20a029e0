"""The audit room."""

from broker.feature import Feature

feature = Feature("audit")

"""The proofing room."""

from broker.feature import Feature

feature = Feature("proofing")

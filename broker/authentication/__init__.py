"""The authentication room."""

from broker.feature import Feature

feature = Feature("authentication")

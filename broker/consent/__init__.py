"""The consent room."""

from broker.feature import Feature

feature = Feature("consent")

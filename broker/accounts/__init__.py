"""The accounts room."""

from broker.feature import Feature

feature = Feature("accounts")

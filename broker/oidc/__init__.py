"""The oidc room."""

from broker.feature import Feature

feature = Feature("oidc")


def read_token(tx, unverified_token, now):  # placeholder
    raise NotImplementedError

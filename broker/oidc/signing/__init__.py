"""Which key signs what this broker says: told to the operator, and to the record once."""

from broker.feature import Feature
from broker.oidc.signing.age import ages
from broker.oidc.signing.commands import commands

feature = Feature("signing", commands=commands, gauges=ages)

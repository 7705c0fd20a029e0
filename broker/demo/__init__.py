"""A demonstration relying service: a separate program that knows Miftah only by its protocol."""

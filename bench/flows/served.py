"""The broker as the bench serves it where it is not served as shipped."""

from bench.flows import profile
from bench.flows.profile import Wsgi
from broker.app import create_app


def profiled() -> Wsgi:
    """As shipped, and watched on where its time goes."""
    return profile.profiled(create_app())

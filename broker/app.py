"""The front door: the one module that knows every room."""

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from flask import Blueprint, Flask
from sqlalchemy.engine import make_url
from werkzeug.middleware.proxy_fix import ProxyFix

import broker.accounts
import broker.audit
import broker.authentication
import broker.consent
import broker.desk
import broker.notices
import broker.oidc
import broker.oidc.logout
import broker.oidc.signing
import broker.proofing
import broker.proofing.foreign
import broker.rehearsal
from broker import clock, db, entropy, keyring, pool
from broker.feature import Feature
from broker.identity.assurance import SHIPPED, read_policy
from broker.identity.scheme import Scheme, SchemeRejected, graded, key_files
from broker.identity.scheme_folder import HeldSchemes
from broker.identity.verifier import SchemeVerifier, Surroundings, Verifier
from broker.outbound import Outbound
from broker.settings import Settings, read_settings
from broker.verifiers.eidas import EidasVerifier
from broker.verifiers.mrz import READER, MrzVerifier, Worker
from broker.verifiers.upstream import UpstreamVerifier
from broker.web import cookies, csrf, errors, headers, locale, static_files, uploads
from broker.web.pages import pages as shell
from broker.web.tools import Tools
from broker.web.work import work

FEATURES: tuple[Feature, ...] = (
    broker.audit.feature,
    broker.accounts.feature,
    broker.desk.feature,
    broker.authentication.feature,
    broker.notices.feature,
    broker.proofing.feature,
    broker.proofing.foreign.feature,
    broker.consent.feature,
    broker.oidc.feature,
    broker.oidc.logout.feature,
    broker.oidc.signing.feature,
)
"""The rooms, in the order their steps are asked on the way to a code."""


def features(settings: Settings) -> tuple[Feature, ...]:
    """The rooms of this system; the test sign-in only where the settings admit it."""
    return (*FEATURES, broker.rehearsal.feature) if settings.rehearsal else FEATURES


FOREIGN: tuple[type[SchemeVerifier], ...] = (
    EidasVerifier,
    UpstreamVerifier,
)
"""The verifiers of foreign schemes, one a protocol."""


def verifiers(tools: Tools) -> tuple[Verifier, ...]:
    """The doors a person may choose to prove who they are."""
    settings = tools.settings
    around = Surroundings(
        settings.issuer,
        lambda: tools.foreign,
        lambda: tools.keyring,
        tools.random,
        tools.outbound,
        settings.keys_dir,
        unlock=keyring.unlock(settings.keys),
        scheme_files=settings.schemes_dir,
    )
    return (
        MrzVerifier(Worker(READER), specimens=settings.proofing.accept_specimens),
        *(made(around) for made in FOREIGN),
    )


def held_schemes(tools: Tools) -> HeldSchemes:
    """The foreign schemes, to be read again at a word. Raises SchemeRejected at start."""
    judges = {made.protocol: made.judge for made in FOREIGN}

    def judge(schemes: Iterable[Scheme]) -> None:
        for scheme in schemes:
            if scheme.protocol not in judges:
                raise SchemeRejected(f"{scheme.id}.toml: protocol: nobody here speaks it")
            judges[scheme.protocol](scheme)
            for file in key_files(scheme):
                if not (tools.settings.keys_dir / file).is_file():
                    raise SchemeRejected(f"{scheme.id}.toml: no {file} in the folder of the keys")
        graded(schemes, tools.policy)

    return HeldSchemes(tools.settings.schemes_dir, tools.clock, judge)


REQUEST_LIMIT = 16 * 1024 * 1024
"""Bytes of any request: the largest picture (15 MB) and its form."""

FORM_LIMIT = 512 * 1024
"""Bytes of a form's fields, files not counted."""


def create_app(tools: Tools | None = None) -> Flask:
    """The WSGI application; without `tools`, production ones from BROKER_* variables and keys/."""
    tools = tools or production_tools(read_settings(os.environ))
    tools = replace(tools, schemes=tools.schemes or held_schemes(tools))
    tools = replace(
        tools,
        features=tools.features or features(tools.settings),
        verifiers=tools.verifiers or verifiers(tools),
        read_token=tools.read_token or broker.oidc.read_token,
    )
    app = Flask("broker", template_folder="web/templates", static_folder="web/static")
    app.config.update(
        SQLALCHEMY_DATABASE_URI=absolute(tools.settings.database_url),
        SQLALCHEMY_ENGINE_OPTIONS=pool.options(
            tools.settings.database_url, tools.settings.database
        ),
        MAX_CONTENT_LENGTH=REQUEST_LIMIT,
        MAX_FORM_MEMORY_SIZE=FORM_LIMIT,
        MAX_FORM_PARTS=100,
    )
    app.extensions["broker"] = tools
    app.json.sort_keys = False  # type: ignore[attr-defined]  # DefaultJSONProvider has it
    db.install(app)
    for part in (uploads, headers, cookies, locale, csrf, static_files, errors):
        part.install(app)
    app.register_blueprint(shell)
    app.cli.add_command(work)
    for feature in tools.features:
        if feature.pages is not None:
            app.register_blueprint(feature.pages)
        if feature.commands is not None:
            app.cli.add_command(feature.commands)
    for verifier in tools.verifiers:
        # A verifier is no Flask thing: this only makes its templates and scripts findable.
        app.register_blueprint(
            Blueprint(
                verifier.kind,
                type(verifier).__module__,
                template_folder="templates",
                static_folder="static",
                static_url_path=f"/{verifier.kind}/static",
            )
        )
    if hops := tools.settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def production_tools(settings: Settings) -> Tools:
    """Tools with the real time, chance and keys. Raises KeysMissing or ValueError at start."""
    return Tools(
        settings=settings,
        clock=clock.utcnow,
        random=entropy.system,
        keys=keyring.HeldKeyring(
            settings.keys_dir,
            clock.utcnow,
            settings.keys.retire_after,
            keyring.unlock(settings.keys),
        ),
        policy=read_policy(settings.policy_file or SHIPPED),
        outbound=Outbound(local=not settings.secure),
    )


def absolute(url: str) -> str:
    """The database URL, a relative SQLite path made absolute and its folder made.

    Flask-SQLAlchemy would put it under the instance folder; an operator means the folder that
    the broker was started in.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database not in {None, "", ":memory:"}:
        path = Path(str(parsed.database)).absolute()
        path.parent.mkdir(parents=True, exist_ok=True)
        parsed = parsed.set(database=str(path))
    return parsed.render_as_string(hide_password=False)

"""The front door: the one module that knows every room."""

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, request
from sqlalchemy.engine import make_url
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import Rule

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
from broker.measuring import SILENT, UNTRACED, Meter, Tracer
from broker.oidc import short_way
from broker.outbound import Outbound
from broker.settings import MetricsSettings, Settings, TracesSettings, read_settings
from broker.verifiers.eidas import EidasVerifier
from broker.verifiers.mrz import READER, MrzVerifier, Worker
from broker.verifiers.mrz.measured import measured
from broker.verifiers.upstream import UpstreamVerifier
from broker.web import (
    cookies,
    csrf,
    errors,
    headers,
    health,
    lane,
    locale,
    logs,
    observing,
    static_files,
    uploads,
)
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
    reading = measured(Worker(READER, meter=tools.meter), tools.meter)
    return (
        MrzVerifier(reading, specimens=settings.proofing.accept_specimens),
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


class LateRule(Rule):
    """A rule that compiles what builds its addresses when the first one is built.

    All of them at once take a twentieth of the start, and most are never asked for.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: FBT001, FBT002  its parent's
        compiled = super()._compile_builder
        made: list[Callable[..., tuple[str, str]]] = []

        def build(rule: Rule, **values: object) -> tuple[str, str]:
            if not made:
                made.append(compiled(append_unknown))
            return made[0](rule, **values)

        return build


class House(Flask):
    """Flask, but that it does not ask nine times a request whether a function is a coroutine."""

    url_rule_class = LateRule

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself: nothing here is asynchronous."""
        return func

    def preprocess_request(self) -> Any:
        """As Flask's. Raises what the short way came to, if it has only to be told."""
        if (error := lane.fault(request)) is not None:
            raise error
        return super().preprocess_request()


def create_app(tools: Tools | None = None) -> Flask:
    """The WSGI application; without `tools`, production ones from BROKER_* variables and keys/."""
    tools = tools or _started()
    tools = replace(tools, schemes=tools.schemes or held_schemes(tools))
    tools = replace(
        tools,
        features=tools.features or features(tools.settings),
        verifiers=tools.verifiers or verifiers(tools),
        read_token=tools.read_token or broker.oidc.read_token,
    )
    app = House("broker", template_folder="web/templates", static_folder="web/static")
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
    database = tools.settings.database
    db.install(app, tools.settings.database_synchronous, pooler=database.pooler)
    for part in (uploads, headers, cookies, locale, csrf, static_files, errors):
        part.install(app)
    lane.install(app, short_way.DOORS, short_way.DOCUMENTS)
    app.register_blueprint(shell)
    app.register_blueprint(health.pages)
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
    _observe(app, tools)
    return app


def _observe(app: Flask, tools: Tools) -> None:
    """Hang what the operator sees; last, so that it sees every request as it came."""
    settings = tools.settings.metrics
    if settings.token_file is not None:
        from broker.web import metrics  # noqa: PLC0415  its library takes long to import

        app.register_blueprint(metrics.door(settings.token_file, settings.directory))
    tools.meter.know(observing.known(app, tools))
    observing.install(app, tools, (logs.tell,) if tools.settings.log == "json" else ())


def _started() -> Tools:
    """Production tools for this very process, which writes its log as they say."""
    settings = read_settings(os.environ)
    if settings.log == "json":
        logs.install()
    return production_tools(settings)


def production_tools(settings: Settings) -> Tools:
    """Tools with the real time, chance and keys. Raises KeysMissing or ValueError at start."""
    meter, tracer = _meter(settings.metrics), _tracer(settings.traces)
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
        outbound=Outbound(local=not settings.secure, meter=meter, tracer=tracer),
        meter=meter,
        tracer=tracer,
    )


def _meter(settings: MetricsSettings) -> Meter:
    """Raises OSError where the processes have no folder to share."""
    if settings.token_file is None:
        return SILENT
    from broker.measuring.shared import SharedMeter  # noqa: PLC0415  as above

    return SharedMeter(settings.directory, clock.utcnow, entropy.system)


def _tracer(settings: TracesSettings) -> Tracer:
    """Raises ModuleNotFoundError where traces are wanted and their library is not there."""
    if not settings.endpoint:
        return UNTRACED
    from broker.measuring.collector import to_collector  # noqa: PLC0415  an optional dependency

    return to_collector(settings.endpoint, settings.share)


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

"""Languages: which one this answer speaks, and the catalogues of all rooms together."""

import io
from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

import babel
import babel.dates
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, g, request

from broker.web import cookies
from broker.web.tools import tools

LANGUAGES = {"fr": "Français", "ar": "العربية", "en": "English"}
"""Language tag → its own name; English sentences are the msgids, so it needs no catalogue."""

ASKED = "ui_locales"
"""The parameter that asks for languages (OpenID Connect Core §3.1.2.1)."""

RIGHT_TO_LEFT = frozenset({"ar"})
_UNREADABLE = "body_unreadable"
_ROOMS = Path(__file__).parent.parent


def choose() -> str:
    """The language of this answer: ui_locales, else the cookie, else the browser's, else ours."""
    if "language" not in g:
        g.language = _asked() or _remembered() or _accepted() or tools().settings.locale
    return str(g.language)


def direction(language: str) -> str:
    """`rtl` or `ltr`."""
    return "rtl" if language in RIGHT_TO_LEFT else "ltr"


def gettext(message: str, **values: object) -> str:
    """The message in the language of this answer, with its placeholders filled."""
    text = catalogue(choose()).gettext(message)
    return text % values if values else text


def ngettext(one: str, many: str, count: int, **values: object) -> str:
    """The message in the grammatical number that `count` asks for (six forms in Arabic)."""
    text = catalogue(choose()).ngettext(one, many, count)
    return text % {"num": count, **values}


def format_date(day: date) -> str:
    """The day in long form; Arabic as written in Morocco, with Western digits."""
    territory = {"fr": "fr_MA", "ar": "ar_MA", "en": "en_GB"}[choose()]
    return babel.dates.format_date(day, "long", locale=territory)


def listed(things: list[str]) -> str:
    """The things as one phrase: "a; b", with the mark and the space of the language."""
    return {"fr": "\u00a0; ", "ar": "؛ "}.get(choose(), "; ").join(things)


def isolate(text: object) -> str:
    """The text between FSI and PDI: what `<bdi>` does, for a name inside a translated sentence."""
    return f"\u2068{text}\u2069"


def pick(texts: dict[str, str]) -> str:
    """The text in this answer's language, else in the first language there is."""
    return texts.get(choose()) or next(iter(texts.values()), "")


def language_url(language: str) -> str:
    """The link to this page in another language: its query, with `ui_locales` replaced."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != ASKED]
    return "?" + urlencode([*kept, (ASKED, language)])


@cache
def catalogue(language: str) -> NullTranslations:
    """The catalogues of all rooms for one language, as one; English is the msgids themselves."""
    merged: Translations | None = None
    for path in po_files(language):
        mo = io.BytesIO()
        with path.open("rb") as po:
            write_mo(mo, read_po(po, locale=language))
        mo.seek(0)
        # The first one stays the base: an empty Translations knows no plural rule but English's.
        merged = merged.merge(Translations(mo)) if merged else Translations(mo)
    return merged or NullTranslations()


def po_files(language: str) -> Iterable[Path]:
    """Every room's catalogue for one language."""
    return sorted(_ROOMS.glob(f"**/translations/{language}.po"))


def install(app: Flask) -> None:
    """Give templates `_`, the languages and the date format; remember a language once chosen."""
    app.jinja_env.globals.update(
        _=gettext,
        gettext=gettext,
        ngettext=ngettext,
        languages=LANGUAGES,
        language_url=language_url,
        pick=pick,
    )
    app.jinja_env.filters.update(longdate=format_date, isolate=isolate)

    @app.context_processor
    def _language() -> dict[str, str]:
        return {"language": choose(), "direction": direction(choose())}

    @app.before_request
    def _remember() -> None:
        if asked := _asked():
            cookies.write(cookies.LANGUAGE, asked)


def _asked() -> str | None:
    # Space-separated, most wanted first; by POST too, where an authorization request may come so.
    wanted = request.args.get(ASKED) or _posted()
    return _first(wanted[:200].split())


def _posted() -> str:
    # Asked once more by the page that says that the body was too large to be read.
    if request.method != "POST" or g.get(_UNREADABLE):
        return ""
    setattr(g, _UNREADABLE, True)
    wanted = request.form.get(ASKED, "")
    setattr(g, _UNREADABLE, False)
    return wanted


def _remembered() -> str | None:
    return _first([cookies.read(cookies.LANGUAGE) or ""])


def _accepted() -> str | None:
    return _first([tag for tag, quality in request.accept_languages if quality > 0])


def _first(tags: Iterable[str]) -> str | None:
    bases = (tag.lower().split("-")[0] for tag in tags)
    return next((base for base in bases if base in LANGUAGES), None)

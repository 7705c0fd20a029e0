import re

import pytest
from flask import Flask

from broker.identity.assurance import SHIPPED, read_policy
from broker.identity.scheme import Scheme
from broker.proofing.foreign.ways import folded
from tests import visits
from tests.proofing.foreign.conftest import Detour
from tests.visits import Visit

POLICY = read_policy(SHIPPED)


def page(visit: Visit, handle: str, query: str = "", language: str = "en") -> str:
    answer = visit.get(f"/prove/{handle}/countries?ui_locales={language}&q={query}")
    assert answer.status_code == 200
    return answer.text


def listed(text: str) -> list[str]:
    """The countries of the list, in its order."""
    return re.findall(r'class="door" href="[^"]+"><strong><bdi>([^<]+)</bdi>', text)


def test_the_doors_have_one_that_leads_to_all_countries(visit: Visit) -> None:
    handle = visits.ask(visit)
    text = visit.get(f"/prove/{handle}?ui_locales=en").text
    assert text.count("The electronic identity of another country") == 1
    assert f'href="/prove/{handle}/countries"' in text
    assert "A letter" in text


def test_every_country_is_listed_with_the_level_that_it_can_reach(visit: Visit) -> None:
    text = page(visit, visits.ask(visit))
    assert listed(text) == ["France", "Germany"]
    assert "level “official”" in text
    assert "level “basic”" in text


def test_only_what_reaches_the_asked_level_is_listed(visit: Visit) -> None:
    text = page(visit, visits.ask(visit, acr_values="verified-phr"))
    assert listed(text) == ["France"]
    assert "Only identities that can reach it are listed." in text


def test_where_nothing_reaches_it_the_nearest_are_listed_and_it_is_said(
    visit: Visit, schemes: dict[str, Scheme]
) -> None:
    del schemes["trial"]
    text = page(visit, visits.ask(visit, acr_values="official-phr"))
    assert listed(text) == ["Germany"]
    assert "With these you come nearest" in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("german", ["Germany"]),
        ("Allemagne", ["Germany"]),
        ("ألمانيا", ["Germany"]),
        ("المانيا", ["Germany"]),
        ("FRANCE", ["France"]),
        ("de", ["Germany"]),
        ("modeste", ["Germany"]),
        ("d'essai", ["France"]),
        ("atlantis", []),
        ("%25_", []),
    ],
)
def test_a_search_finds_names_in_any_of_our_languages(
    visit: Visit, query: str, found: list[str]
) -> None:
    text = page(visit, visits.ask(visit), query)
    assert [name for name in listed(text) if query != "de" or name == "Germany"] == found


def test_the_list_is_in_the_persons_language(visit: Visit) -> None:
    handle = visits.ask(visit)
    assert listed(page(visit, handle, language="fr")) == ["Allemagne", "France"]
    assert listed(page(visit, handle, language="ar")) == ["ألمانيا", "فرنسا"]
    assert "هوية تجريبية" in page(visit, handle, language="ar")


def test_the_page_needs_no_script(visit: Visit) -> None:
    text = page(visit, visits.ask(visit))
    assert '<form method="get"' in text
    assert "onclick" not in text


def test_a_country_that_is_not_there_is_no_dead_end(visit: Visit) -> None:
    handle = visits.ask(visit)
    text = page(visit, handle, "atlantis")
    assert "Nothing here is called “\u2068atlantis\u2069”." in text
    assert f'<a href="/prove/{handle}/letter">A letter</a>' in text
    assert "Show all" in text


def test_no_scheme_at_all_is_no_dead_end(visit: Visit, schemes: dict[str, Scheme]) -> None:
    schemes.clear()
    handle = visits.ask(visit)
    text = page(visit, handle)
    assert "No identity of another country can be used here at the moment." in text
    assert f'href="/prove/{handle}/letter"' in text
    assert "another country" not in visit.get(f"/prove/{handle}?ui_locales=en").text


def test_a_search_is_shown_and_never_taken_for_markup(visit: Visit) -> None:
    assert "<script>alert" not in page(visit, visits.ask(visit), "<script>alert(1)</script>")


def test_a_door_without_a_chosen_scheme_leads_to_the_list(detour: Detour) -> None:
    handle = detour.handle
    for chosen in ("", "?scheme=none", "?scheme=lowly&country=DE", "?scheme=trial&country=DE"):
        answer = detour.visit.get(f"/prove/{handle}/upstream{chosen}")
        assert (answer.status_code, answer.location) == (303, f"/prove/{handle}/countries")


def test_a_scheme_of_one_country_needs_no_country_named(detour: Detour) -> None:
    detour.country = ""
    assert detour.leave().startswith("https://op.test/authorize?")


def test_what_the_service_asked_for_is_what_is_asked_there(detour: Detour, visit: Visit) -> None:
    assert "acr_values=eidas2" in detour.leave()
    detour.handle = visits.ask(visit)
    assert "acr_values=eidas1" in detour.leave()
    detour.handle = visits.ask(visit, acr_values="official-phr")
    assert "acr_values=eidas3" in detour.leave()


def test_from_the_account_page_every_country_is_open(visit: Visit) -> None:
    text = page(visit, "account")
    assert listed(text) == ["France", "Germany"]
    assert "Back to your account" in text


def test_nobody_chooses_a_country_unless_signed_in(app: Flask) -> None:
    stranger = visits.come(app)
    assert stranger.get(f"/prove/{visits.ask(stranger)}/countries").status_code == 404


def test_names_are_compared_without_marks_and_case() -> None:
    assert folded("  Émirats ARABES  unis ") == "emirats arabes unis"
    assert folded("الإمارات العربية") == folded("الامارات العربيه")

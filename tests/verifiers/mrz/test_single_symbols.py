"""Any one symbol changed in any document is refused or caught, save where nothing could see it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from broker.errors import EvidenceRejected
from broker.verifiers.mrz.grammar import SYMBOLS, cells, twins
from broker.verifiers.mrz.layouts import layout_of
from broker.verifiers.mrz.zone import Lines, parse
from tests.verifiers.mrz.strategies import TODAY, documents, holders
from tests.verifiers.mrz.writer import td1, td2, td3, visa

FRENCH_CARD = ("IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<", "8806923102858CORINNE<<<<<<<6512068F6")


@st.composite
def zones(draw: st.DrawFn) -> Lines:
    kind = draw(st.sampled_from(("TD3", "TD2", "TD1", "MRV-A", "MRV-B", "IDFRA")))
    holder = draw(holders())
    if kind == "TD3":
        return td3(holder, draw(documents("P", optional=14)))
    if kind == "TD2":
        return td2(holder, draw(documents("I")))
    if kind == "TD1":
        return td1(holder, draw(documents("C", longest=20)))
    width = 44 if kind == "MRV-A" else 36
    return FRENCH_CARD if kind == "IDFRA" else visa(holder, draw(documents("V")), width)


@settings(max_examples=300, deadline=None)
@given(zones(), st.data())
def test_a_changed_symbol_passes_only_where_no_check_digit_can_see_it(
    lines: Lines, data: st.DataObject
) -> None:
    line = data.draw(st.integers(0, len(lines) - 1))
    place = data.draw(st.integers(0, len(lines[0]) - 1))
    old = lines[line][place]
    new = data.draw(st.sampled_from([symbol for symbol in SYMBOLS if symbol != old]))
    changed = list(lines)
    changed[line] = lines[line][:place] + new + lines[line][place + 1 :]
    if not passes(tuple(changed)):
        return
    layout = layout_of(tuple(changed))
    assert layout is not None
    cell = cells(layout)[line][place]
    assert new in cell.symbols
    # Names, codes, sex and a visa's own data have no digit; guarded places have twins; the
    # digit that guards empty optional data may be a filler.
    assert not cell.guards or new in twins(old)
    assert cell.digit_of is None or {old, new} <= {"0", "<"}


def passes(lines: Lines) -> bool:
    try:
        return parse(lines, TODAY).holds()
    except EvidenceRejected:
        return False

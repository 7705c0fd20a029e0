"""The verifier's reading of RFC 6962 against the broker's, which is another one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.audit import merkle as ours
from miftah_verify import merkle
from miftah_verify.refused import Refused
from tests.miftah_verify.made import leaves

sizes = st.integers(1, 70)


@given(sizes)
def test_both_find_the_same_root(size: int) -> None:
    hashes = leaves(size)
    assert merkle.root(hashes) == ours.root(ours.nodes_over(hashes), size)


@given(sizes, st.data())
def test_what_the_broker_proves_the_verifier_accepts(size: int, data: st.DataObject) -> None:
    hashes, index = leaves(size), data.draw(st.integers(0, size - 1))
    nodes = ours.nodes_over(hashes)
    head = ours.root(nodes, size)
    merkle.verify_inclusion(
        hashes[index], index, size, ours.inclusion_proof(nodes, index, size), head
    )
    old = index + 1
    merkle.verify_consistency(
        old, size, ours.consistency_proof(nodes, old, size), ours.root(nodes, old), head
    )


def _says(verify: object, *arguments: object) -> bool:
    try:
        verify(*arguments)  # type: ignore[operator]
    except (Refused, ours.ProofRejected):
        return False
    return True


@given(sizes, sizes, st.lists(st.integers(0, 9), max_size=9), st.data())
def test_both_refuse_the_same_paths(
    old: int, new: int, picks: list[int], data: st.DataObject
) -> None:
    hashes = leaves(10)
    path = [hashes[n] for n in picks]
    heads = (merkle.root(leaves(old)), merkle.root(leaves(new)))
    honest, cut = data.draw(st.tuples(st.booleans(), st.booleans()))
    if honest and old <= new:
        path = list(ours.consistency_proof(ours.nodes_over(leaves(new)), old, new))
        if path and cut:
            path.pop()
    step = (old, new, path, *heads)
    assert _says(merkle.verify_consistency, *step) == _says(ours.verify_consistency, *step)
    place = (hashes[0], old, new, path, heads[1])
    assert _says(merkle.verify_inclusion, *place) == _says(ours.verify_inclusion, *place)


@pytest.mark.parametrize(
    ("old", "new", "path", "heads"),
    [
        (2, 1, [], (b"x" * 32, b"x" * 32)),
        (0, 1, [], (b"x" * 32, b"x" * 32)),
        (0, 1, [b"x" * 32], (merkle.EMPTY, b"x" * 32)),
        (1, 1, [], (b"x" * 32, b"y" * 32)),
        (1, 1, [b"x" * 32], (b"x" * 32, b"x" * 32)),
        (1, 2, [b"x" * 31], (b"x" * 32, b"x" * 32)),
        (-1, 2, [], (b"x" * 32, b"x" * 32)),
    ],
)
def test_a_step_that_is_none_is_refused(
    old: int, new: int, path: list[bytes], heads: tuple[bytes, bytes]
) -> None:
    with pytest.raises(Refused):
        merkle.verify_consistency(old, new, path, *heads)

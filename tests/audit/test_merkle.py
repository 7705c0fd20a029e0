from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.audit.merkle import (
    EMPTY,
    Frontier,
    Hash,
    ProofRejected,
    complete,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    nodes_over,
    root,
    verify_consistency,
    verify_inclusion,
)

logs = st.lists(st.binary(max_size=8), min_size=1, max_size=70)

# The eight entries and the roots over the first one, two, three… of them that the
# Certificate Transparency project publishes for RFC 6962.
ENTRIES = [
    bytes.fromhex(each)
    for each in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def hashes(entries: list[bytes]) -> list[Hash]:
    return [leaf_hash(entry) for entry in entries]


def test_the_head_of_no_entries_is_the_hash_of_nothing() -> None:
    # RFC 6962 §2.1: MTH({}) = SHA-256()
    assert root(nodes_over([]), 0).hex() == (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )
    assert Frontier().root() == EMPTY == root(nodes_over([]), 0)


@pytest.mark.parametrize("size", range(1, 9))
def test_the_published_roots(size: int) -> None:
    assert root(nodes_over(hashes(ENTRIES)), size).hex() == ROOTS[size - 1]


def test_a_published_path() -> None:
    # Entry 5 of 8, by the same source.
    path = inclusion_proof(nodes_over(hashes(ENTRIES)), 5, 8)
    assert [step.hex() for step in path] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@given(logs, st.data())
def test_every_entry_proves_its_place(entries: list[bytes], data: st.DataObject) -> None:
    nodes, size = nodes_over(hashes(entries)), len(entries)
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_proof(nodes, index, size)
    verify_inclusion(leaf_hash(entries[index]), index, size, path, root(nodes, size))


@given(logs, st.data())
def test_no_entry_proves_another_place(entries: list[bytes], data: st.DataObject) -> None:
    unlike = [entry + n.to_bytes(2, "big") for n, entry in enumerate(entries)]
    nodes, size = nodes_over(hashes(unlike)), len(unlike)
    index, place = (data.draw(st.integers(0, size - 1)) for _ in range(2))
    path = inclusion_proof(nodes, index, size)
    if index != place:
        with pytest.raises(ProofRejected):
            verify_inclusion(leaf_hash(unlike[index]), place, size, path, root(nodes, size))


@given(logs, st.data())
def test_no_entry_proves_itself_under_another_size(
    entries: list[bytes], data: st.DataObject
) -> None:
    nodes, size = nodes_over(hashes(entries)), len(entries)
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_proof(nodes, index, size)
    # A size that leaves the shape of this path as it is proves nothing else: the root is
    # signed together with its size. Where the shape differs the path must not fit.
    with pytest.raises(ProofRejected):
        verify_inclusion(leaf_hash(entries[index]), index, size * 2, path, root(nodes, size))


@given(logs, st.data())
def test_any_edit_changes_the_head(entries: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(entries) - 1))
    edited = [*entries[:index], entries[index] + b"!", *entries[index + 1 :]]
    size = len(entries)
    assert root(nodes_over(hashes(edited)), size) != root(nodes_over(hashes(entries)), size)


@given(logs, st.data())
def test_every_beginning_is_proved_to_be_one(entries: list[bytes], data: st.DataObject) -> None:
    nodes = nodes_over(hashes(entries))
    new = data.draw(st.integers(0, len(entries)))
    old = data.draw(st.integers(0, new))
    path = consistency_proof(nodes, old, new)
    verify_consistency(old, new, path, root(nodes, old), root(nodes, new))


@given(logs, st.data())
def test_no_rewritten_beginning_is_proved(entries: list[bytes], data: st.DataObject) -> None:
    nodes, new = nodes_over(hashes(entries)), len(entries)
    old = data.draw(st.integers(1, new))
    index = data.draw(st.integers(0, old - 1))
    rewritten = [*entries[:index], entries[index] + b"!", *entries[index + 1 :]]
    others = nodes_over(hashes(rewritten))
    for path in (consistency_proof(nodes, old, new), consistency_proof(others, old, new)):
        with pytest.raises(ProofRejected):
            verify_consistency(old, new, path, root(nodes, old), root(others, new))


@given(logs, st.data())
def test_a_bent_path_is_refused(entries: list[bytes], data: st.DataObject) -> None:
    nodes, size = nodes_over(hashes(entries)), len(entries)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    head, leaf = root(nodes, size), leaf_hash(entries[index])
    for bent in _bend(inclusion_proof(nodes, index, size)):
        with pytest.raises(ProofRejected):
            verify_inclusion(leaf, index, size, bent, head)
    for bent in _bend(consistency_proof(nodes, old, size)):
        with pytest.raises(ProofRejected):
            verify_consistency(old, size, bent, root(nodes, old), head)


def _bend(path: tuple[Hash, ...]) -> list[tuple[Hash, ...]]:
    bent = [(*path, EMPTY), (EMPTY, *path)]
    if path:
        flipped = bytes([path[0][0] ^ 1]) + path[0][1:]
        bent += [path[:-1], path[1:], (flipped, *path[1:]), (path[0][:31], *path[1:])]
    bent += [(*path[:n], b, a, *path[n + 2 :]) for n, (a, b) in enumerate(pairwise(path)) if a != b]
    return bent


@given(logs)
def test_the_frontier_has_the_head_of_every_size(entries: list[bytes]) -> None:
    frontier, leaves = Frontier(), hashes(entries)
    for size, leaf in enumerate(leaves, 1):
        frontier.append(leaf)
        assert frontier.size == size
        assert frontier.root() == root(nodes_over(leaves), size)


@pytest.mark.parametrize(
    ("old", "new"),
    [(-1, 5), (6, 5)],
)
def test_sizes_that_cannot_be_are_refused(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="beginning"):
        consistency_proof(nodes_over(hashes(ENTRIES)), old, new)
    with pytest.raises(ProofRejected, match="beginning"):
        verify_consistency(old, new, (), EMPTY, EMPTY)


@pytest.mark.parametrize("index", [-1, 8])
def test_an_index_outside_the_tree_is_refused(index: int) -> None:
    with pytest.raises(ValueError, match="no entry"):
        inclusion_proof(nodes_over(hashes(ENTRIES)), index, 8)
    with pytest.raises(ProofRejected, match="no entry"):
        verify_inclusion(EMPTY, index, 8, (), EMPTY)


def test_one_size_has_one_root() -> None:
    with pytest.raises(ProofRejected, match="two roots"):
        verify_consistency(8, 8, (), bytes.fromhex(ROOTS[7]), bytes.fromhex(ROOTS[6]))


def test_no_entries_have_only_one_root() -> None:
    with pytest.raises(ProofRejected, match="yet a root"):
        verify_consistency(0, 8, (), bytes.fromhex(ROOTS[0]), bytes.fromhex(ROOTS[7]))


@pytest.mark.parametrize("count", [0, 3, 255])
def test_only_a_power_of_two_makes_a_complete_subtree(count: int) -> None:
    with pytest.raises(ValueError, match="power of two"):
        complete([EMPTY] * count)


A, B = leaf_hash(b"a"), leaf_hash(b"b")


def test_a_path_that_goes_on_above_the_tree_is_refused() -> None:
    # The head of two entries, passed off as that of one.
    with pytest.raises(ProofRejected, match="too long"):
        verify_inclusion(B, 0, 1, [A], node_hash(A, B))
    with pytest.raises(ProofRejected, match="too long"):
        verify_consistency(1, 2, [B, A], A, node_hash(A, node_hash(A, B)))


def test_a_path_that_ends_below_the_head_is_refused() -> None:
    # The head of two entries, passed off as that of four.
    with pytest.raises(ProofRejected, match="too short"):
        verify_inclusion(A, 0, 4, [B], node_hash(A, B))
    with pytest.raises(ProofRejected, match="too short"):
        verify_consistency(1, 4, [B], A, node_hash(A, B))


def test_a_step_that_is_no_hash_is_refused() -> None:
    for step in (b"x" * 31, b"x" * 33, b""):
        with pytest.raises(ProofRejected, match="32 bytes"):
            verify_inclusion(A, 0, 2, [step], node_hash(A, step))
        with pytest.raises(ProofRejected, match="32 bytes"):
            verify_consistency(1, 2, [step], A, node_hash(A, step))


def test_a_proof_over_a_million_entries_asks_for_few_subtrees() -> None:
    asked = []

    def node(height: int, position: int) -> Hash:
        asked.append((height, position))
        return EMPTY

    inclusion_proof(node, 123_456, 1_000_003)
    assert len(asked) <= 40
    consistency_proof(node, 123_456, 1_000_003)
    assert len(asked) <= 80

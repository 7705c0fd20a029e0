import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.audit import merkle
from miftah_verify.directory import ENTRIES, parse_tile_path, tile_path, verify_directory
from miftah_verify.policy import simple
from miftah_verify.refused import Refused
from tests.miftah_verify.made import KEY, Files, checkpoint, entries, published

POLICY = simple(KEY)
SIZE = 600


def judge(files: Files, earlier: Files | None = None, minimum: int = 0) -> tuple[int | None, ...]:
    """(first, last) of the fault, () where the log holds."""
    before = earlier.get if earlier else None
    try:
        verify_directory(files.get, POLICY, names=files.keys(), earlier=before, minimum=minimum)
    except Refused as error:
        return error.index, error.last
    return ()


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 512, 600])
def test_an_honest_log_holds(size: int) -> None:
    assert judge(published(entries(size))) == ()


def change(files: Files, name: str, old: bytes, new: bytes) -> None:
    assert old in files[name]
    files[name] = files[name].replace(old, new)


def test_an_entry_that_was_edited_is_named() -> None:
    files = published(entries(SIZE))
    change(files, "tile/entries/001", b'{"n":300}', b'{"n":999}')
    assert judge(files) == (300, 300)


def test_a_hash_that_was_changed_is_named() -> None:
    files = published(entries(SIZE))
    change(files, "tile/0/001", merkle.leaf_hash(b'{"n":300}'), b"x" * 32)
    assert judge(files) == (300, 300)


def test_a_tile_above_that_was_changed_names_the_entries_below_it() -> None:
    files = published(entries(SIZE))
    name = "tile/1/000.p/2"
    files[name] = files[name][:32] + b"x" * 32
    assert judge(files) == (256, 511)


def test_an_entry_left_out_is_named() -> None:
    files = published(entries(SIZE))
    change(files, "tile/entries/000", b'\x00\x08{"n":17}', b"")
    assert judge(files) == (17, 17)


def test_an_entry_put_in_is_named() -> None:
    files = published(entries(SIZE))
    change(files, "tile/entries/002.p/88", b'\x00\x09{"n":520}', b'\x00\x01x\x00\x09{"n":520}')
    assert judge(files) == (520, 520)


def test_an_entry_put_at_the_end_is_named() -> None:
    files = published(entries(SIZE))
    files["tile/entries/002.p/88"] += b"\x00\x01x"
    assert judge(files) == (SIZE, SIZE)


def test_two_entries_swapped_are_named_by_the_first() -> None:
    files = published(entries(SIZE))
    change(files, "tile/entries/000", b'{"n":17}\x00\x08{"n":18}', b'{"n":18}\x00\x08{"n":17}')
    assert judge(files) == (17, 17)


def test_a_tail_that_was_cut_is_named_by_where_it_begins() -> None:
    files = published(entries(590), checkpoint([merkle.leaf_hash(e) for e in entries(SIZE)]))
    assert judge(files) == (590, 590)


def test_a_tile_that_is_missing_is_named() -> None:
    files = published(entries(SIZE))
    del files["tile/0/001"]
    assert judge(files) == (256, 256)


def test_a_bundle_that_ends_in_an_entry_is_named() -> None:
    files = published(entries(SIZE))
    files["tile/entries/002.p/88"] = files["tile/entries/002.p/88"][:-1]
    assert judge(files) == (599, 599)


def rewritten() -> Files:
    held = entries(SIZE)
    signed = published(held)["checkpoint"].decode()
    held[300] = b"forged"
    return published(held, signed)


def test_a_history_written_anew_under_an_old_signature_does_not_hold() -> None:
    assert judge(rewritten()) == (0, SIZE - 1)


def test_a_copy_from_before_tells_where_it_was_written_anew() -> None:
    assert judge(rewritten(), earlier=published(entries(SIZE))) == (300, 300)
    assert judge(rewritten(), earlier=published(entries(310))) == (300, 300)


def test_full_tiles_may_stand_where_partial_ones_were() -> None:
    grown = published(entries(700))
    files = published(entries(SIZE))
    del files["tile/0/002.p/88"], files["tile/entries/002.p/88"]
    bundles = published(entries(768))
    files["tile/0/002"] = bundles["tile/0/002"]
    files["tile/entries/002"] = bundles["tile/entries/002"]
    assert len(grown) > 0
    assert judge(files) == ()


def test_pruned_entries_may_be_missing_but_not_their_hashes() -> None:
    files = published(entries(SIZE))
    del files["tile/entries/000"]
    assert judge(files, minimum=256) == ()
    assert judge(files, minimum=255) == (0, 0)
    assert judge(files) == (0, 0)
    change(files, "tile/0/000", merkle.leaf_hash(b'{"n":17}'), b"x" * 32)
    assert judge(files, minimum=256) == (0, 255)
    assert judge(files, minimum=SIZE + 1) == (None, None)


def test_without_a_checkpoint_nothing_holds() -> None:
    files = published(entries(3))
    del files["checkpoint"]
    assert judge(files) == (None, None)


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ((0, 0, 256), "tile/0/000"),
        ((ENTRIES, 999, 3), "tile/entries/999.p/3"),
        ((1, 1000, 256), "tile/1/x001/000"),
        ((63, 1_234_067, 256), "tile/63/x001/x234/067"),
    ],
)
def test_the_path_of_a_tile_has_one_spelling(arguments: tuple[int, int, int], path: str) -> None:
    assert tile_path(*arguments) == path
    assert parse_tile_path(path) == arguments


@given(st.integers(-1, 63), st.integers(0, 10**12), st.integers(1, 256))
def test_every_path_is_read_as_it_was_written(level: int, number: int, width: int) -> None:
    assert parse_tile_path(tile_path(level, number, width)) == (level, number, width)


@pytest.mark.parametrize(
    "path",
    [
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/000",
        "tile/0/x001/x000",
        "tile/0/000.p/256",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000/",
        "tile/data/000",
        "/tile/0/000",
        "tile/0/٠٠٠",
        "tile/0/000\n",
    ],
)
def test_other_spellings_are_refused(path: str) -> None:
    with pytest.raises(Refused):
        parse_tile_path(path)

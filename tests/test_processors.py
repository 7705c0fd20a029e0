"""A worker keeps to one processor while others leave it one: sentences, and what holds always."""

import random
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.processors import (
    CROWDED,
    FREER,
    PATIENCE,
    REST,
    Look,
    Seat,
    busy_in,
    keep_to_one,
    look,
    ours,
    seat_after,
)

FIRST: Callable[[], float] = lambda: 0.0  # noqa: E731  stays where there is a choice
LAST: Callable[[], float] = lambda: 0.999  # noqa: E731  goes where there is a choice

several = pytest.mark.skipif(len(ours()) < 2, reason="one processor: nothing to choose")


def after_a_second(
    seat: Seat, busy: Mapping[int, float], own: float = 0.0, draw: Callable[[], float] = LAST
) -> Seat:
    """Where it goes when its own work is `own` and each processor was at work so long."""
    nothing = Look(10.0, 5.0, dict.fromkeys(busy, 100.0))
    seen = Look(11.0, 5.0 + own, {p: 100.0 + share for p, share in busy.items()})
    return seat_after(seat, nothing, seen, draw)


def test_it_begins_at_the_processor_that_others_use_least() -> None:
    assert after_a_second(Seat(), {0: 0.9, 1: 0.1, 2: 0.6}).on == 1


def test_of_two_that_are_as_free_chance_chooses() -> None:
    assert {after_a_second(Seat(), {0: 0.02, 1: 0.0}, draw=d).on for d in (FIRST, LAST)} == {0, 1}


def test_its_own_work_is_no_reason_to_go() -> None:
    assert after_a_second(Seat(0), {0: 1.0, 1: 0.0}, own=0.9) == Seat(0)


def test_a_moment_of_others_is_no_reason_to_go() -> None:
    assert after_a_second(Seat(0), {0: 1.0, 1: 0.0}, own=0.3) == Seat(0, crowded=1)


def test_it_goes_where_others_keep_using_its_processor_and_another_is_freer() -> None:
    tired = Seat(0, crowded=PATIENCE - 1)
    assert after_a_second(tired, {0: 1.0, 1: 0.1, 2: 0.6}, own=0.5) == Seat(1)


def test_of_two_that_are_crowded_together_one_may_stay() -> None:
    tired = Seat(0, crowded=PATIENCE - 1)
    assert after_a_second(tired, {0: 1.0, 1: 0.0}, own=0.5, draw=FIRST).on == 0


def test_a_moment_of_quiet_makes_it_patient_again() -> None:
    assert after_a_second(Seat(0, crowded=5), {0: 0.6, 1: 0.0}, own=0.5) == Seat(0)


def test_it_stays_where_no_other_is_freer_and_there_is_room() -> None:
    tired = Seat(0, crowded=PATIENCE)
    assert after_a_second(tired, {0: 0.6, 1: 0.4}, own=0.1).on == 0


def test_it_leaves_the_choice_to_the_kernel_where_all_are_full() -> None:
    left = after_a_second(Seat(0, crowded=PATIENCE), {0: 1.0, 1: 1.0}, own=0.5)
    assert left.on is None
    assert REST <= left.rests <= 2 * REST


def test_it_rests_before_it_tries_again() -> None:
    assert after_a_second(Seat(rests=3), {0: 0.0, 1: 0.0}) == Seat(rests=2)


def test_it_does_not_sit_down_where_others_need_every_processor() -> None:
    assert after_a_second(Seat(), {0: 1.0, 1: 1.0}, own=0.4) == Seat()


def test_it_sits_down_where_others_fit_beside_it() -> None:
    assert after_a_second(Seat(), {0: 1.0, 1: 1.0}, own=0.9).on in {0, 1}


def test_a_processor_that_was_taken_from_it_is_given_up() -> None:
    assert after_a_second(Seat(7, crowded=3), {0: 0.5, 1: 0.0}) == Seat(1)


shares = st.floats(0, 1)
machines = st.dictionaries(st.integers(0, 63), shares, min_size=2, max_size=16)
seats = st.builds(Seat, st.none() | st.integers(0, 63), st.integers(0, 9), st.integers(0, 9))


@given(seats, machines, shares, st.randoms(use_true_random=False))
def test_it_is_only_ever_where_it_may_be(
    seat: Seat, busy: dict[int, float], own: float, chance: random.Random
) -> None:
    on = after_a_second(seat, busy, own, chance.random).on
    assert on is None or on in busy


@given(machines, shares, st.integers(0, 9), st.randoms(use_true_random=False))
def test_it_never_goes_where_it_would_not_have_more(
    busy: dict[int, float], own: float, crowded: int, chance: random.Random
) -> None:
    here = min(busy)
    seat = after_a_second(Seat(here, crowded), busy, own, chance.random)
    of_others = busy[here] - own
    if seat.on != here:
        assert of_others > CROWDED
    if seat.on not in {here, None}:
        assert busy[seat.on] <= of_others - FREER + 1e-6


@given(st.integers(2, 6), st.integers(1, 6), st.integers())
def test_workers_that_are_busy_part_and_then_stay(many: int, workers: int, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  who moves is no secret
    sat = [Seat(0)] * min(workers, many)
    for _ in range(100):
        sat = a_second_of_work(sat, many, chance.random)
    assert len({seat.on for seat in sat}) == len(sat)
    assert a_second_of_work(sat, many, chance.random) == sat


def a_second_of_work(sat: list[Seat], many: int, draw: Callable[[], float]) -> list[Seat]:
    """All of them want a whole processor; those that share one get a part of it."""
    there = [sum(1 for other in sat if other.on == seat.on) for seat in sat]
    busy = {p: float(any(seat.on == p for seat in sat)) for p in range(many)}
    return [after_a_second(seat, busy, 1 / n, draw) for seat, n in zip(sat, there, strict=True)]


STAT = """cpu  30 30 30 9999 9999 0 0 0 0 0
cpu0 10 20 30 9999 9999 1 2 3 99 99
cpu11 0 0 5 1 1
intr 5 5 5
"""


def test_a_processor_is_at_work_for_whoever_it_is() -> None:
    assert busy_in(STAT, 100) == {0: 0.66, 11: 0.05}


@given(st.text(alphabet="cpu 0123456789\n-x"))
def test_what_the_kernel_would_not_say_is_a_wrong_value_at_most(text: str) -> None:
    try:
        found = busy_in(text, 100)
    except ValueError:
        return
    assert all(isinstance(p, int) for p in found)


def test_every_processor_of_ours_is_seen() -> None:
    assert look().busy.keys() == ours()


WATCHING = """
import os, threading
from broker import processors

def there(thread=0):
    return sorted(os.sched_getaffinity(thread))

def idle():
    forever.wait()

forever, may = threading.Event(), there()
others = [threading.Thread(target=idle, daemon=True) for _ in range(2)]
for each in others:
    each.start()
steps = processors.keep_to_one(lambda: 0.0)

def watch():
    for _ in range(3):
        assert next(steps, None) is not None
    for each in others:
        assert len(there(each.native_id)) == 1, there(each.native_id)
    process = os.posix_spawn("/bin/sleep", ["sleep", "60"], {})
    assert len(there(process)) == 1
    processors.set_free(process)
    assert there(process) == may
    os.kill(process, 9)

watching = threading.Thread(target=watch)
watching.start()
watching.join()
assert there() == may
print("well")
"""


@several
def test_all_threads_keep_to_one_but_the_main_one_and_what_is_set_free() -> None:
    assert python(WATCHING) == "well"


def python(program: str) -> str:
    """What it printed, in a process of its own: a processor is a process's, not a test's."""
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr
    return told.stdout.strip()


ALONE = """
import os
from broker.processors import keep_to_one
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
print(next(keep_to_one(lambda: 0.0), "nothing"))
"""


def test_nothing_is_done_where_there_is_one_processor_only() -> None:
    assert python(ALONE) == "nothing"


@pytest.mark.parametrize("said", [None, "", "cpu\ncpu0 x", "cpu\ncpu0 1"])
def test_nothing_is_done_where_nothing_is_told(said: str | None, tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    if said is not None:
        stat.write_text(said, "ascii")
    assert list(keep_to_one(LAST, stat)) == []

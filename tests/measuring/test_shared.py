"""What one process counts, all others read; nothing that anybody sends becomes a label."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker import entropy
from broker.measuring import SILENT
from broker.measuring.catalogue import (
    CONNECTIONS,
    ERRORS,
    LIMITS,
    LOGINS,
    REQUESTS,
    TOKENS,
    UPSTREAM,
)
from broker.measuring.folder import SIZE, gathered
from broker.measuring.shared import MOST, SharedMeter
from broker.measuring.text import exposed
from tests.conftest import StoppedClock

COUNTS = """
import sys
from pathlib import Path
from broker import clock, entropy
from broker.measuring.catalogue import CONNECTIONS, LIMITS, UPSTREAM
from broker.measuring.shared import SharedMeter
meter = SharedMeter(Path(sys.argv[1]), clock.utcnow, entropy.system)
meter.know({"routes": lambda: {"/token"}, "schemes": lambda: {"france"}})
meter.count(LIMITS, "/token", by=3)
meter.count(CONNECTIONS, "open")
print("counted", flush=True)
sys.stdin.read()
"""


def told(folder: Path) -> str:
    return exposed(gathered(folder)[0], ()).decode()


@pytest.fixture
def other(folder: Path) -> Callable[[], subprocess.Popen[str]]:
    """Begins another process that has limits of /token counted three times."""

    def begin() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", COUNTS, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "counted\n"
        return process

    return begin


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    with process:
        pass


def test_a_counter_is_told(meter: SharedMeter, folder: Path) -> None:
    meter.know({"acr": lambda: {"p1c2"}})
    meter.count(LOGINS, "p1c2", "accepted")
    meter.count(LOGINS, "p1c2", "accepted")
    assert 'broker_logins_total{acr="p1c2",result="accepted"} 2.0' in told(folder)


def test_a_histogram_counts_what_was_at_most_its_bounds(meter: SharedMeter, folder: Path) -> None:
    for seconds in (0.001, 0.0015, 99):
        meter.observe(TOKENS, seconds, "refresh_token")
    lines = told(folder)
    for bound, count in (("0.0005", 0), ("0.001", 1), ("0.002", 2), ("5", 2), ("+Inf", 3)):
        assert f'bucket{{grant="refresh_token",le="{bound}"}} {count}.0' in lines
    assert 'broker_token_issue_seconds_count{grant="refresh_token"} 3.0' in lines
    assert 'broker_token_issue_seconds_sum{grant="refresh_token"} 99.0025' in lines


def test_what_two_processes_count_is_added(
    meter: SharedMeter, folder: Path, other: Callable[[], subprocess.Popen[str]]
) -> None:
    meter.know({"routes": lambda: {"/token"}})
    meter.count(LIMITS, "/token")
    process = other()
    assert gathered(folder)[1] == 2
    assert 'broker_limits_hit_total{route="/token"} 4.0' in told(folder)
    end(process)


def test_a_counter_does_not_fall_when_its_process_is_killed_and_its_file_is_gone(
    meter: SharedMeter, folder: Path, other: Callable[[], subprocess.Popen[str]]
) -> None:
    for _ in range(2):
        end(other())
        told(folder)
    assert 'broker_limits_hit_total{route="/token"} 6.0' in told(folder)
    assert [path.name for path in folder.glob("*.live")] == [meter.file.name]


def test_what_the_dead_held_is_held_no_more(
    meter: SharedMeter, folder: Path, other: Callable[[], subprocess.Popen[str]]
) -> None:
    meter.count(CONNECTIONS, "open")
    process = other()
    assert 'broker_database_connections{state="open"} 2.0' in told(folder)
    end(process)
    assert 'broker_database_connections{state="open"} 1.0' in told(folder)


def test_the_last_word_counts_whoever_said_it(folder: Path, clock: StoppedClock) -> None:
    first, second = (SharedMeter(folder, clock, entropy.system) for _ in range(2))
    for meter in (first, second):
        meter.know({"schemes": lambda: {"france"}})
    second.note(UPSTREAM, 1, "france")
    clock.forward(seconds=1)
    first.note(UPSTREAM, 0, "france")
    assert 'broker_upstream_up{scheme="france"} 0.0' in told(folder)
    clock.forward(seconds=1)
    second.note(UPSTREAM, 1, "france")
    assert 'broker_upstream_up{scheme="france"} 1.0' in told(folder)


def test_a_fork_counts_for_itself(meter: SharedMeter, folder: Path) -> None:
    meter.know({"codes": lambda: {"not_found"}})
    meter.count(ERRORS, "not_found")
    if (child := os.fork()) == 0:
        meter.count(ERRORS, "not_found")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert 'broker_errors_total{code="not_found"} 2.0' in told(folder)


def test_a_fork_without_a_folder_goes_on_and_counts_for_nobody(
    meter: SharedMeter, folder: Path
) -> None:
    shutil.rmtree(folder)
    folder.write_text("not a folder")
    if (child := os.fork()) == 0:
        meter.count(CONNECTIONS, "open")
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_threads_lose_nothing(meter: SharedMeter, folder: Path) -> None:
    def many() -> None:
        for _ in range(2000):
            meter.count(CONNECTIONS, "open")

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 'broker_database_connections{state="open"} 8000.0' in told(folder)


@given(value=st.text(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_value_that_is_in_no_closed_set_is_called_other(
    meter: SharedMeter, folder: Path, value: str
) -> None:
    meter.know({"routes": lambda: {"/token"}})
    meter.count(LIMITS, f"!{value}")
    lines = [line for line in told(folder).splitlines() if line.startswith("broker_")]
    assert [line.partition(" ")[0] for line in lines] == ['broker_limits_hit_total{route="other"}']


def test_ten_thousand_hostile_values_take_no_room(meter: SharedMeter) -> None:
    for number in range(10_000):
        meter.count(LIMITS, f"/evil/{number}")
    assert meter.combinations == 1
    assert meter.file.stat().st_size == SIZE


def test_the_longest_rows_of_all_fit_into_the_room_that_was_taken(meter: SharedMeter) -> None:
    routes = [f"/a/long/route/of/the/house/<with>/<its>/<templates>/{n:05}" for n in range(MOST)]
    meter.know({"routes": lambda: routes})
    for route in routes:
        for seconds in (*REQUESTS.buckets, 99):
            meter.observe(REQUESTS, seconds, route, "OPTIONS", "2xx")
    meter.observe(REQUESTS, 1, routes[0], "GET", "2xx")
    meter.observe(REQUESTS, 1, routes[1], "GET", "2xx")
    assert meter.combinations == MOST + 1  # all that is more is "other"
    assert meter.file.stat().st_size == SIZE


def test_the_room_is_taken_at_the_start(meter: SharedMeter) -> None:
    """A page of a sparse file that the disk has no room for would kill the process."""
    assert meter.file.stat().st_blocks * 512 >= SIZE


def test_only_the_owner_reads_the_files(meter: SharedMeter) -> None:
    assert meter.file.stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_made_stops_the_start(tmp_path: Path, clock: StoppedClock) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        SharedMeter(tmp_path / "file" / "metrics", clock, entropy.system)


def test_a_spoilt_memory_of_the_dead_is_begun_anew(meter: SharedMeter, folder: Path) -> None:
    (folder / "past.json").write_text("[half")
    meter.count(CONNECTIONS, "open")
    assert 'broker_database_connections{state="open"} 1.0' in told(folder)


def test_the_silent_meter_says_nothing() -> None:
    assert not SILENT.is_on
    SILENT.count(LIMITS, "anything")
    SILENT.observe(TOKENS, 1, "anything")
    SILENT.note(UPSTREAM, 1, "anything")

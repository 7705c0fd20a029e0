"""pymerkle 7 beside us.

python record_peer.py FOLDER ENTRIES, in an environment that has pymerkle.

The same figures as bench/record.py where pymerkle has them: appending, and a proof that a new
process would have to make (its tree keeps no inner nodes, so nothing is warm).
"""

import sys
import time
from pathlib import Path
from random import Random

from pymerkle import SqliteTree

ENTRY = b"x" * 400


def main(folder: str, entries: int) -> None:
    path = str(Path(folder) / "peer.sqlite3")
    begun = time.perf_counter()
    with SqliteTree(path) as tree:
        for start in range(0, entries, 1000):
            tree.append_entries([ENTRY] * min(1000, entries - start), chunksize=1000)
    print(f"peer: fill {entries} entries: {time.perf_counter() - begun:.1f} s")
    chance = Random(1)  # noqa: S311  picks places
    found = []
    for _ in range(5):
        with SqliteTree(path) as tree:
            begun = time.perf_counter()
            tree.prove_inclusion(chance.randrange(1, entries), entries)
            found.append((time.perf_counter() - begun) * 1000)
    print(f"peer: inclusion, cold: median {sorted(found)[2]:.0f} ms, worst {max(found):.0f} ms")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

"""Attestation objects with a few wrong bytes: none may raise, and none may take 50 ms.

    python bench/webauthn_mutations.py [HOW_MANY]

Mutates the registrations of the shared folder, where it is present, and one of our own maker's.
"""

import copy
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from broker.authentication.judge import judge  # noqa: E402
from tests.authentication import test_judge, test_shared_cases  # noqa: E402
from tests.authentication.authenticator import b64, unb64  # noqa: E402
from tests.conftest import NOON  # noqa: E402


def bases() -> list[dict[str, Any]]:
    shared = [c for c in test_shared_cases.CASES if c["ceremony"] == "registration"]
    real = [
        {
            "ceremony": "registration",
            "config": {"rp_id": e["rp_id"], "allowed_origins": [e["origin"]]},
            "state": {"expected_challenge": e["challenge"]},
            "response": e["registration_json"],
        }
        for e in test_shared_cases.REGISTRATIONS
    ]
    own = test_judge.registration(test_judge.TRUSTED, **test_judge.MAKER.wrong())
    return [*shared, *real, own]


def mutated(case: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    made = copy.deepcopy(case)
    octets = bytearray(unb64(made["response"]["response"]["attestationObject"]))
    for _ in range(chance.randint(1, 4)):
        octets[chance.randrange(len(octets))] = chance.randrange(256)
    made["response"]["response"]["attestationObject"] = b64(bytes(octets))
    return made


def main(count: int) -> None:
    chance, verdicts, slowest = random.Random(6), Counter[str](), 0.0  # noqa: S311  the same every time
    sources = bases()
    for n in range(count):
        case = mutated(sources[n % len(sources)], chance)
        began = time.process_time()
        try:
            verdict = judge(case, NOON, [test_judge.GOOD])
        except Exception as error:  # noqa: BLE001  this is what is counted
            verdict = f"RAISED {type(error).__name__}"
        slowest = max(slowest, time.process_time() - began)
        verdicts[verdict] += 1
    for verdict, times in verdicts.most_common():
        print(f"{times:6} {verdict}")
    raised = sum(n for v, n in verdicts.items() if v.startswith("RAISED"))
    print(
        f"{count} messages of {len(sources)} sources: {raised} raised, slowest {slowest:.4f} s CPU"
    )
    sys.exit(raised > 0 or slowest >= 0.05)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 6000)

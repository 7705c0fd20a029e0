"""The program `miftah-verify`."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from miftah_verify.answers import verify_answers
from miftah_verify.bundle import verify_bundle
from miftah_verify.directory import verify_directory
from miftah_verify.files import files
from miftah_verify.note import parse_key
from miftah_verify.policy import Policy, parse_policy, simple
from miftah_verify.proof import Proved, verify_proof, verify_step
from miftah_verify.refused import Refused

HOLDS, REFUSED, UNUSABLE = 0, 1, 2

_ABOUT = """Check a tamper-evident record without trusting whoever keeps it.

You need two things: what you were shown, and the log's key, a line of the form name+id+key
that you were given once by another way than the one that brought you the rest."""

_AFTER = """exit status:
  0  it holds
  1  it does not; the first bad index is named where one is known
  2  nothing could be checked: a file is missing, or an argument is wrong

examples:
  miftah-verify proof 51.tlog-proof 51.entry --key 'id.example.ma+010111cd+AdsG...'
  miftah-verify step old.checkpoint new.checkpoint consistency.json --policy policy.txt
  miftah-verify log ./mirror --key KEY --earlier ./mirror-of-last-year
  miftah-verify bundle export.zip --key KEY

formats: C2SP tlog-proof, tlog-checkpoint, tlog-cosignature, tlog-tiles, tlog-policy;
the export bundle is described in docs/record-format.md."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status; what was found goes to standard output, what was wrong to the other."""
    try:
        asked = _parser().parse_args(arguments)
    except SystemExit as stop:
        return UNUSABLE if stop.code else HOLDS
    try:
        policy = _policy(asked)
    except (Refused, OSError) as error:
        return _say(sys.stderr, f"cannot check: {error}", UNUSABLE)
    try:
        found = asked.check(asked, policy)
    except Refused as error:
        return _say(sys.stdout, f"REFUSED: {error}{_place(error)}", REFUSED)
    except (OSError, ValueError, RecursionError) as error:
        return _say(sys.stderr, f"cannot check: {error}", UNUSABLE)
    return _say(sys.stdout, f"HOLDS: {found}", HOLDS)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "miftah-verify",
        description=_ABOUT,
        epilog=_AFTER,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_subparsers(required=True, metavar="WHAT")
    proof = what.add_parser("proof", help="does this entry stand in the log?")
    proof.add_argument("proof", type=Path, help="the proof file (.tlog-proof)")
    proof.add_argument("entry", type=Path, help="the entry's exact bytes")
    proof.set_defaults(check=_proof)
    answer = what.add_parser("answer", help="the same, out of two answers of the broker's API")
    answer.add_argument("entry", type=Path, help="the answer of .../entries/INDEX")
    answer.add_argument("proof", type=Path, help="the answer of .../entries/INDEX/proof")
    answer.set_defaults(check=_answer)
    step = what.add_parser("step", help="does the newer checkpoint continue the older one?")
    step.add_argument("old", type=Path, help="the checkpoint that you kept")
    step.add_argument("new", type=Path, help="the checkpoint that you were shown now")
    step.add_argument("path", type=Path, help="the proof: hashes, one a line, or JSON with `path`")
    step.set_defaults(check=_step)
    bundle = what.add_parser("bundle", help="is this export whole, signed and in the log?")
    bundle.add_argument("bundle", type=Path, help="a ZIP file or a folder")
    bundle.set_defaults(check=_bundle)
    log = what.add_parser("log", help="is this copy of the whole log what was signed?")
    log.add_argument("log", type=Path, help="folder or ZIP with `checkpoint` and `tile/`")
    log.add_argument("--earlier", type=Path, help="a copy kept from before, to locate a rewriting")
    log.add_argument("--minimum", type=int, default=0, metavar="INDEX",
                     help="entries below it may be missing (pruned)")  # fmt: skip
    log.set_defaults(check=_log)
    for command in (proof, answer, step, bundle, log):
        command.add_argument("--key", help="the log's key: name+id+key")
        command.add_argument("--witness", action="append", default=[], metavar="KEY",
                             help="a witness's key; may be given several times")  # fmt: skip
        command.add_argument("--quorum", type=int, metavar="N",
                             help="how many of them must have signed; all unless said")  # fmt: skip
        command.add_argument("--policy", type=Path, help="a tlog-policy file instead of keys")
    return parser


def _policy(asked: argparse.Namespace) -> Policy:
    if bool(asked.key) == bool(asked.policy) or (asked.policy and asked.witness):
        raise Refused("say either --key (and --witness), or --policy")
    if asked.policy:
        return parse_policy(asked.policy.read_bytes())
    quorum = len(asked.witness) if asked.quorum is None else asked.quorum
    if not 0 <= quorum <= len(asked.witness):
        raise Refused("--quorum is more than there are witnesses")
    return simple(parse_key(asked.key), [parse_key(line) for line in asked.witness], quorum)


def _proof(asked: argparse.Namespace, policy: Policy) -> str:
    entry = asked.entry.read_bytes()
    return _standing(verify_proof(asked.proof.read_bytes(), entry, policy))


def _answer(asked: argparse.Namespace, policy: Policy) -> str:
    entry, proof = asked.entry.read_bytes(), asked.proof.read_bytes()
    return _standing(verify_answers(entry, proof, policy))


def _standing(proved: Proved) -> str:
    seen = f", seen by {len(proved.head.seen)} witnesses" if proved.head.seen else ""
    return f"entry {proved.index} stands in {proved.head.origin} of {proved.head.size}{seen}"


def _step(asked: argparse.Namespace, policy: Policy) -> str:
    old, new = asked.old.read_bytes(), asked.new.read_bytes()
    before, after = verify_step(old, new, _path(asked.path.read_text()), policy)
    return f"{after.origin} of {after.size} begins with its first {before.size} entries"


def _bundle(asked: argparse.Namespace, policy: Policy) -> str:
    source = files(asked.bundle)
    export = verify_bundle(source.pieces, source.names, policy)
    return f"{export.rows} entries of {export.head.origin} of {export.head.size}"


def _log(asked: argparse.Namespace, policy: Policy) -> str:
    source = files(asked.log)
    earlier = files(asked.earlier).read if asked.earlier else None
    report = verify_directory(
        source.read, policy, names=source.names, minimum=asked.minimum, earlier=earlier
    )
    return f"all {report.head.size} entries of {report.head.origin}"


def _path(text: str) -> list[str]:
    if not text.lstrip().startswith(("{", "[")):
        return text.split()
    value = json.loads(text)
    path = value.get("path") if isinstance(value, dict) else value
    if not isinstance(path, list) or any(not isinstance(step, str) for step in path):
        raise Refused("the path is no list of texts")
    return path


def _place(error: Refused) -> str:
    if error.index is None:
        return ""
    if error.last == error.index:
        return f"\nfirst bad index: {error.index}"
    return f"\nfirst bad index: between {error.index} and {error.last}"


def _say(stream: TextIO, text: str, status: int) -> int:
    stream.write(text + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main())

"""Who must have signed a checkpoint for it to count: C2SP tlog-policy."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from miftah_verify.note import COSIGNATURE, Checkpoint, Key, open_checkpoint, parse_key
from miftah_verify.refused import Refused

NONE = "none"
_LIMIT = 64 * 1024


@dataclass(frozen=True)
class Group:
    """So many of these members, each a witness or a group."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """Which logs are believed, which witnesses there are, and which of them must have seen."""

    logs: tuple[Key, ...]
    witnesses: Mapping[str, Key] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    quorum: str = NONE

    def open(self, unverified: str | bytes) -> Checkpoint:
        """The checkpoint, signed by one of the logs and seen by a quorum. Raises Refused."""
        said = Refused("no log is configured")
        for log in self.logs:
            try:
                head = open_checkpoint(unverified, log, self.witnesses.values())
            except Refused as error:
                said = error
                continue
            if not self._met(self.quorum, head.seen):
                raise Refused("not enough witnesses have seen this")
            return head
        raise said

    def _met(self, name: str, seen: Collection[Key]) -> bool:
        if name == NONE:
            return True
        if name in self.witnesses:
            return self.witnesses[name] in seen
        group = self.groups[name]
        return sum(self._met(member, seen) for member in group.members) >= group.threshold


def simple(log: Key, witnesses: Collection[Key] = (), quorum: int = 0) -> Policy:
    """One log, and at least `quorum` of the witnesses; one key counts once. Raises Refused."""
    named = {f"w{n}": key for n, key in enumerate(dict.fromkeys(witnesses))}
    if any(key.kind != COSIGNATURE for key in named.values()):
        raise Refused("a witness signs with a key of type 0x04")
    if len({key.public for key in named.values()}) != len(named):
        raise Refused("one witness is named twice")
    if not quorum:
        return Policy((log,), named)
    return Policy((log,), named, {"all": Group(quorum, tuple(named))}, "all")


def parse_policy(content: bytes) -> Policy:
    """The policy that a file in the tlog-policy format says. Raises Refused, naming the line."""
    if len(content) > _LIMIT:
        raise Refused("a policy too long")
    draft = _Draft()
    for number, line in enumerate(content.split(b"\n"), 1):
        text = line.decode("utf-8", "surrogateescape").replace("\t", " ")
        words = [word for word in text.split(" ") if word]
        if not words or words[0].startswith("#"):
            continue
        try:
            draft.take(words[0], words[1:])
        except Refused as error:
            raise Refused(f"line {number} of the policy: {error}") from None
    return draft.whole()


@dataclass
class _Draft:
    logs: list[Key] = field(default_factory=list)
    witnesses: dict[str, Key] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    quorum: str | None = None
    taken: set[str] = field(default_factory=set)

    def take(self, word: str, rest: list[str]) -> None:
        """One line. Raises Refused."""
        match word, rest:
            case ("log", [key]) | ("log", [key, _]):
                self.logs.append(parse_key(key))
            case ("witness", [name, key]) | ("witness", [name, key, _]):
                self.witnesses[self._new(name)] = _witness(key)
            case ("group", [name, count, *members]):
                self.groups[self._new(name)] = self._group(count, members)
                self.taken.update(members)
            case ("quorum", [name]) if self.quorum is None and name in self._names(NONE):
                self.quorum = name
            case _:
                raise Refused("makes no sense")

    def whole(self) -> Policy:
        """The policy, once every line was taken. Raises Refused."""
        for keys in (self.logs, list(self.witnesses.values())):
            if len({key.public for key in keys}) != len(keys):
                raise Refused("one key stands twice in the policy")
        if self.quorum is None:
            raise Refused("the policy names no quorum")
        return Policy(tuple(self.logs), self.witnesses, self.groups, self.quorum)

    def _names(self, *more: str) -> set[str]:
        return {*self.witnesses, *self.groups, *more}

    def _new(self, name: str) -> str:
        if name in self._names(NONE):
            raise Refused(f"{name} is defined already")
        return name

    def _group(self, count: str, members: list[str]) -> Group:
        number = {"any": "1", "all": str(len(members))}.get(count, count)
        known = set(members) <= self._names() - self.taken and len(set(members)) == len(members)
        if not number.isascii() or not number.isdecimal() or not known:
            raise Refused("a group of names defined before, each in one group only")
        if not 1 <= int(number) <= len(members):
            raise Refused("a group cannot ask for so many")
        return Group(int(number), tuple(members))


def _witness(line: str) -> Key:
    key = parse_key(line)
    if key.kind != COSIGNATURE:
        raise Refused("a witness signs with a key of type 0x04")
    return key

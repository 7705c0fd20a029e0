"""The chart's templates filled in, by the few words of the template language that they use.

`make charts` has the real program do it; this one is enough to ask what comes out.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.running import ROOT

CHART = ROOT / "deploy" / "helm" / "miftah"
_WORD = re.compile(r"{{ ([^{}]+?) }}")
_BLOCK = re.compile(r"{{- if (not )?([\w.]+) }}\n(.*?){{- end }}\n", re.DOTALL)


def rendered(release: str = "broker", **changed: Any) -> list[dict[str, Any]]:
    """Every object of the chart, with these values in place of the chart's own."""
    values = yaml.safe_load((CHART / "values.yaml").read_text("utf-8")) | changed
    known = {"Values": values, "Release": {"Name": release}}
    found = []
    for path in sorted((CHART / "templates").glob("*.yaml")):
        filled = _filled(path, known)
        found += [each for each in yaml.safe_load_all(filled) if each]
    return found


def _filled(path: Path, known: dict[str, Any]) -> str:
    def kept(block: re.Match[str]) -> str:
        wanted = bool(_value(block[2], known)) != bool(block[1])
        return block[3] if wanted else ""

    text = _BLOCK.sub(kept, path.read_text("utf-8"))
    return _WORD.sub(lambda word: _said(word[1], known), text)


def _said(word: str, known: dict[str, Any]) -> str:
    name, _, how = word.removeprefix("toYaml ").partition(" | ")
    value = _value(name, known)
    if how == "quote":
        return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
    if how.startswith("indent "):
        lines = yaml.safe_dump(value).rstrip().splitlines()
        return "\n".join(" " * int(how.removeprefix("indent ")) + line for line in lines)
    assert how == "", f"a word that this renderer does not know: {word}"
    return str(value)


def _value(path: str, known: dict[str, Any]) -> Any:
    found: Any = known
    for name in path.strip(".").split("."):
        found = found[name]
    return found

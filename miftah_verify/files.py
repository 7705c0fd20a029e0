"""Files of a log or a bundle, out of a folder or a ZIP file, never outside of it."""

import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path

from miftah_verify.refused import Refused

_PIECE = 1024 * 1024


class Folder:
    """The files below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        every = (path for path in folder.rglob("*") if path.is_file())
        self.names: Collection[str] = frozenset(p.relative_to(folder).as_posix() for p in every)

    def read(self, name: str) -> bytes | None:
        """The file's content, None where there is none."""
        return (self._folder / name).read_bytes() if name in self.names else None

    def pieces(self, name: str) -> Iterator[bytes]:
        """The file's content, a megabyte at a time."""
        with (self._folder / name).open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece


class Archive:
    """The files of a ZIP file. Raises Refused where one name stands twice."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except zipfile.BadZipFile:
            raise Refused("neither a folder nor a ZIP file") from None
        listed = [entry.filename for entry in self._zip.infolist() if not entry.is_dir()]
        self.names: Collection[str] = frozenset(listed)
        if len(self.names) != len(listed):
            raise Refused("one name stands twice in the ZIP file")

    def read(self, name: str) -> bytes | None:
        """The file's content, None where there is none."""
        return b"".join(self.pieces(name)) if name in self.names else None

    def pieces(self, name: str) -> Iterator[bytes]:
        """The file's content, a megabyte at a time. Raises Refused where it is damaged."""
        try:
            with self._zip.open(name) as file:
                while piece := file.read(_PIECE):
                    yield piece
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
            raise Refused(f"{name} cannot be read: {type(error).__name__}") from None


def files(path: Path) -> Folder | Archive:
    """What is at `path`. Raises Refused or OSError."""
    return Folder(path) if path.is_dir() else Archive(path)

"""Runs the tesseract program: picture in by a pipe, text out by a pipe, nothing on disk."""

import shutil
import subprocess
from io import BytesIO

from PIL import Image

PROGRAM = "tesseract"
LANGUAGE = "eng"
INSTALL = (
    "tesseract with its English data is missing: passports cannot be read. "
    "Install the packages tesseract-ocr and tesseract-ocr-eng."
)
_ARGUMENTS = (
    *("stdin", "stdout", "-l", LANGUAGE, "--psm", "6"),
    *("-c", "tessedit_char_whitelist=ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789><"),
    *("-c", "load_system_dawg=F", "-c", "load_freq_dawg=F"),
    # Zones are dark on light; lines that it is not sure of would be read a second time.
    *("-c", "tessedit_do_invert=F"),
)
_ONE_THREAD = {"OMP_THREAD_LIMIT": "1", "LC_ALL": "C.UTF-8"}
"""All of the program's environment: threads of one small strip only get in each other's way."""


class EngineMissing(RuntimeError):
    """The reading program is not installed; the message tells the operator what to install."""


def engine_available() -> str:
    """The path of the program, to be asked once at start.

    Raises EngineMissing, with what to install, when it or its English data is not there.
    """
    path = shutil.which(PROGRAM)
    if path is None:
        raise EngineMissing(INSTALL)
    listed = subprocess.run(  # noqa: S603  a fixed program, no outside argument
        (path, "--list-langs"), capture_output=True, check=False, timeout=10, text=True
    )
    if LANGUAGE not in listed.stdout.split():
        raise EngineMissing(INSTALL)
    return path


def text_of(path: str, strip: Image.Image, seconds: float) -> str:
    """The text of a gray `strip`, by the program at `path`; "" if `seconds` do not suffice."""
    picture = BytesIO()
    strip.save(picture, "PNG", compress_level=1)
    try:
        run = subprocess.run(  # noqa: S603  a fixed program, no outside argument
            (path, *_ARGUMENTS),
            input=picture.getvalue(),
            capture_output=True,
            check=False,
            timeout=seconds,
            env=_ONE_THREAD,
        )
    except subprocess.TimeoutExpired:
        return ""
    return run.stdout.decode("utf-8", "replace")

"""Readers that misbehave, for the reading process to run."""

import os
import signal
import sys
import time
from collections.abc import Sequence

from PIL import Image

from broker.verifiers.mrz.answer import Answer, Cause

_BLACK, _RED, _WHITE = 0, 76, 255
"""As they come out of the picture's opening: gray."""


def size(pictures: Sequence[Image.Image]) -> Answer:
    """The sizes, as zones of one line; what the process may do stands in the second."""
    return Answer(tuple((f"{p.width}x{p.height}", str(os.getpid())) for p in pictures))


def moody(pictures: Sequence[Image.Image]) -> Answer:
    """Sleeps over black pictures, dies of red ones, grows without end over others."""
    colour = pictures[0].getpixel((0, 0))
    if colour == _BLACK:
        time.sleep(60)
    if colour == _RED:
        os.kill(os.getpid(), signal.SIGKILL)
    if colour not in {_WHITE, (255, 255, 255)}:  # the first one, before anything is asked
        bytearray(1 << 30)
    return Answer(cause=Cause.NOT_FOUND)


def missing(_: Sequence[Image.Image]) -> Answer:
    """Cannot even be started."""
    sys.exit(3)


def writer(_: Sequence[Image.Image]) -> Answer:
    """Tries to write a file, and to be heard past the pipe for answers."""
    print('{"zones": [["FORGED"]], "cause": null}', flush=True)
    try:
        with open("/tmp/miftah-never", "wb") as file:  # noqa: S108, PTH123  it must fail
            file.write(b"a picture")
    except OSError:
        return Answer(cause=Cause.BLURRED)
    return Answer(cause=Cause.NOT_FOUND)


def unsettled(_: Sequence[Image.Image]) -> Answer:
    """Says that its environment holds something of the broker's."""
    mine = {"PATH", "PYTHONPATH", "LC_ALL", "LC_CTYPE"}
    foreign = {
        n
        for n in os.environ
        if n not in mine and not n.startswith(("KMP_", "MALLOC_", "OMP_", "OPENBLAS_"))
    }
    return Answer((tuple(sorted(foreign)),))

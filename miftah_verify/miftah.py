"""The program `miftah`: `miftah verify …` and `miftah witness …`."""

import sys
from collections.abc import Sequence

from miftah_verify import __main__ as verify
from miftah_verify import serve as witness

_PROGRAMS = {"verify": verify.main, "witness": witness.main}


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status of the program that the first word names, 2 where there is none."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    program = _PROGRAMS.get(words[0]) if words else None
    if program is None:
        sys.stderr.write("miftah verify --help, or miftah witness --help\n")
        return 2
    return program(words[1:])


if __name__ == "__main__":
    sys.exit(main())

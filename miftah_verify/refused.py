"""The one way in which anything here says no."""


class Refused(Exception):
    """What was shown does not hold; `index` is the first entry at fault, where one is known.

    `last` is the end of the range in which the fault lies, where it is no single entry.
    """

    def __init__(self, what: str, index: int | None = None, last: int | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.index = index
        self.last = index if last is None else last

"""The two small convolutional networks, in PyTorch: only training knows it."""

from torch import Tensor, nn

from training.strips import BLANK

CLASSES = BLANK + 1
LATE = 0.1
"""How much a block that came late says before it has learnt; nothing at all would never learn."""


def _block(into: int, out: int, stride: int | tuple[int, int] = 1, dilation: int = 1) -> nn.Module:
    conv = nn.Conv2d(into, out, 3, stride, dilation, dilation, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out), nn.ReLU(inplace=True))


def _around(dilation: int) -> nn.Sequential:
    """What stands beside: along the row alone."""
    conv = nn.Conv1d(96, 96, 3, padding=dilation, dilation=dilation, bias=False)
    return nn.Sequential(conv, nn.BatchNorm1d(96), nn.ReLU(inplace=True))


class SymbolNet(nn.Module):
    """Strips (n, 1, 32, w) to logits (n, 38, w / 4): a symbol, or the gap between two."""

    def __init__(self) -> None:
        super().__init__()
        self.look = nn.Sequential(
            _block(1, 20, 2),
            _block(20, 32),
            _block(32, 48, 2),
            _block(48, 56, (2, 1)),
            nn.Conv2d(56, 96, (4, 3), padding=(0, 1), bias=False),
            nn.BatchNorm2d(96),
            nn.ReLU(inplace=True),
        )
        self.around = nn.ModuleList(_around(d) for d in (1, 2, 4))
        self.tell = nn.Conv1d(96, CLASSES, 1)

    def forward(self, strips: Tensor) -> Tensor:
        """See the class."""
        seen = self._seen(strips).squeeze(2)
        for name, block in self.around.named_children():
            seen = self._compared(name, seen)
            seen = seen + block(seen)
        return self.tell(seen)

    def _compared(self, _before: str, seen: Tensor) -> Tensor:
        """What is seen before the block of that name looks around."""
        return seen

    def _seen(self, strips: Tensor) -> Tensor:
        seen: Tensor = self.look(strips)
        return seen


class _More(nn.Module):
    """One more look at what was seen; it adds nothing until it has learnt to."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        nn.init.zeros_(self.norm.weight)

    def forward(self, seen: Tensor) -> Tensor:
        """See the class."""
        return nn.functional.relu(seen + self.norm(self.conv(seen)))


class _Alike(nn.Module):
    """What looks alike elsewhere in the row: attention, by the looks of things alone.

    A row is printed and photographed at once: what its plain symbols look like tells of those that
    are not plain. It adds nothing until it has learnt to.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.BatchNorm1d(width)
        self.ask = nn.Conv1d(width, 3 * width, 1)
        self.answer = nn.Conv1d(width, width, 1)
        nn.init.zeros_(self.answer.weight)
        nn.init.zeros_(self.answer.bias)

    def forward(self, seen: Tensor) -> Tensor:
        """See the class."""
        many, width, long = seen.shape[0], seen.shape[1], seen.shape[2]
        asked = self.ask(self.norm(seen))
        question, key, value = asked.reshape(many, 3, self.heads, width // self.heads, long).unbind(
            1
        )
        alike = question.transpose(2, 3) @ key * (width // self.heads) ** -0.5
        found = value @ alike.softmax(dim=3).transpose(2, 3)
        return self.answer(found.reshape(many, width, long))


class CloseNet(SymbolNet):
    """The same from the same, looked at more closely: deeper, and slower.

    The blocks of `more` and the later ones of `around` came after the others had learnt, and
    `alike` after those: it looks before the blocks of `around` that it is named after.
    """

    def __init__(self) -> None:
        super().__init__()
        self.around = nn.ModuleList(_around(d) for d in (1, 2, 4, 1, 2, 4, 1, 2))
        for late in list(self.around)[3:]:
            nn.init.constant_(late[1].weight, LATE)
        self.alike = nn.ModuleDict({"3": _Alike(96, 4), "6": _Alike(96, 4)})
        self.more = nn.ModuleDict(
            {
                "2": nn.Sequential(_More(48), _More(48)),
                "3": nn.Sequential(_More(56), _More(56), _More(56)),
            }
        )

    def _compared(self, before: str, seen: Tensor) -> Tensor:
        return seen + self.alike[before](seen) if before in self.alike else seen

    def _seen(self, strips: Tensor) -> Tensor:
        seen = strips
        for name, block in self.look.named_children():
            seen = block(seen)
            if name in self.more:
                seen = self.more[name](seen)
        return seen


class LineNet(nn.Module):
    """Pictures (n, 1, h, w), sides multiples of 16, to maps (n, 3, h / 2, w / 2).

    The maps: the logit of "a row of a zone runs here", and the cosine and sine of the direction
    in which it is read.
    """

    def __init__(self) -> None:
        super().__init__()
        self.down1 = _block(1, 12, 2)
        self.down2 = nn.Sequential(_block(12, 24, 2), _block(24, 24))
        self.down3 = nn.Sequential(_block(24, 40, 2), _block(40, 40), _block(40, 40))
        self.down4 = nn.Sequential(
            _block(40, 64, 2), _block(64, 64, 1, 2), _block(64, 64, 1, 4), _block(64, 64, 1, 2)
        )
        self.side3, self.up3 = nn.Conv2d(64, 40, 1), _block(40, 40)
        self.side2, self.up2 = nn.Conv2d(40, 24, 1), _block(24, 24)
        self.side1, self.up1 = nn.Conv2d(24, 12, 1), _block(12, 12)
        self.tell = nn.Conv2d(12, 3, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """See the class."""
        one = self.down1(pictures)
        two = self.down2(one)
        three = self.down3(two)
        seen = self.up3(_twice(self.side3(self.down4(three))) + three)
        seen = self.up2(_twice(self.side2(seen)) + two)
        seen = self.up1(_twice(self.side1(seen)) + one)
        return self.tell(seen)


def _twice(maps: Tensor) -> Tensor:
    return nn.functional.interpolate(maps, scale_factor=2, mode="nearest")

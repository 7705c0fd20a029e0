"""The desk's page of pictures: what was told over time, and why it was refused."""

from flask import Blueprint, render_template

from broker.desk import pictures, scope
from broker.desk.seat import seated
from broker.web.locale import choose, direction

pages = Blueprint("pictures", __name__)


@pages.get("/pictures")
def show() -> str:
    """Issuances by level over twelve months, and refusals by reason, with their tables."""
    with seated(scope.READ) as here:
        levels = pictures.count(here.tx, "level", here.sight, here.now)
        reasons = pictures.count(here.tx, "reason", here.sight, here.now)
        here.note("pictures")
    rtl = direction(choose()) == "rtl"
    return render_template(
        "desk/pictures.html",
        levels=levels,
        drawing=pictures.columns(levels, from_the_right=rtl),
        reasons=pictures.shares(reasons),
        width=pictures.WIDTH,
        height=pictures.HEIGHT,
        rtl=rtl,
    )

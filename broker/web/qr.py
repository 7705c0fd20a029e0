"""Draws an address or a secret as a QR code (ISO/IEC 18004), inline SVG (home of segno)."""

from markupsafe import Markup

BORDER = 4
"""Modules of white around it, as the standard asks; the page may be dark."""


def drawn(address: str) -> Markup:
    """The code, black on white whatever the page's colours; hidden from readers aloud."""
    import segno  # noqa: PLC0415  70 ms that a start need not wait for

    code = segno.make(address, error="m", micro=False)
    svg = code.svg_inline(
        # Sized by the style sheet: a viewBox, and no width of its own.
        omitsize=True,
        border=BORDER,
        dark="#000",
        light="#fff",
        svgclass="qr",
        lineclass=None,
    )
    # Made of numbers only: nothing of the address stands in it as text.
    return Markup(svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1))  # noqa: S704

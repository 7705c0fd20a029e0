"""Draws the first page of a PDF (home of pdfium)."""

from collections.abc import Callable
from threading import Lock
from typing import Final

import pypdfium2
from PIL import Image
from pypdfium2 import raw

from broker.errors import EvidenceRejected

MAX_PAGES: Final = 20

_ONE_AT_A_TIME: Final = Lock()
"""pdfium must not be entered by two threads at once, whatever the documents."""

DemandSize = Callable[[int, int], None]


def first_page(upload: bytes, side: int, demand_size: DemandSize) -> Image.Image:
    """The first page of the document, its longer side `side` pixels.

    `demand_size(width, height)` is asked about every picture that the page embeds before the
    page is drawn. Raises EvidenceRejected when there are too many pages or a password is set,
    and what pdfium raises on files that are no PDF.
    """
    with _ONE_AT_A_TIME:
        document = _document(upload)
        try:
            if len(document) > MAX_PAGES:
                raise EvidenceRejected("pdf_too_long")
            page = document[0]
            _demand_sizes(page, demand_size)
            scale = side / max(page.get_size())
            drawn: Image.Image = page.render(scale=scale, rev_byteorder=True).to_pil()
            # pdfium's memory goes with the document: keep a copy of our own.
            return drawn.convert("RGB")
        finally:
            document.close()


def _document(upload: bytes) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(upload)
    except pypdfium2.PdfiumError as error:
        if error.err_code == raw.FPDF_ERR_PASSWORD:
            raise EvidenceRejected("pdf_locked") from error
        raise


def _demand_sizes(page: pypdfium2.PdfPage, demand_size: DemandSize) -> None:
    """Only the upper bound matters here: a page may embed small ornaments."""
    for picture in page.get_objects(filter=(raw.FPDF_PAGEOBJ_IMAGE,), max_depth=4):
        width, height = picture.get_px_size()
        try:
            demand_size(width, height)
        except EvidenceRejected as refusal:
            if refusal.code != "picture_too_small":
                raise

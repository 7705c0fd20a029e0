"""Uploads are held in memory: werkzeug's own choice, a temporary file, would store the picture."""

from io import BytesIO
from typing import IO

from flask import Flask, Request


class InMemoryRequest(Request):
    """A request whose files never touch a disk; app.REQUEST_LIMIT bounds what memory they take."""

    def _get_file_stream(
        self,
        total_content_length: int | None,  # noqa: ARG002  werkzeug's signature
        content_type: str | None,  # noqa: ARG002
        filename: str | None = None,  # noqa: ARG002
        content_length: int | None = None,  # noqa: ARG002
    ) -> IO[bytes]:
        return BytesIO()


def install(app: Flask) -> None:
    """Let every request keep its files in memory."""
    app.request_class = InMemoryRequest

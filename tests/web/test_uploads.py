"""A picture that is sent never touches a disk on its way to the reader."""

from io import BytesIO

from flask import Flask, request


def test_a_large_upload_is_held_in_memory(app: Flask) -> None:
    head = '--b\r\nContent-Disposition: form-data; name="photograph"; filename="p.jpg"\r\n\r\n'
    body = head.encode() + b"x" * 5_000_000 + b"\r\n--b--\r\n"
    kind = "multipart/form-data; boundary=b"
    with app.test_request_context("/", method="POST", data=body, content_type=kind):
        stream = request.files["photograph"].stream
        assert isinstance(stream, BytesIO)
        assert len(stream.read()) == 5_000_000

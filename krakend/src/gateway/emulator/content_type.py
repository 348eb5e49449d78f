"""Guess a Content-Type as Go's server does for an answer without one."""

import re

_MARKUP = re.compile(
    rb"\s*<(!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|!--)[ >]",
    re.IGNORECASE,
)
_XML = re.compile(rb"\s*<\?xml")
_MAGIC = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"\x1f\x8b\x08", "application/x-gzip"),
    (b"PK\x03\x04", "application/zip"),
)
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")


def guess_content_type(start: bytes) -> str:
    """The type of a body by its first 512 bytes; JSON is plain text to it."""
    start = start[:512]
    if _MARKUP.match(start):
        return "text/html; charset=utf-8"
    if _XML.match(start):
        return "text/xml; charset=utf-8"
    for magic, content_type in _MAGIC:
        if start.startswith(magic):
            return content_type
    return "application/octet-stream" if _BINARY.search(start) else "text/plain; charset=utf-8"

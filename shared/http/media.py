"""Bodies are JSON in UTF-8. A declared GBK is refused and not tried: some of its words are valid
UTF-8 with another meaning, and a complaint would be stored as gibberish.
"""

from __future__ import annotations

from email.message import Message

from fastapi import Request

from shared.errors import JiesuError

JSON = ("application/json", "application/problem+json")
UTF_8 = ("utf-8", "utf8", "us-ascii", "ascii")


class OtherMedia(JiesuError):
    """The body is declared as something else than JSON in UTF-8, or not declared at all."""

    status = 415
    slug = "other-media"
    title = (
        "请求体须为 UTF-8 编码的 JSON，并注明类型 "
        "Send JSON in UTF-8, and say so: Content-Type: application/json"
    )


def check_media(request: Request) -> None:
    """Raises OtherMedia for a body that is declared as something else."""
    said = request.headers.get("content-type", "")
    has_body = request.headers.get("content-length", "0") != "0"
    if said == JSON[0] or not (has_body or "transfer-encoding" in request.headers):
        return
    declared = Message()
    declared["Content-Type"] = said
    charset = (declared.get_content_charset() or "utf-8").lower()
    if declared.get_content_type() not in JSON or charset not in UTF_8:
        raise OtherMedia

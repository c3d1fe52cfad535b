"""The pages of an API for people: Swagger UI at /docs, from files that lie here, and what each
problem means, at the address its ``type`` names.

A county's network often has no way out, so nothing is fetched from elsewhere, and the page's
Content-Security-Policy forbids it. ``swagger_ui/vendored.json`` says which version lies here;
``make vendor`` renews it.
"""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

from fastapi import Request
from fastapi.responses import FileResponse, HTMLResponse, PlainTextResponse, Response

from shared.errors import NotFound, named_errors
from shared.http.router import Router

FOLDER = Path(__file__).parent / "swagger_ui"
RECORD = "vendored.json"
VERSION: str = json.loads((FOLDER / RECORD).read_text("utf-8"))["version"]
ASSETS = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png", "LICENSE", "NOTICE")

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # Swagger UI sets styles on its elements
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
FOR_EVER = "public, max-age=31536000, immutable"  # the version is part of the path

# Paths are relative, so that the page also works below a prefix of a gateway.
PAGE = """\
<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} 接口文档 API</title>
<link rel="icon" href="docs/{version}/favicon-32x32.png">
<link rel="stylesheet" href="docs/{version}/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<noscript>本页需要 JavaScript。接口契约见 This page needs JavaScript; the contract is at
<a href="openapi.json">openapi.json</a></noscript>
<script src="docs/{version}/swagger-ui-bundle.js"></script>
<script src="docs/{version}/start.js"></script>
</body>
</html>
"""
# validatorUrl: or a badge would send the address of this document to another host.
START = """\
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#page",
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: false,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
"""

pages = Router(include_in_schema=False)


@pages.get("/docs")
async def read_docs(request: Request) -> HTMLResponse:
    """The page itself."""
    page = PAGE.format(title=escape(request.app.title), version=VERSION)
    headers = {**HEADERS, "Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    return HTMLResponse(page, headers=headers)


@pages.get("/docs/{version}/{name}", response_model=None)
async def read_asset(version: str, name: str) -> Response:
    """A file of Swagger UI, or what opens this service's document with it. Raises NotFound."""
    if version != VERSION or name not in (*ASSETS, "start.js"):
        raise NotFound
    if name == "start.js":  # ours: it may change while the version stays
        headers = {**HEADERS, "Cache-Control": "no-cache"}
        return Response(START, headers=headers, media_type="text/javascript")
    media = "text/plain" if name.isupper() else None
    headers = {**HEADERS, "Cache-Control": FOR_EVER}
    return FileResponse(FOLDER / name, headers=headers, media_type=media)


@pages.get("/errors/{slug}")
async def read_error(slug: str) -> PlainTextResponse:
    """What a problem means; docs/errors.md has all of them, with what helps. Raises NotFound."""
    for error in named_errors():
        if error.slug == slug:
            meaning = " ".join((error.__doc__ or "").split()).replace("``", "")
            page = f"{error.slug} ({error.status})\n\n{error.title}\n\n{meaning}\n"
            return PlainTextResponse(page, headers=HEADERS)
    raise NotFound

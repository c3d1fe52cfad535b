"""What a browser gets: the page of each API, all of it from this service and unchanged."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import AsyncIterator

import httpx
import pytest

from operations import contracts
from operations.runtime.registry import NAMES, part
from operations.vendor import FILES, NotAsPublished, check
from shared.http.pages import FOLDER, RECORD, VERSION
from shared.service import service_of

FOREIGN = re.compile(r"(?:https?:)?//[\w.-]+\.\w+", re.IGNORECASE)
LINKED = re.compile(r'(?:src|href)="([^"]+)"')


@pytest.fixture(params=NAMES)
async def browser(request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service of which nothing but the documents is asked."""
    built = part(request.param)
    settings = built.settings(embedded=True, config_dir=contracts.CONFIG, bus_url="local://pages")
    app = built.app(settings)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        yield client
    await service_of(app).store.close()


def test_what_lies_here_is_what_was_published() -> None:
    known = json.loads((FOLDER / RECORD).read_text("utf-8"))
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in FOLDER.iterdir()
        if path.name != RECORD
    }
    assert found == known["sha256"]
    assert set(found) == set(FILES)
    assert known["version"] == VERSION
    assert known["tarball"].endswith(f"-{VERSION}.tgz")


def test_a_changed_package_is_refused() -> None:
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(b"as published").digest()).decode()
    check(b"as published", integrity)
    with pytest.raises(NotAsPublished):
        check(b"as published?", integrity)


async def test_the_page_is_whole(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/docs")
    assert page.status_code == 200
    assert "接口文档" in page.text
    for address in LINKED.findall(page.text):
        assert not address.startswith("/"), "a gateway may put the service below a prefix"
        assert (await browser.get(f"/{address}")).status_code == 200, address


async def test_nothing_comes_from_elsewhere(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/docs")
    start = await browser.get(f"/docs/{VERSION}/start.js")
    published = await browser.get("/openapi.json")
    for document in (page, start, published):
        assert FOREIGN.findall(document.text) == []
    assert "validatorUrl: null" in start.text
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert FOREIGN.findall(policy) == []


async def test_files_are_kept_by_the_browser_and_the_page_is_not(
    browser: httpx.AsyncClient,
) -> None:
    asset = await browser.get(f"/docs/{VERSION}/swagger-ui.css")
    assert "immutable" in asset.headers["cache-control"]
    assert (await browser.get("/docs")).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["redoc", f"docs/{VERSION}/{RECORD}", f"docs/{VERSION}/..%2fpages.py"]
)
async def test_nothing_else_is_served(browser: httpx.AsyncClient, path: str) -> None:
    assert (await browser.get(f"/{path}")).status_code == 404

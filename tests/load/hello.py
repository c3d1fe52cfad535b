"""Hello world on the server and the settings services run with: what this machine can at most."""

from __future__ import annotations

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def hello() -> dict[str, str]:
    """Say so."""
    return {"hello": "world"}

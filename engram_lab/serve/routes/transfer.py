"""`/v1/export`: everything out; `imports` has the way in."""

from __future__ import annotations

import shutil
import tempfile
from functools import partial
from pathlib import Path as File
from typing import TYPE_CHECKING, Annotated, Final

import anyio
import anyio.to_thread
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response, StreamingResponse

from engram_lab.serve.observing.kinds import TENANT_EXPORT
from engram_lab.serve.routes.accepting import accepted
from engram_lab.serve.routes.guarded import GuardedRoute, needs, of
from engram_lab.serve.routes.shapes import REFUSALS
from engram_lab.serve.tenants.moving import export_file, export_table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.types import Receive, Scope, Send

__all__ = ["KINDS", "export", "router"]

router = APIRouter(tags=["transfer"], route_class=GuardedRoute, responses=REFUSALS)
_PIECE: Final = 262_144
_WHOLE: Final = {"application/x-ndjson": "jsonl", "application/json": "json"}
_TABLES: Final = {
    "application/vnd.apache.parquet": "parquet",
    "application/vnd.apache.arrow.stream": "arrow",
}
KINDS: Final = (*_WHOLE, *_TABLES)
"""What an export is sent as, what is sent by itself first."""


@router.get(
    "/v1/export",
    responses={
        200: {
            "description": "everything as JSON Lines or JSON; or one table as Parquet or Arrow",
            "content": {kind: {} for kind in KINDS},
        }
    },
    response_class=StreamingResponse,
)
@needs("admin", also="memories:read", audited=TENANT_EXPORT)
async def export(
    request: Request,
    table: Annotated[
        str, Query(max_length=64, description="which table, as Parquet or Arrow")
    ] = "memories",
    accept: Annotated[str, Header()] = "",
) -> Response:
    """Stream everything as JSON Lines, or as `Accept` says; `/v1/import` reads back each form.

    As JSON Lines or one document of JSON it is everything, and comes back whole: every version,
    link, vector, event, session, turn, identity, entity and grant. As Parquet or Arrow it is one
    `table`, and comes back as far as that goes: `memories` are the present states to the last
    field, also of what is forgotten or archived; earlier versions, links and vectors are tables of
    their own, to be taken in after it.

    It is written to a file here first, from one moment of the database, so that a slow reader
    holds nothing up; then it is sent in pieces.
    """
    call, services = of(request)
    media = accepted(accept, KINDS)
    tenant = call.within
    services.turns.take(tenant.id)
    folder: File | None = None
    try:
        folder = File(await services.files.run(tempfile.mkdtemp, dir=services.scratch))
        file = folder / f"export.{_WHOLE.get(media) or _TABLES[media]}"
        if media in _WHOLE:
            await services.elsewhere(call, export_file, str(file))
        else:
            work = partial(export_table, stream=_TABLES[media] == "arrow")
            await services.elsewhere(call, work, table, str(file))
    except BaseException:
        services.turns.give_back(tenant.id)
        if folder is not None:
            await anyio.to_thread.run_sync(shutil.rmtree, folder, abandon_on_cancel=True)
        raise
    return _Exported(file, media, ended=lambda: services.turns.give_back(tenant.id))


class _Exported(StreamingResponse):
    """Sends a file in pieces; whatever becomes of it, its folder goes."""

    def __init__(self, file: File, media_type: str, *, ended: Callable[[], object]) -> None:
        super().__init__(_pieces(file), media_type=media_type)
        self._folder = file.parent
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:  # also where nobody listened any more, so that not one piece was read
            shutil.rmtree(self._folder, ignore_errors=True)
            self._ended()


async def _pieces(file: File) -> AsyncIterator[bytes]:
    async with await anyio.open_file(file, "rb") as opened:
        while piece := await opened.read(_PIECE):
            yield piece

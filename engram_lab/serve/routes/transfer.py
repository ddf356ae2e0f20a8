"""`/v1/export` and `/v1/import`: everything out, and in again."""

from __future__ import annotations

import shutil
import tempfile
from functools import partial
from pathlib import Path as File
from typing import TYPE_CHECKING, Annotated, Any, Final

import anyio
import anyio.to_thread
from fastapi import APIRouter, Header, Path, Query, Request, UploadFile
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel

from engram_lab.core.errors import ImportRefusedError, InvalidInputError
from engram_lab.core.types import Dedup
from engram_lab.serve.answers import answer
from engram_lab.serve.errors import AbsentError, InvalidRequestError, UnsupportedTypeError
from engram_lab.serve.observing.kinds import TENANT_EXPORT, TENANT_IMPORT
from engram_lab.serve.routes.guarded import FileRoute, GuardedRoute, needs, of
from engram_lab.serve.routes.shapes import REFUSALS, Envelope
from engram_lab.serve.tenants.counting import rows_of
from engram_lab.serve.tenants.moving import export_file, export_table, import_file

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.types import Receive, Scope, Send

    from engram_lab.core.reports import ImportReport
    from engram_lab.serve.call import Call
    from engram_lab.serve.services import Services

__all__ = ["router"]

router = APIRouter(tags=["transfer"], route_class=GuardedRoute, responses=REFUSALS)
_taking = APIRouter(tags=["transfer"], route_class=FileRoute, responses=REFUSALS)
_PIECE: Final = 262_144
_LINES: Final = "application/x-ndjson"
_TABLE_TYPES: Final = {
    "application/vnd.apache.parquet": "parquet",
    "application/vnd.apache.arrow.stream": "arrow",
}
_SUFFIXES: Final = (".jsonl", ".json", ".ndjson", ".parquet", ".arrow")
_MOST_TOLD: Final = 1_000


class RowRefused(BaseModel):
    """A row that was not taken: its place in its table, from 0, and why."""

    table: str
    row: int
    reason: str


class Imported(BaseModel):
    """What became of a file. Sending it again goes on where it ended: known rows change nothing."""

    id: str
    done: bool
    imported: dict[str, int]
    unchanged: int
    refused: list[RowRefused]
    more_refused: int


@router.get(
    "/v1/export",
    responses={
        200: {
            "description": "JSON Lines of everything; or one table as Parquet or Arrow",
            "content": {kind: {} for kind in (_LINES, *_TABLE_TYPES)},
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
    accept: Annotated[str, Header()] = _LINES,
) -> Response:
    """Stream everything as JSON Lines, which `/v1/import` and `engram import` read back whole.

    It is written to a file here first, from one moment of the database, so that a slow reader
    holds nothing up; then it is sent in pieces.
    """
    call, services = of(request)
    kind, tenant = _kind(accept), call.within
    services.turns.take(tenant.id)
    folder: File | None = None
    try:
        folder = File(await services.files.run(tempfile.mkdtemp, dir=services.scratch))
        file = folder / f"export.{'jsonl' if kind is None else kind}"
        if kind is None:
            await services.elsewhere(call, export_file, str(file))
        else:
            work = partial(export_table, stream=kind == "arrow")
            await services.elsewhere(call, work, table, str(file))
    except BaseException:
        services.turns.give_back(tenant.id)
        if folder is not None:
            await anyio.to_thread.run_sync(shutil.rmtree, folder, abandon_on_cancel=True)
        raise
    media = _LINES if kind is None else next(k for k, v in _TABLE_TYPES.items() if v == kind)
    return _Exported(file, media, ended=lambda: services.turns.give_back(tenant.id))


@_taking.post("/v1/import", response_model=Envelope[Imported])
@needs("admin", also="memories:write", adds_memories=True, audited=TENANT_IMPORT)
async def import_(
    request: Request,
    file: UploadFile,
    workspace: Annotated[str | None, Query(max_length=512)] = None,
    dedup: Dedup | None = None,
    keep_going: Annotated[bool, Query()] = False,  # noqa: FBT002 - FastAPI reads it from the query
) -> Response:
    """Take in an export, or a file of memories: all of it, or nothing unless `keep_going`.

    The report stays to be fetched at `/v1/imports/{id}`, for whoever lost the connection.
    """
    call, services = of(request)
    with services.turns.turn(call.within.id):
        told = await _imported(
            call,
            services,
            file,
            {"workspace": workspace, "dedup": dedup, "keep_going": keep_going},
        )
    await services.use(call, lambda engine: engine.took_in(defer=True))
    call.used["memories_created"] = told["imported"].get("memories", 0)
    told = {"id": call.request_id, "done": True, **told}
    await services.files.run(services.reports.keep, call.within.id, call.request_id, told)
    return answer(call, told)


async def _imported(
    call: Call, services: Services, file: UploadFile, options: dict[str, Any]
) -> dict[str, Any]:
    suffix = File(file.filename or "").suffix.lower()
    if suffix not in _SUFFIXES:
        raise UnsupportedTypeError(
            f"the file's name must end in one of {', '.join(_SUFFIXES)}, to say what it is"
        )
    folder = File(await services.files.run(tempfile.mkdtemp, dir=services.scratch))
    try:
        path = folder / f"given{suffix}"
        await _received(file, path)
        rows = await services.files.run(rows_of, path)
        await services.quotas.room_for(call, rows)
        bound = call.within if services.rooms.bounds(call.within) else None
        return _told(await services.elsewhere(call, import_file, str(path), options, bound))
    except (ImportRefusedError, InvalidInputError) as error:
        raise InvalidRequestError(str(error).replace(str(path), "the file")) from None
    finally:
        await anyio.to_thread.run_sync(shutil.rmtree, folder, abandon_on_cancel=True)


@router.get("/v1/imports/{id}", response_model=Envelope[Imported])
@needs("admin")
async def import_report(
    request: Request,
    id: Annotated[str, Path(min_length=1, max_length=64)],  # noqa: A002
) -> Response:
    """Return the report of an import."""
    call, services = of(request)
    told = await services.files.run(services.reports.read, call.within.id, id)
    if told is None:
        raise AbsentError("there is no import of this id: give the request_id that it had")
    return answer(call, told)


def _kind(accept: str) -> str | None:
    """Return `parquet` or `arrow`, or None for JSON Lines."""
    asked = [each.split(";")[0].strip().lower() for each in accept.split(",")]
    for each in asked:
        if each in {_LINES, "application/json", "application/*", "*/*", ""}:
            return None
        if each in _TABLE_TYPES:
            return _TABLE_TYPES[each]
    raise UnsupportedTypeError(
        f"nothing is exported as that: accept one of {', '.join((_LINES, *_TABLE_TYPES))}"
    )


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


async def _received(file: UploadFile, path: File) -> None:
    async with await anyio.open_file(path, "wb") as opened:
        while piece := await file.read(_PIECE):
            await opened.write(piece)


def _told(report: ImportReport) -> dict[str, Any]:
    refused = [{"table": e.table, "row": e.row, "reason": e.reason} for e in report.refused]
    return {
        "imported": dict(report.imported),
        "unchanged": report.unchanged,
        "refused": refused[:_MOST_TOLD],
        "more_refused": max(0, len(refused) - _MOST_TOLD),
    }


router.routes.extend(_taking.routes)

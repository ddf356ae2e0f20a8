"""`/v1/import`: a file of memories, or an export, in; `/v1/imports`: what became of them."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from contextlib import suppress
from datetime import datetime
from pathlib import Path as File
from typing import TYPE_CHECKING, Annotated, Any, Final

import anyio
import anyio.to_thread
from fastapi import APIRouter, Path, Query, Request, UploadFile
from fastapi.responses import Response
from pydantic import BaseModel

from engram_lab.core.errors import ImportRefusedError, InvalidInputError
from engram_lab.core.types import Dedup
from engram_lab.serve.answers import answer
from engram_lab.serve.errors import (
    AbsentError,
    InvalidRequestError,
    UnprocessedError,
    UnsupportedTypeError,
    refusal_of,
)
from engram_lab.serve.idempotency import REPLAYED, key_of
from engram_lab.serve.observing.kinds import TENANT_IMPORT
from engram_lab.serve.routes.guarded import FileRoute, GuardedRoute, needs, of
from engram_lab.serve.routes.shapes import REFUSALS, Envelope
from engram_lab.serve.tenants.counting import rows_of
from engram_lab.serve.tenants.moving import import_file
from engram_lab.serve.tenants.reports import IMPORT_ID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.core.reports import ImportReport, RefusedRow
    from engram_lab.serve.call import Call
    from engram_lab.serve.services import Services

__all__ = ["router"]

router = APIRouter(tags=["transfer"], route_class=GuardedRoute, responses=REFUSALS)
_taking = APIRouter(tags=["transfer"], route_class=FileRoute, responses=REFUSALS)
_PIECE: Final = 262_144
_SUFFIXES: Final = (".jsonl", ".json", ".ndjson", ".parquet", ".arrow", ".arrows", ".feather")
_MOST_TOLD: Final = 1_000
_MOST_IN_REFUSAL: Final = 20
_ASKED: Final = "asked"
"""Kept with a report and not told: a digest of what was asked, to know a key's request again."""


class RowRefused(BaseModel):
    """A row that was not taken: its place in its table, from 0, and why."""

    table: str
    row: int
    reason: str


class ImportOut(BaseModel):
    """What became of a file, in short.

    While an import is under way it is not `done`; nor is one that the server's end cut short, which
    was taken in whole or not at all.
    """

    id: str
    at: datetime
    done: bool
    error: str | None = None
    imported: dict[str, int]
    unchanged: int


class Imported(ImportOut):
    """What became of a file. Sending an export again changes nothing that is known.

    `error` says why nothing was taken; `refused` are the first thousand of the rows that were not.
    """

    refused: list[RowRefused]
    more_refused: int


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

    Whatever `/v1/export` sent is read back, by what is in it; see there how far a single table
    goes. The report stays, also that of a refusal, to be fetched at `/v1/imports/{id}` by whoever
    lost the connection. Its id is the `Idempotency-Key`, else the `X-Request-ID`, that the client
    sent, else the request's own. A file that was taken in under a key is not taken in again.
    """
    call, services = of(request)
    options = {"workspace": workspace, "dedup": dedup, "keep_going": keep_going}
    call.target = _id_of(call)
    tenant_id, key = call.within.id, key_of(call)
    with services.turns.turn(tenant_id), services.reports.alone(tenant_id, key):
        folder = File(await services.files.run(tempfile.mkdtemp, dir=services.scratch))
        try:
            return await _reported(call, services, file, folder, options)
        finally:
            await anyio.to_thread.run_sync(shutil.rmtree, folder, abandon_on_cancel=True)


async def _reported(
    call: Call, services: Services, file: UploadFile, folder: File, options: dict[str, Any]
) -> Response:
    """Take a file in, and keep a report from the beginning to the end of it."""
    tenant_id, told = call.within.id, _begun(call)

    async def keep(**more: Any) -> dict[str, Any]:
        report = {**told, **more}
        await services.files.run(services.reports.keep, tenant_id, call.request_id, report)
        return {name: value for name, value in report.items() if name != _ASKED}

    try:
        path = folder / f"given{_suffix(file)}"
        told[_ASKED] = await _received(file, path, repr(sorted(options.items())))
        if key_of(call) is not None:
            before = await services.files.run(services.reports.read, tenant_id, told["id"])
            if before is not None and before["done"] and before["error"] is None:
                return _again(call, before, told[_ASKED])
        await keep()
        taken = await _imported(call, services, path, options)
    except UnprocessedError:  # the report of the other request stays
        raise
    except Exception as error:
        refused = error.report.refused if isinstance(error, ImportRefusedError) else ()
        said = _said(error, folder)
        with suppress(OSError):  # where the disk is full, that is what is told
            await keep(done=True, error=said, **_listed(refused, _MOST_TOLD))
        if isinstance(error, (ImportRefusedError, InvalidInputError)):
            details = {"import": told["id"], **_listed(refused, _MOST_IN_REFUSAL)}
            raise InvalidRequestError(said, details=details) from None
        raise
    call.used["memories_created"] = taken["imported"].get("memories", 0)
    answered = await keep(done=True, **taken)
    await services.use(call, lambda engine: engine.took_in(defer=True))
    return answer(call, answered)


async def _imported(
    call: Call, services: Services, path: File, options: dict[str, Any]
) -> dict[str, Any]:
    rows = await services.files.run(rows_of, path)
    await services.quotas.room_for(call, rows)
    bound = call.within if services.rooms.bounds(call.within) else None
    report: ImportReport = await services.elsewhere(call, import_file, str(path), options, bound)
    return {
        "imported": dict(report.imported),
        "unchanged": report.unchanged,
        **_listed(report.refused, _MOST_TOLD),
    }


@router.get("/v1/imports", response_model=Envelope[list[ImportOut]])
@needs("admin")
async def list_imports(
    request: Request, limit: Annotated[int, Query(ge=1, le=100)] = 50
) -> Response:
    """Return what became of the last hundred imports in short, the latest first."""
    call, services = of(request)
    found = await services.files.run(services.reports.all, call.within.id, limit=limit)
    return answer(call, [{name: each[name] for name in ImportOut.model_fields} for each in found])


@router.get("/v1/imports/{id}", response_model=Envelope[Imported])
@needs("admin")
async def import_report(
    request: Request,
    id: Annotated[str, Path(min_length=1, max_length=128)],  # noqa: A002
) -> Response:
    """Return the report of an import, by its id or by that of its request."""
    call, services = of(request)
    told = await services.files.run(services.reports.read, call.within.id, id)
    if told is None:
        raise AbsentError("there is no import of this id: see GET /v1/imports")
    return answer(call, {name: told[name] for name in Imported.model_fields})


def _id_of(call: Call) -> str:
    """Return what an import is called.

    Raises:
        InvalidRequestError: It came with a key that cannot stand in an address.
    """
    key, given = key_of(call), call.header("x-request-id")
    if key is not None and IMPORT_ID.match(key) is None:
        raise InvalidRequestError(
            "the Idempotency-Key of an import is the id of its report: give 1 to 128 letters, "
            "digits, and . _ : ~ - after the first"
        )
    return key or (given if given and IMPORT_ID.match(given) else call.request_id)


def _begun(call: Call) -> dict[str, Any]:
    return {
        "id": call.target,
        "at": call.at,
        "done": False,
        "error": None,
        "imported": {},
        "unchanged": 0,
        **_listed((), _MOST_TOLD),
    }


def _again(call: Call, before: dict[str, Any], asked: str) -> Response:
    if before.pop(_ASKED) != asked:
        raise UnprocessedError(
            "this Idempotency-Key came with another file before: give each its own"
        )
    return answer(call, before, headers=REPLAYED)


def _suffix(file: UploadFile) -> str:
    suffix = File(file.filename or "").suffix.lower()
    if suffix not in _SUFFIXES:
        raise UnsupportedTypeError(
            f"the file's name must end in one of {', '.join(_SUFFIXES)}, to say what it is"
        )
    return suffix


async def _received(file: UploadFile, path: File, options: str) -> str:
    """Write the file down, and return a digest of it and of the options."""
    digest = hashlib.sha256(options.encode())
    async with await anyio.open_file(path, "wb") as opened:
        while piece := await file.read(_PIECE):
            digest.update(piece)
            await opened.write(piece)
    return digest.hexdigest()


def _said(error: Exception, folder: File) -> str:
    """Return what is told of an error, in which the file has no path."""
    said = str(refusal_of(error))
    for path in sorted(folder.iterdir()):
        said = said.replace(str(path), "the file")
    return said


def _listed(rows: Sequence[RefusedRow], most: int) -> dict[str, Any]:
    refused = [{"table": e.table, "row": e.row, "reason": e.reason} for e in rows[:most]]
    return {"refused": refused, "more_refused": max(0, len(rows) - most)}


router.routes.extend(_taking.routes)

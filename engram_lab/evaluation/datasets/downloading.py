"""Downloading one file: streamed, taken up again where it broke off, tried again when it fails."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.errors import DatasetMissingError
from engram_lab.core.packages import optional
from engram_lab.core.progress import task

if TYPE_CHECKING:
    from pathlib import Path

    from engram_lab.core.progress import Progress, Task
    from engram_lab.evaluation.datasets.manifest import Archive, PublishedFile

__all__ = ["download"]

_ATTEMPTS: Final = 5
_UNREACHED: Final = 2
"""Attempts to reach a server at all: without a network, nobody waits long to hear so."""

_CONNECT_S: Final = 15.0
_READ_S: Final = 60.0
_LONGEST_PAUSE_S: Final = 30.0

_OK: Final = 200
_PARTIAL: Final = 206
_UNSATISFIABLE: Final = 416
_BUSY: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers after which another attempt may do better."""


class _Unfinished(Exception):  # noqa: N818 - it is caught here, and is no error to anybody else
    """An attempt that failed, and may be made again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Source:
    """An address, and where what came of it is kept meanwhile."""

    url: str
    part: Path
    note: Path
    pinned: Archive | PublishedFile

    @property
    def resumable(self) -> dict[str, str]:
        """The headers by which a server goes on where it broke off, if that is safe.

        It is where the server can be asked for the rest of the very same file.
        """
        try:
            done = self.part.stat().st_size
            known = json.loads(self.note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        validator = known.get("validator") if isinstance(known, dict) else None
        if not done or not validator:
            return {}
        return {"Range": f"bytes={done}-", "If-Range": validator}


def download(
    url: str,
    folder: Path,
    *,
    pinned: Archive | PublishedFile,
    pause: Callable[[float], None],
    progress: Progress | None = None,
) -> Path:
    """Download a file into a folder and return its path there; nothing is verified yet.

    What an attempt leaves stays in the folder, and the next one takes it up where the server gave
    an ETag or a date by which it is known to be the same file.

    Args:
        url: Its address.
        folder: Where it goes, under a name made of the address.
        pinned: What the manifest says of it; its size is the total where the server gives none.
        pause: Waits so many seconds before another attempt.
        progress: Told how many bytes are here.

    Raises:
        DatasetMissingError: It did not come.
        MissingDependencyError: httpx2 is absent.
    """
    httpx2 = optional("httpx2", package="httpx2", feature="fetching data sets", extra="eval")
    name = hashlib.sha256(url.encode()).hexdigest()[:16]
    source = _Source(
        url=url, part=folder / f"{name}.part", note=folder / f"{name}.json", pinned=pinned
    )
    problem, unreached = "", 0
    timeout = httpx2.Timeout(_READ_S, connect=_CONNECT_S)
    telling = task("fetching", unit="bytes", progress=progress)
    with telling as counting, httpx2.Client(follow_redirects=True, timeout=timeout) as client:
        counting.say(url.rpartition("/")[2])
        for attempt in range(_ATTEMPTS):
            if attempt:
                pause(min(2.0**attempt, _LONGEST_PAUSE_S))
            try:
                _attempt(client, source, counting)
            except _Unfinished as error:
                problem, unreached = str(error), 0
            except httpx2.RequestError as error:
                problem = f"{type(error).__name__}: {error}".rstrip(": ")
                reached = not isinstance(error, (httpx2.ConnectError, httpx2.ConnectTimeout))
                unreached = 0 if reached else unreached + 1
            else:
                return source.part.replace(folder / name)
            if unreached == _UNREACHED:
                break
    raise _unreachable(source, f"{attempt + 1} attempts failed, the last with: {problem}")


def _unreachable(source: _Source, problem: str) -> DatasetMissingError:
    return DatasetMissingError(
        f"{source.url} could not be downloaded ({problem}): check the network and the address, "
        "or get it by other means and put the files in their place"
    )


def _attempt(client: Any, source: _Source, counting: Task) -> None:
    headers = {"Accept-Encoding": "identity", **source.resumable}
    with client.stream("GET", source.url, headers=headers) as response:
        if response.status_code == _UNSATISFIABLE:
            source.part.unlink(missing_ok=True)
            raise _Unfinished("the server has less than what was here: begun anew")
        if response.status_code in _BUSY:
            raise _Unfinished(f"the server answered {response.status_code}")
        if response.status_code not in {_OK, _PARTIAL}:
            raise _unreachable(source, f"the server answered {response.status_code}")
        begin = done = _begin(response, source)
        packed = response.headers.get("content-encoding", "identity") != "identity"
        total = None if packed else _total(response, source, begin)
        if not begin:  # before the note, so that it never speaks of another answer's bytes
            source.part.unlink(missing_ok=True)
        validator = None if packed else _validator(response)
        source.note.write_text(json.dumps({"validator": validator}), encoding="utf-8")
        with source.part.open("ab") as file:
            counting.reach(done, total)
            for piece in response.iter_bytes() if packed else response.iter_raw():
                file.write(piece)
                done += len(piece)
                counting.reach(done, total)
    if total is not None and done < total:
        raise _Unfinished(f"{done} of {total} bytes came")


def _validator(response: Any) -> str | None:
    """Return what the file is known by on its server, where that promises the same bytes."""
    validator: str | None = response.headers.get("etag") or response.headers.get("last-modified")
    return None if validator and validator.startswith("W/") else validator


def _begin(response: Any, source: _Source) -> int:
    """Return from where on the answer is to be written."""
    if response.status_code == _OK:
        return 0
    said = response.headers.get("content-range", "")
    done = source.part.stat().st_size
    if not said.startswith(f"bytes {done}-"):
        source.part.unlink()
        raise _Unfinished(f"the server sent {said!r} instead of what follows byte {done}")
    return done


def _total(response: Any, source: _Source, begin: int) -> int | None:
    length = response.headers.get("content-length", "")
    return begin + int(length) if length.isdigit() else source.pinned.size

"""A tenant full of words that nobody else may ever see, and what to try to see them."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from tests.serve.asks import Ask, Values, asks_of_routes, asks_of_tools, message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import httpx2

    from tests.serve.live import Live

BAIT = "thrush"
"""A word that all tenants use: who asks for it finds their own."""
SHARED = {"content": f"a {BAIT} that all tenants tell of"}
KEY = {"Idempotency-Key": "the-same-for-all"}
UNKNOWN = "019aa4c2-7f00-7000-8000-00000000dead"
PARQUET = "application/vnd.apache.parquet"


@dataclass(frozen=True, kw_only=True)
class Canary:
    """A furnished tenant.

    Attributes:
        word: Stands in everything that was told of it, and in no request of anybody else.
        lent: Ids of what it has, which others got to know: they may ask for it, and say them.
        secrets: What nobody else ever heard of, by what it is.
    """

    slug: str
    client: httpx2.Client
    headers: dict[str, str]
    word: str
    lent: dict[str, str]
    secrets: dict[str, str]


def furnished(served: Live, slug: str) -> Canary:
    """Return a tenant that has two of everything: one is known to others, and one is not."""
    word, tenant, secret = f"canary{slug}sings", served.tenant(slug, "dedicated"), served.key(slug)
    headers = {"Authorization": f"Bearer {secret}", "X-Engram-Tenant": slug}
    client = served.client(**{name.replace("-", "_"): told for name, told in headers.items()})
    known, hidden = _furnish(client, word), _furnish(client, word)
    del known["shared memory"]  # the same in both: the second was answered with the first
    audit = _asked(client, "GET", "/v1/audit")["data"]
    secrets = {"word": word, "own key": secret, **hidden}
    secrets |= {f"mark {number}": each["hash"] for number, each in enumerate(audit)}
    known |= {"tenant": tenant.id}
    known["cursor"] = _asked(client, "GET", "/v1/memories?limit=2")["meta"]["next_cursor"]
    return Canary(slug=slug, client=client, headers=headers, word=word, lent=known, secrets=secrets)


def _furnish(client: httpx2.Client, word: str) -> dict[str, str]:
    """Make one of everything, and return its ids and what else there is to know of it."""

    def made(path: str, body: Any = None, **given: Any) -> dict[str, Any]:
        data: dict[str, Any] = _asked(client, "POST", path, json=body, **given)["data"]
        return data

    told = {
        "content": f"the {BAIT} of {word}", "tags": [BAIT, f"{word}-tag"],
        "source": f"{word}-source", "metadata": {"by": f"{word}-metadata"},
        "workspace": f"{word}-room", "agent_id": f"{word}-agent", "scope": f"global/project:{word}",
    }  # fmt: skip
    ids = {f"memory {number}": made("/v1/memories", told)["id"] for number in range(3)}
    ids["shared memory"] = made("/v1/memories", SHARED, headers=KEY)["id"]
    client.delete(f"/v1/memories/{ids['memory 2']}").raise_for_status()
    link = {"from_id": ids["memory 0"], "to_id": ids["memory 1"], "context": f"{word}-context"}
    ids["link"] = made("/v1/links", link)["id"]
    key = made("/v1/keys", {"name": f"{word}-key", "scopes": ["search"]})
    invite = made("/v1/invites", {"email": f"{word}@example.com"})
    ids |= {"key": key["id"], "invite": invite["id"]}
    member = {"role": "viewer", "email": f"{word}@example.com"}
    _asked(client, "PUT", f"/v1/members/{word}-member", json=member)
    _asked(client, "PUT", f"/v1/workspaces/{word}-room", json={"description": f"{word}-policy"})
    for each in ("settled twice", "settled twice."):
        made("/v1/memories", {"content": f"{word} {each}"})
    ids["dream"] = made("/v1/dream", {"steps": ["merge"]})["run"]["id"]
    row = json.dumps({"content": f"{word} imported", "workspace": f"{word}-room"}).encode()
    ids["import"] = made("/v1/import", files={"file": ("rows.jsonl", row)})["id"]
    ids["backup"] = made("/v1/backups")["name"]
    made("/v1/search", {"query": BAIT})
    return ids | {"prefix": key["prefix"], "secret": key["secret"], "token": invite["token"]}


def _asked(client: httpx2.Client, method: str, path: str, **given: Any) -> Any:
    answer = client.request(method, path, **given)
    assert answer.is_success, (path, answer.text)
    return answer.json()


def attempts(
    openapi: Mapping[str, Any], tools: Iterable[Mapping[str, Any]], victim: Canary, own: Canary
) -> Iterator[Ask]:
    """Yield what one tenant may try to see another's: every route, every tool, every resource."""
    listed = json.dumps({"metadata.by": {"exists": True}})
    known = [*victim.lent.values(), *own.lent.values()]
    values = Values(
        ids=[own.lent["memory 0"], own.lent["memory 1"]],
        asked=[victim.lent["memory 0"], victim.lent["cursor"], victim.slug, listed, BAIT],
        pathed=[*known, victim.slug, f"..%2f{victim.lent['tenant']}", UNKNOWN],
        within=[BAIT, victim.lent["memory 0"], own.lent["memory 0"], own.secrets["dream"]],
    )
    yield from asks_of_routes(openapi, values)
    yield Ask(
        name="POST /v1/memories", method="POST", path="/v1/memories", body=SHARED, headers=KEY
    )
    yield from asks_of_tools(tools, values)
    for value in (*known, UNKNOWN):
        yield message("resources/read", {"uri": f"memory://{value}"}, value=value)
    for uri in ("memories://recent", "stats://memories", "engine://configuration"):
        yield message("resources/read", {"uri": uri})
    for name, given in (
        ("recall-context", {"query": BAIT}),
        ("summarise-day", {"day": "2026-11-21"}),
    ):
        yield message("prompts/get", {"name": name, "arguments": given})


def told_in(answer: httpx2.Response) -> str:
    """Return everything that an answer says, headers too, as text."""
    text = answer.content.decode("utf-8", "replace")
    if answer.headers.get("content-type") == PARQUET:
        text = str(pl.read_parquet(io.BytesIO(answer.content)).to_dicts())
    return f"{dict(answer.headers)}\n{text}"


def seen(ask: Ask, answer: httpx2.Response, victim: Canary) -> list[str]:
    """Return what of another tenant an answer says."""
    told = told_in(answer)
    return [
        f"{ask.name} with {ask.value!r} said the {name} of {victim.slug}: {answer.status_code}"
        for name, secret in victim.secrets.items()
        if secret in told
    ]


def as_refused(ask: Ask, answer: httpx2.Response) -> str:
    """Return an answer without what makes every one another: for comparing what exists or not."""
    text = told_in(answer).partition("\n")[2].replace(ask.value, "…") if ask.value else answer.text
    text = re.sub(r'"request_id":"[^"]*"', "", text)
    return f"{answer.status_code} {text}"

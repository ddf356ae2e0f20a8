"""Multi-hop questions over one corpus of passages: MuSiQue, HotpotQA, 2WikiMultihopQA.

The files are `<name>_corpus.json`, the passages, and `<name>.json`, the questions with the
paragraphs they were made from, in the shapes that HippoRAG publishes. A passage answers a question
if it is one of its supporting paragraphs.

Source: Gutiérrez et al., "HippoRAG: Neurobiologically Inspired Long-Term Memory for Large Language
Models", NeurIPS 2024, §3.1; Trivedi et al. 2022 (MuSiQue), Yang et al. 2018 (HotpotQA), Ho et al.
2020 (2WikiMultihopQA) for what supports a question.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from engram_lab.core.errors import DatasetMissingError, InvalidInputError, shown
from engram_lab.evaluation.datasets.beir import read_beir
from engram_lab.evaluation.datasets.dataset import MEMORIES, QRELS, QUERIES, Dataset
from engram_lab.evaluation.datasets.reading import (
    check_options,
    data_file,
    existing,
    frame_of,
    json_file,
    refused,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["OPTIONS", "read_multi_hop"]

OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "name": ("",),
    "unit": ("passage", "text"),
    "dangling": ("refuse", "drop"),
}
"""`name`: of the files, needed where a folder holds several sets. `unit`: what is remembered of a
passage, its title and text on lines of their own, or its text alone. `dangling`: what happens to a
supporting paragraph that the corpus does not hold."""

_CORPUS: Final = "_corpus.json"
_HOPS: Final = re.compile(r"([2-9]hop)\d*__")


def read_multi_hop(folder: Path, *, id: str, options: Mapping[str, str]) -> Dataset:  # noqa: A002
    """Read a set of multi-hop questions.

    Passages that are there twice are one. Ids are positions in the published files, as titles would
    tell what a passage is about; `source_id` keeps the title of a passage and the id of a question.
    The category of a question is its `type`, or how many hops the id of MuSiQue says.

    Args:
        folder: Where the files lie; `corpus.jsonl` among them means the layout of BEIR.
        id: The name of the data set.
        options: See `OPTIONS`.

    Raises:
        DatasetMissingError: A file is not there.
        InvalidInputError: An option is unknown, or a file does not have this shape.
    """
    chosen = check_options(options, OPTIONS, reader="multi-hop")
    if (folder / "corpus.jsonl").is_file():
        return _from_beir(folder, id, chosen)
    name = chosen["name"] or _only_name(folder)
    left_out: Counter[str] = Counter()
    passages = _Passages(existing(folder, name + _CORPUS), left_out)
    path = existing(folder, f"{name}.json")
    queries: list[dict[str, Any]] = []
    qrels: list[dict[str, Any]] = []
    for index, question in enumerate(_listed(path, json_file(path))):
        place = f"[{index}]"
        asked = {"id": f"q{index}", **_question(path, place, question)}
        found = _supporting(path, place, question, passages)
        lost = [title for title, key in found if key is None]
        if lost and chosen["dangling"] == "refuse":
            raise refused(
                path,
                place,
                f"is supported by {lost[0]!r}, which {passages.path.name} does not hold as it "
                "stands here: repair the file, or read it with the option dangling=drop",
            )
        left_out["supporting paragraphs that are not there"] += len(lost)
        keys = dict.fromkeys(key for _, key in found if key is not None)
        if not keys:
            left_out["questions without supporting paragraph"] += 1
            continue
        queries.append(asked)
        qrels += [{"query_id": asked["id"], "memory_id": key, "relevance": 1} for key in keys]
    return Dataset(
        id=id,
        memories=frame_of(passages.memories(chosen["unit"]), MEMORIES),
        queries=frame_of(queries, QUERIES),
        qrels=frame_of(qrels, QRELS),
        variant={**chosen, "name": name},
        files=tuple(data_file(folder, each) for each in (name + _CORPUS, f"{name}.json")),
        left_out={reason: count for reason, count in left_out.items() if count},
    )


def _from_beir(folder: Path, id: str, chosen: dict[str, str]) -> Dataset:  # noqa: A002
    """Read the same data in the layout of BEIR, with the hops that ids of MuSiQue tell."""
    unit = {"passage": "lines", "text": "text"}[chosen["unit"]]
    read = read_beir(folder, id=id, options={"unit": unit, "dangling": chosen["dangling"]})
    hops = [_hops(each) for each in read.queries["source_id"]]
    category = pl.Series("category", hops, dtype=pl.String)
    return replace(read, queries=read.queries.with_columns(category), variant=chosen)


def _hops(question_id: str | None) -> str | None:
    found = _HOPS.match(question_id or "")
    return found[1] if found else None


def _only_name(folder: Path) -> str:
    names = sorted(path.name.removesuffix(_CORPUS) for path in folder.glob("*" + _CORPUS))
    if not names:
        raise DatasetMissingError(f"there is no file *{_CORPUS} in {folder}")
    if len(names) > 1:
        raise InvalidInputError(
            f"{folder} holds several sets of questions: say which with the option "
            f"name={' or name='.join(names)}"
        )
    return names[0]


@dataclass
class _Passages:
    """The passages of a corpus, and where each one is."""

    path: Path
    left_out: Counter[str]
    _texts: dict[str, tuple[str, str]] = field(default_factory=dict)
    _by_text: dict[tuple[str, str], str] = field(default_factory=dict)
    _by_title: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for position, (title, text) in enumerate(self._published()):
            key = f"p{position}"
            if not f"{title}{text}".strip():
                self.left_out["passages without text"] += 1
            elif (title, _bare(text)) in self._by_text:
                self.left_out["repeated passages"] += 1
            else:
                self._texts[key] = (title, text)
                self._by_text[title, _bare(text)] = key
                self._by_title.setdefault(title, []).append(key)

    def memories(self, unit: str) -> list[dict[str, Any]]:
        """Return a memory a passage."""
        return [
            {
                "id": key,
                "content": (f"{title}\n{text}" if unit == "passage" else text or title).strip(),
                "source_id": title,
            }
            for key, (title, text) in self._texts.items()
        ]

    def find(self, title: str, text: str | None) -> str | None:
        """Return the id of a passage, whatever white space joins its sentences.

        A title alone finds a passage where no other has it.
        """
        if text is not None and (key := self._by_text.get((title, _bare(text)))):
            return key
        keys = self._by_title.get(title, [])
        return keys[0] if len(keys) == 1 else None

    def _published(self) -> Iterator[tuple[str, str]]:
        found = json_file(self.path)
        if isinstance(found, dict):  # as HotpotQA was first published: sentences by title
            for title, sentences in found.items():
                yield title, _joined(self.path, f"[{title!r}]", sentences)
            return
        for index, each in enumerate(_listed(self.path, found)):
            place = f"[{index}]"
            yield (
                _text(self.path, place, each, "title"),
                _joined(self.path, place, each.get("text")),
            )


def _bare(text: str) -> str:
    return "".join(text.split())


def _joined(path: Path, place: str, found: Any) -> str:
    """Return a text, or the sentences of one: those of HotpotQA bring their own spaces."""
    if isinstance(found, str):
        return found
    if isinstance(found, list) and all(isinstance(each, str) for each in found):
        spaced = all(each[:1].isspace() for each in found[1:])
        return ("" if spaced else " ").join(found)
    raise refused(path, place, f"has the text {shown(found)}: it must be a text or sentences")


def _listed(path: Path, found: Any) -> Sequence[dict[str, Any]]:
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise refused(path, "the whole file", "must be a list of JSON objects")
    return found


def _text(path: Path, place: str, found: Mapping[str, Any], name: str) -> str:
    text = found.get(name)
    if not isinstance(text, str):
        raise refused(path, place, f"has the {name} {shown(text)}: it must be a text")
    return text


def _question(path: Path, place: str, found: Mapping[str, Any]) -> dict[str, Any]:
    text = _text(path, place, found, "question").strip()
    if not text:
        raise refused(path, place, "has an empty question")
    known = found.get("id", found.get("_id"))
    source = None if known is None else str(known)
    kind = found.get("type")
    return {
        "text": text,
        "category": kind if isinstance(kind, str) else _hops(source),
        "source_id": source,
    }


def _supporting(
    path: Path, place: str, found: Mapping[str, Any], passages: _Passages
) -> list[tuple[str, str | None]]:
    """Return title and id of each supporting paragraph, None for one that is not in the corpus."""
    if "supporting_facts" in found:
        return _by_facts(path, place, found, passages)
    name = next((each for each in ("paragraphs", "contexts") if each in found), None)
    if name is None:
        raise refused(path, place, "has none of supporting_facts, paragraphs and contexts")
    lines = []
    for index, each in enumerate(_listed(path, found[name])):
        if each.get("is_supporting", True):
            where = f"{place}.{name}[{index}]"
            title = _text(path, where, each, "title")
            text = each.get("paragraph_text", each.get("text"))
            lines.append((title, passages.find(title, _joined(path, where, text))))
    return lines


def _by_facts(
    path: Path, place: str, found: Mapping[str, Any], passages: _Passages
) -> list[tuple[str, str | None]]:
    """Return what `_supporting` does, for questions that name the titles that support them."""
    try:
        titles = list(dict.fromkeys(title for title, _ in found["supporting_facts"]))
        texts = dict(found.get("context") or [])
    except (TypeError, ValueError) as error:
        raise refused(
            path,
            place,
            "must have supporting_facts as [title, sentence] and context as [title, sentences]",
        ) from error
    lines = []
    for title in titles:
        text = _joined(path, f"{place}.context", texts[title]) if title in texts else None
        lines.append((str(title), passages.find(str(title), text)))
    return lines

"""Index files beside a database: made, used, replaced, and never believed where they are wrong."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.core.errors import NotFoundError
from engram_lab.retrieval.dense import DenseIndex
from engram_lab.retrieval.lexical.index import LexicalIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engram_lab import Engine, ManualClock

    Opened = Callable[..., Engine]

TEXTS = [f"tea {'cup ' * (number % 4)}word{number}" for number in range(60)]
QUESTIONS = ("tea cup", "word17", "word58 tea")


def answers(engine: Engine) -> list[list[tuple[str, float]]]:
    return [
        [(hit.memory.content, hit.score) for hit in engine.recall(query, 20, strategy=strategy)]
        for query in QUESTIONS
        for strategy in ("keyword", "semantic", "hybrid")
    ]


def files(place: Path) -> list[Path]:
    return sorted(Path(f"{place}.index").glob("*"))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "notes.db"


@pytest.fixture
def wanted(place: Path, opened: Opened, words: Any) -> list[list[tuple[str, float]]]:
    """Fill a database, keep its indexes, and return what it answers."""
    with opened(place, embedder=words()) as engine:
        engine.remember_many({"content": text} for text in TEXTS)
        return answers(engine)


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Tell which indexes were built from all that is stored."""
    made: list[str] = []
    for kind, method in ((LexicalIndex, "_build"), (DenseIndex, "_take_all")):
        inner = getattr(kind, method)

        def build(self: Any, _inner: Any = inner, _name: str = kind.__name__) -> Any:
            made.append(_name)
            return _inner(self)

        monkeypatch.setattr(kind, method, build)
    return iter([made])


@pytest.mark.usefixtures("wanted")
def test_files_lie_beside_the_database_after_closing(place: Path) -> None:
    suffixes = [file.suffix for file in files(place)]
    assert sorted(suffixes) == [".base", ".index", ".state"]


def test_files_are_used_when_it_is_opened_again(
    place: Path, wanted: Any, opened: Opened, words: Any, built: Iterator[list[str]]
) -> None:
    made = next(built)
    with opened(place, embedder=words()) as engine:
        assert answers(engine) == wanted
    assert made == []
    shutil.rmtree(f"{place}.index")
    with opened(place, embedder=words()) as engine:
        assert answers(engine) == wanted
    assert sorted(made) == ["DenseIndex", "LexicalIndex"]


def test_what_changed_since_is_followed(
    place: Path, wanted: Any, opened: Opened, words: Any, built: Iterator[list[str]]
) -> None:
    with opened(place, embedder=words()) as engine:  # nothing is asked, so no file is written
        gone = next(iter(engine.select(filter={"content": TEXTS[17]})))
        engine.forget(gone.id)
        engine.remember("word17 is here now")
    made = next(built)
    with opened(place, embedder=words()) as engine:
        found = answers(engine)
        hits = engine.recall("word17", strategy="keyword")
        assert [hit.memory.content for hit in hits] == ["word17 is here now"]
    assert made == []
    assert found != wanted
    shutil.rmtree(f"{place}.index")
    with opened(place, embedder=words()) as engine:
        assert answers(engine) == found


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut": lambda data: data[: len(data) // 2],
    "cut at the end": lambda data: data[:-1],
    "noise": lambda data: bytes(range(256)) * (len(data) // 256 + 1),
    "turned": lambda data: data[: len(data) // 2] + data[len(data) // 2 :][::-1],
    "head": lambda data: b"\x00" * 64 + data[64:],
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("which", [".base", ".index", ".state"])
def test_a_damaged_file_leads_to_a_right_answer(
    place: Path, wanted: Any, opened: Opened, words: Any, damage: str, which: str
) -> None:
    for file in files(place):
        if which == file.suffix:
            file.write_bytes(DAMAGES[damage](file.read_bytes()))
    with opened(place, embedder=words()) as engine:
        assert answers(engine) == wanted


def test_files_of_another_database_lead_to_a_right_answer(
    place: Path, wanted: Any, opened: Opened, words: Any, tmp_path: Path
) -> None:
    other = tmp_path / "other.db"
    with opened(other, embedder=words()) as engine:
        engine.remember_many({"content": text.replace("tea", "milk")} for text in TEXTS)
        others = answers(engine)
    shutil.rmtree(f"{place}.index")
    shutil.copytree(f"{other}.index", f"{place}.index")
    with opened(place, embedder=words()) as engine:
        assert answers(engine) == wanted
        assert answers(engine) != others


def test_files_of_a_later_state_of_this_database_lead_to_a_right_answer(
    place: Path, wanted: Any, opened: Opened, words: Any, tmp_path: Path
) -> None:
    with opened(place, embedder=words()) as engine:
        engine.backup(tmp_path / "copy.db")
        for number in range(30):
            engine.remember(f"word17 {number}")
        answers(engine)
        engine.reindex()
    shutil.copytree(f"{place}.index", tmp_path / "copy.db.index")
    with opened(tmp_path / "copy.db", embedder=words()) as engine:
        assert answers(engine) == wanted
        for number in range(40):  # the copy goes another way
            engine.remember(f"word58 {number}")
        assert len(engine.recall("word17", 100, strategy="keyword")) == 1
        assert len(engine.recall("word58", 100, strategy="keyword")) == 41


def test_files_of_another_embedder_are_left_aside(
    place: Path, wanted: Any, opened: Opened, words: Any
) -> None:
    with opened(place, embedder=words(name="other")) as engine:
        assert engine.embed().complete == len(TEXTS)
        assert answers(engine) == wanted  # the same vectors under another name
    assert [file.suffix for file in files(place)].count(".base") == 2
    with opened(place, embedder=words(dim=9)) as engine:
        engine.embed()
        assert answers(engine) != wanted
    with opened(place, embedder=words()) as engine:
        assert answers(engine) == wanted


@pytest.mark.parametrize("kind", ["exact", "flat", "hnsw", "ivf"])
def test_another_kind_of_index_is_made_of_the_same_files(
    place: Path, wanted: Any, opened: Opened, words: Any, kind: str
) -> None:
    if kind != "exact":
        pytest.importorskip("faiss")
    for _ in range(2):
        with opened(place, embedder=words(), index={"kind": kind}) as engine:
            for found, known in zip(answers(engine), wanted, strict=True):
                assert len(found) == len(known)
                assert {text for text, _ in found} == {text for text, _ in known}
    with opened(place, embedder=words()) as engine:
        assert answers(engine) == wanted


def test_who_may_only_read_writes_no_file(
    place: Path, wanted: Any, opened: Opened, words: Any
) -> None:
    before = {file: file.stat().st_mtime_ns for file in files(place)}
    with opened(place, embedder=words(), read_only=True) as engine:
        assert answers(engine) == wanted
    assert before == {file: file.stat().st_mtime_ns for file in files(place)}
    shutil.rmtree(f"{place}.index")
    with opened(place, embedder=words(), read_only=True) as engine:
        assert answers(engine) == wanted
    assert not Path(f"{place}.index").exists()


def test_who_may_only_read_embeds_nothing(place: Path, opened: Opened, words: Any) -> None:
    with opened(place, embedding={"model": "none"}) as engine:
        engine.remember("tea")
    embedder = words()
    with opened(place, embedder=embedder, read_only=True) as engine:
        assert engine.recall("tea").strategy == "keyword"
        assert engine.recall("tea", strategy="semantic").strategy == "semantic"
    assert embedder.documents == []


def test_no_file_is_kept_where_the_setting_says_so(place: Path, opened: Opened, words: Any) -> None:
    with opened(place, embedder=words(), index={"keep": False}) as engine:
        engine.remember("tea")
        assert len(engine.recall("tea")) == 1
        engine.reindex()
    assert not Path(f"{place}.index").exists()


def test_a_database_in_memory_leaves_no_file(
    opened: Opened, words: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with opened(embedder=words()) as engine:
        engine.remember("tea")
        assert len(engine.recall("tea")) == 1
        engine.reindex()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_troubles_no_recall(
    place: Path, opened: Opened, words: Any, caplog: pytest.LogCaptureFixture
) -> None:
    Path(f"{place}.index").write_text("no folder")
    with opened(place, embedder=words()) as engine:
        engine.remember("tea")
        assert len(engine.recall("tea")) == 1
    assert "an index was not kept" in caplog.text
    with opened(place, embedder=words()) as engine:
        assert len(engine.recall("tea")) == 1


# Purging


SECRET = "xylophonist"  # noqa: S105 - a word, to be purged


def traces(folder: Path, *needles: bytes) -> list[str]:
    """Return the files under a folder that hold any of some bytes."""
    return [
        f"{file.name}: {needle[:12]!r}"
        for file in sorted(folder.rglob("*"))
        if file.is_file()
        for needle in needles
        if needle in file.read_bytes()
    ]


@pytest.mark.parametrize("loaded", [True, False])
@pytest.mark.parametrize("kind", ["exact", "hnsw"])
def test_a_purge_leaves_neither_word_nor_vector_in_any_file(
    place: Path, opened: Opened, words: Any, tmp_path: Path, kind: str, *, loaded: bool
) -> None:
    if kind != "exact":
        pytest.importorskip("faiss")
    sections: dict[str, Any] = {
        "embedding": {"cache": str(tmp_path / "cache.db")},
        "index": {"kind": kind},
        "learning": {"record_recalls": False},
    }
    vectors = words(dim=16).embed([f"the {SECRET} plays", SECRET], kind="document")
    needles = [SECRET.encode(), *(row.tobytes() for row in vectors)]

    with opened(place, embedder=words(dim=16), **sections) as engine:
        engine.remember_many({"content": text} for text in TEXTS)
        memory = engine.remember(SECRET)
        engine.update(memory.id, content=f"the {SECRET} plays")
        answers(engine)
        engine.reindex()
    assert len(traces(tmp_path, *needles)) >= 3

    with opened(place, embedder=words(dim=16), **sections) as engine:
        if loaded:
            answers(engine)
        engine.purge([memory.id])
        assert traces(tmp_path, *needles) == []
        assert len(engine.recall("tea", 100, strategy="semantic")) == len(TEXTS)
        assert len(engine.recall(SECRET, strategy="keyword")) == 0
    assert traces(tmp_path, *needles) == []
    with opened(place, embedder=words(dim=16), **sections) as engine:
        assert len(engine.recall("tea", 100, strategy="semantic")) == len(TEXTS)


def test_a_purge_empties_the_embedding_cache_of_it(
    place: Path, opened: Opened, tmp_path: Path
) -> None:
    sections = {"embedding": {"model": "hashing", "dim": 16, "cache": str(tmp_path / "cache.db")}}
    with opened(place, **sections) as engine:
        memory = engine.remember(f"the {SECRET} <private>of Bremen</private> plays")
        engine.remember("tea")
        engine.update(memory.id, content=SECRET)
        engine.recall(SECRET, strategy="semantic")
        texts = [f"the {SECRET}  plays", SECRET]
        needles = [row.tobytes() for row in engine.embedder.embed(texts, kind="document")]
        kept = engine.embedder.embed(["tea"], kind="document")[0].tobytes()
    for embedder in ("hashing", "none"):  # also where nothing is loaded
        assert traces(tmp_path, *needles)
        with opened(
            place, **sections | {"embedding": {**sections["embedding"], "model": embedder}}
        ) as engine:
            if embedder == "hashing":
                memory_again = engine.remember(f"the {SECRET}  plays")
                engine.purge([memory_again.id])
                assert [name for name in traces(tmp_path, needles[0]) if "cache" in name] == []
            else:
                engine.purge([memory.id])
    assert traces(tmp_path, *needles) == []
    assert traces(tmp_path, kept)


def test_what_expired_is_gone_from_the_files_after_a_clean_up(
    place: Path, opened: Opened, words: Any, clock: ManualClock, tmp_path: Path
) -> None:
    needles = [SECRET.encode(), words(dim=16).embed([SECRET], kind="document")[0].tobytes()]
    with opened(place, clock=clock, embedder=words(dim=16)) as engine:
        engine.remember("tea")
        engine.remember(SECRET, tier="daily")
        answers(engine)
    assert len(traces(tmp_path, *needles)) >= 3
    clock.advance(hours=25)
    with opened(place, clock=clock, embedder=words(dim=16)) as engine:
        assert engine.clean_up().expired == 1
        assert traces(tmp_path, *needles) == []
        assert len(engine.recall("tea")) == 1
    assert traces(tmp_path, *needles) == []


def test_another_engine_that_closes_after_a_purge_brings_nothing_back(
    place: Path, opened: Opened, words: Any, tmp_path: Path
) -> None:
    needles = [SECRET.encode(), words(dim=16).embed([SECRET], kind="document")[0].tobytes()]
    one, two = (opened(place, embedder=words(dim=16)) for _ in range(2))
    memory = one.remember(SECRET)
    one.remember("tea")
    answers(two)
    one.purge([memory.id])
    two.close()
    assert traces(tmp_path, *needles) == []
    one.close()
    assert traces(tmp_path, *needles) == []


def test_a_purge_of_what_is_not_there_leaves_all_as_it_was(
    place: Path, wanted: Any, opened: Opened, words: Any
) -> None:
    with opened(place, embedder=words()) as engine:
        with pytest.raises(NotFoundError):
            engine.purge(["01890a5d-ac96-774b-bcce-b302099a8057"])
        assert answers(engine) == wanted
    assert len(files(place)) == 3


# Two processes


OTHER = """
import sys
import numpy as np
from engram_lab import Engine, EngineConfig

config = EngineConfig.from_dict({"embedding": {"model": "hashing"}})
with Engine.open(sys.argv[1], config=config) as engine:
    for line in sys.stdin:
        verb, _, text = line.strip().partition(" ")
        if verb == "remember":
            print(engine.remember(text).id, flush=True)
        elif verb == "forget":
            engine.forget(text)
            print("done", flush=True)
        else:
            hits = engine.recall(text, 50, strategy=verb)
            print(" ".join(sorted(hit.id for hit in hits)), flush=True)
"""


def test_two_processes_see_each_other_s_writes_in_their_next_recall(
    place: Path, opened: Opened
) -> None:
    with (
        opened(place, embedding={"model": "hashing"}) as engine,
        subprocess.Popen(
            [sys.executable, "-c", OTHER, str(place)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            text=True,
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None

        def other(command: str) -> str:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{command}\n")
            process.stdin.flush()
            return process.stdout.readline().strip()

        known: set[str] = set()
        for number in range(5):
            known.add(engine.remember(f"tea {number}").id)
            assert set(other("keyword tea").split()) == known
            assert set(other("semantic tea").split()) == known
            known.add(other(f"remember tea of theirs {number}"))
            for strategy in ("keyword", "semantic", "hybrid"):
                hits = engine.recall("tea", 50, strategy=strategy)
                assert {hit.id for hit in hits} == known
        gone = known.pop()
        engine.forget(gone)
        assert set(other("hybrid tea").split()) == known
        gone = known.pop()
        assert other(f"forget {gone}") == "done"
        assert {hit.id for hit in engine.recall("tea", 50)} == known
        process.stdin.close()


def test_what_is_closed_is_closed(opened: Opened, words: Any, place: Path) -> None:
    engine = opened(place, embedder=words())
    engine.remember("tea")
    engine.recall("tea")
    engine.close()
    engine.close()
    assert np.all([file.stat().st_size > 0 for file in files(place)])

"""`engram eval tune --learn` and `--feedback`, from end to end."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.config import load_config
from engram_lab.engine import Engine
from engram_lab.evaluation.tuning.ledger import Ledger
from engram_lab.retrieval.learned import LearnedRecord

if TYPE_CHECKING:
    from tests.cli.conftest import Engram

THINGS = ("kite", "lamp", "boat", "drum", "oven", "sled")
TALKS = {
    "yard": ("Ada", "Ben", "nearly always after lunch near harbour gates"),
    "loft": ("Cleo", "Dan", "quite seldom before dawn behind chapel walls"),
    "mill": ("Eve", "Finn", "only once each winter under birch trees"),
}
FEATURES = ("speaker", "question", "words", "cosine")
CHOSEN = tuple(part for name in FEATURES for part in ("--feature", name))
LEARN = ("eval", "tune", "frames", "--data", "mine", "--learn", *CHOSEN)


def turns(talk: str) -> list[tuple[str, str]]:
    """Return what is said of each thing: a question, the answer, and an echo."""
    one, other, words = TALKS[talk]
    odd, *rest = words.split()
    return [
        said
        for thing in THINGS
        for said in (
            (one, f"{odd} {rest[0]}: {thing}, {other}? {rest[1]} {thing} {rest[2]}?"),
            (other, f"I bought {rest[3]} {thing} {odd} {rest[4]}, my own"),
            (one, f"{other}, {rest[5]} {thing} {odd} {rest[0]} {thing}!"),
        )
    ]


def question(talk: str, thing: str) -> str:
    return f"When did {TALKS[talk][1]} buy the {thing}?"


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def mine(engram: Engram) -> Path:
    """Return a folder of conversations, each a corpus and a cluster."""
    folder = Path("mine")
    folder.mkdir()
    memories = [
        {"id": f"{talk}{place}", "corpus": talk, "session": f"{talk}-s", "position": place + 1,
         "speaker": speaker, "content": text}
        for talk in TALKS
        for place, (speaker, text) in enumerate(turns(talk))
    ]  # fmt: skip
    queries = [
        {"id": f"{talk}-{thing}", "corpus": talk, "cluster": talk, "text": question(talk, thing)}
        for talk in TALKS
        for thing in THINGS
    ]
    judged = "".join(
        f"{talk}-{thing}\t{talk}{3 * place + 1}\t1\n"
        for talk in TALKS
        for place, thing in enumerate(THINGS)
    )
    (folder / "memories.jsonl").write_text(lines(memories), encoding="utf-8")
    (folder / "queries.jsonl").write_text(lines(queries), encoding="utf-8")
    (folder / "qrels.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}", encoding="utf-8")
    return folder


def test_weights_are_learned_and_judged_by_the_command_that_is_told(
    engram: Engram, mine: Path
) -> None:
    told = engram.json(*LEARN, "--out", "out")

    assert set(told["weights"]) == set(FEATURES)
    assert told["weights"]["question"] < 0 < told["weights"]["speaker"]
    assert told["saw"]["corpora"] == ["loft", "mill", "yard"]
    assert told["saw"]["questions"] == 18
    assert told["folds"] == ["without loft", "without mill", "without yard"]
    assert (told["used"], told["held_out"]) == (["loft", "mill", "yard"], [])
    command, *args = told["judge"].split()
    assert command == "engram"

    judged = engram.json(*args, "--data", "mine", "--no-guards", "--no-cache")

    assert judged["record"]["judged_with"] == {
        "system": {f"mine without {talk}": [talk] for talk in sorted(TALKS)}
    }
    (learned,) = judged["systems"]
    assert learned["measures"]["Success@1"]["mean"] == 1.0
    flat = ("--system", "out/config.yaml", "--out", "flat", "--no-cache")
    said = engram.refused("eval", "run", "frames", "--data", "mine", *flat)
    assert "these weights were learned on this conversation" in said


def test_a_person_reads_the_weights_and_what_to_do_next(engram: Engram, mine: Path) -> None:
    said = engram(*LEARN)

    assert [line.split()[0] for line in said.splitlines()[:5]] == ["feature", *sorted(FEATURES)]
    assert "learned from 18 questions of mine; then again, each of 3 clusters" in said
    assert "`engram eval run frames --system runs/frames-learned/system.toml`" in said
    config = load_config("runs/frames-learned/config.yaml", environ={}).config
    assert LearnedRecord.from_json(config.retrieval.learned or "").weights.keys() == set(FEATURES)


def test_what_is_held_out_stays_so(engram: Engram, mine: Path) -> None:
    first = engram.json(*LEARN, "--hold-out", "mill", "--out", "runs/a")
    second = engram.json(*LEARN, "--out", "runs/b")

    assert first["held_out"] == second["held_out"] == ["mill"]
    assert second["saw"]["split"] == "without mill"
    assert second["saw"]["corpora"] == ["loft", "yard"]
    kinds = [each.kind for each in Ledger(Path("runs/ledger.jsonl")).entries()]
    assert kinds == ["held out", "tuned", "tuned"]
    assert "--out runs/b" in Ledger(Path("runs/ledger.jsonl")).entries()[-1].by


def test_trees_are_learned_too(engram: Engram, mine: Path) -> None:
    pytest.importorskip("lightgbm", reason="the extra `trees` is not installed")
    told = engram.json(*LEARN, "--model", "trees", "--out", "out")

    assert (told["model"], told["trees"]["trees"]) == ("trees", 150)
    assert set(told["trees"]["features"]) <= set(FEATURES)
    judged = engram.json(*told["judge"].split()[1:], "--data", "mine", "--no-guards", "--no-cache")
    assert judged["systems"][0]["measures"]["Success@1"]["mean"] > 0.9
    assert "150 trees over " in engram(*LEARN, "--model", "trees", "--out", "out")


# From use


@pytest.fixture
def useful(engram: Engram) -> list[dict[str, str]]:
    """Return what was of use in `notes.db`, by the recall event."""
    found = []
    with Engine.open("notes.db") as engine:
        for talk in TALKS:
            engine.store.sessions.start(talk)
            told = [{"speaker": name, "content": text} for name, text in turns(talk)]
            added = engine.store.sessions.add_turns(talk, told)
            found += [
                {"query": question(talk, thing), "memory": added[3 * place + 1].memory_id}
                for place, thing in enumerate(THINGS)
            ]
        for row in found:
            engine.recall(row["query"])
        engine.flush()
        events = {each.query: each.id for each in engine.store.events.since()}
    return [{"event": events[row["query"]], "memory": row["memory"]} for row in found]


def test_what_every_fold_saw_is_judged_by_none(engram: Engram, mine: Path) -> None:
    for name in ("memories.jsonl", "queries.jsonl"):
        rows = [json.loads(line) for line in (mine / name).read_text("utf-8").splitlines()]
        (mine / name).write_text(lines([{**row, "corpus": "town"} for row in rows]), "utf-8")

    said = " ".join(engram(*LEARN).split())

    assert "the weights of every fold saw town, so that no figure on it would be honest" in said
    assert "judge it by" not in said
    assert engram.json(*LEARN)["judge"] is None


FEEDBACK = ("eval", "tune", "--db", "notes.db", "--feedback", "useful.jsonl", *CHOSEN)


def test_what_was_of_use_makes_a_configuration(
    engram: Engram, useful: list[dict[str, str]]
) -> None:
    Path("useful.jsonl").write_text(lines(useful), encoding="utf-8")

    told = engram.json(*FEEDBACK, "--out", "out")

    assert (told["questions"], told["missed"], told["config"]) == (18, 0, "out/config.yaml")
    assert told["weights"]["question"] < 0 < told["weights"]["speaker"]
    assert told["saw"]["dataset"] == "feedback"
    assert told["worth"]["questions"] == 18
    asked = question("loft", "drum")
    answer = engram.json("recall", asked, "--config", "out/config.yaml")
    assert "conversation profile: as told" in answer["reason"]
    first = answer["hits"][0]
    assert first["memory"]["id"] == useful[6 + THINGS.index("drum")]["memory"]
    assert {each["name"] for each in first["explanation"]["arms"]} <= set(FEATURES)
    said = engram(*FEEDBACK)
    assert "learned from 18 questions of feedback" in said
    assert "(5 groups of whole queries, each left out in turn) the mean reciprocal rank is" in said
    ask = "engram recall --config runs/feedback-learned/config.yaml --db notes.db QUESTION"
    assert f"ask with it, as in `{ask}`" in said


def test_feedback_that_teaches_too_little_writes_nothing(
    engram: Engram, useful: list[dict[str, str]]
) -> None:
    def refused(rows: list[dict[str, str]]) -> str:
        Path("useful.jsonl").write_text(lines(rows), encoding="utf-8")
        return engram.refused(*FEEDBACK)

    assert "has 4 questions to learn from: give 10 or more" in refused(useful[:4])
    assert "in 18 nothing of use is among the candidates" in refused(
        [{**row, "memory": "gone"} for row in useful]
    )
    assert "row 3 of the feedback names the recall event 'e'" in refused(
        [*useful[:2], {**useful[2], "event": "e"}, *useful[3:]]
    )
    assert "useful.jsonl has no rows" in refused([])
    assert not Path("runs").exists()


MISTAKES = [
    ("eval tune", "name a SUITE of `engram eval list`, or give --feedback FILE"),
    ("eval tune tiny --feature words", "--feature is for what is learned: add --learn"),
    ("eval tune tiny --l2 2", "--l2 is for what is learned"),
    ("eval tune tiny --db notes.db", "--db is for what is learned"),
    ("eval tune tiny --learn --trials 3", "--trials has no meaning with --learn"),
    ("eval tune tiny --learn --look", "--look has no meaning with --learn"),
    ("eval tune tiny --learn --db notes.db", "--db has no meaning with --learn"),
    ("eval tune tiny --feedback FILE", "SUITE has no meaning with --feedback"),
    ("eval tune --feedback FILE --hold-out 0.2", "--hold-out has no meaning with --feedback"),
    ("eval tune --feedback none.jsonl", "none.jsonl: it cannot be read"),
    ("eval tune --feedback FILE", "FILE has no rows"),
    ("eval tune tiny --learn --model forest", "'forest': choose linear or trees"),
    ("eval tune tiny --learn --feature wrods", "did you mean 'words'"),
    ("eval tune tiny --learn --l2 0", "l2 is '0.0': give a finite number above 0"),
    ("eval tune tiny --learn --system random", "has no settings to tune"),
    ("eval tune tiny --learn --out FILE", "FILE is a file: name a folder"),
]


@pytest.mark.parametrize(("command", "said"), MISTAKES, ids=[each for each, _ in MISTAKES])
def test_a_mistake_is_one_sentence(engram: Engram, command: str, said: str) -> None:
    Path("FILE").write_bytes(b"")

    assert said in engram.refused(*command.split())
    assert [each.name for each in Path().iterdir()] == ["FILE"]


def test_without_lightgbm_the_extra_is_named_before_anything_is_asked(
    engram: Engram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    said = engram.refused("eval", "tune", "tiny", "--learn", "--model", "trees")

    assert 'pip install ".[trees]"' in said
    assert not Path("runs").exists()

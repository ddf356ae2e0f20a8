from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engram_lab.config import EngineConfig, load_config
from engram_lab.core.checksums import json_sha256
from engram_lab.core.errors import (
    ConfigError,
    ConflictError,
    InvalidInputError,
    InvalidRunError,
    PromotionRefusedError,
)
from engram_lab.engine import read_bundle
from engram_lab.evaluation.gating.baseline import baseline_of
from engram_lab.evaluation.gating.gate import judge
from engram_lab.evaluation.gating.gate_file import write_gate_report
from engram_lab.evaluation.gating.guards import GUARDS
from engram_lab.evaluation.gating.promotion import promote
from engram_lab.evaluation.suite import GateRules
from engram_lab.evaluation.systems.engine_system import config_of

MakeRun = Callable[..., Path]
FoundAt = Callable[..., dict[str, list[float | None]]]

TRIED = {name: {"status": "pass", "count": 0, "said": "0; allowed is 0"} for name in GUARDS}
RULES = GateRules(measures=("recall_any@10",), resamples=500)
HASHING: dict[str, Any] = {"embedding": {"model": "hashing", "dim": 64}}


def spec_of(embedder: str | None = None, /, **sections: Any) -> dict[str, Any]:
    """Return a specification as an evaluation writes it, with what it sets for itself."""
    config = config_of(sections, seed=5, store={})
    return {
        "kind": "engine",
        "settings": config.to_dict(),
        "config_hash": config.content_hash,
        "embedder": embedder,
    }


NO_VECTORS: dict[str, Any] = {"embedding": {"model": "none"}}


@pytest.fixture
def judged(made_run: MakeRun, found_at: FoundAt) -> Callable[..., Path]:
    """Make a run with a verdict: of `rrf`, an engine, and of `random`, which is none."""

    def make(after: float = 0.8, spec: dict[str, Any] | None = None, **rest: Any) -> Path:
        specs = {"rrf": spec or spec_of(**NO_VECTORS, retrieval={"rrf_k": 30})}
        before = made_run("before", {"rrf": found_at(0.8), "random": found_at(0.1)}, specs=specs)
        values = {"rrf": found_at(after), "random": found_at(0.1)}
        rest.setdefault("guards", {"rrf": TRIED})
        run = made_run("after", values, specs=specs, **rest)
        write_gate_report(judge(run, baseline_of(before), RULES), run)
        return run

    return make


def rewritten(file: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """Change the members of a bundle, as somebody with a ZIP program would."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def test_what_won_is_promoted_with_its_evidence(
    judged: Callable[..., Path], tmp_path: Path
) -> None:
    file = promote(judged(), "rrf", tmp_path / "tuned.bundle")

    bundle = read_bundle(file)

    assert bundle.system == "rrf"
    assert bundle.config.retrieval.rrf_k == 30
    assert bundle.manifest["config_hash"] == bundle.config.content_hash
    assert bundle.record["code"] == {"revision": "abc", "dirty": False}
    assert bundle.evidence["gate"]["verdict"] == "pass"
    assert {each["system"] for each in bundle.evidence["gate"]["checks"]} == {"rrf"}
    assert bundle.evidence["gate"]["baseline"]["suite"] == "made-up"
    assert bundle.evidence["result"]["name"] == "rrf"


def test_it_opens_an_engine_that_remembers(judged: Callable[..., Path], tmp_path: Path) -> None:
    bundle = read_bundle(promote(judged(), "rrf", tmp_path / "tuned.bundle"))

    with bundle.open(tmp_path / "memory.db") as engine:
        kept = engine.remember("Ada takes her coffee without sugar")
        assert [hit.id for hit in engine.recall("coffee")] == [kept.id]
        assert engine.config == bundle.config


def test_what_an_evaluation_sets_for_itself_is_not_promoted(
    judged: Callable[..., Path], tmp_path: Path
) -> None:
    bundle = read_bundle(promote(judged(), "rrf", tmp_path / "tuned.bundle"))

    assert bundle.config == EngineConfig.from_dict({**NO_VECTORS, "retrieval": {"rrf_k": 30}})


def test_what_was_declared_of_these_is_kept(judged: Callable[..., Path], tmp_path: Path) -> None:
    declared = {"store": {"synchronous": "normal", "path": "/mine.db"}}
    spec = {**spec_of(**NO_VECTORS), "declared": declared}

    bundle = read_bundle(promote(judged(spec=spec), "rrf", tmp_path / "tuned.bundle"))

    assert bundle.config.store.synchronous == "normal"
    assert bundle.config.store.path == EngineConfig().store.path


def test_the_same_evidence_makes_the_same_bytes(
    judged: Callable[..., Path], tmp_path: Path
) -> None:
    run = judged()

    one = promote(run, "rrf", tmp_path / "one.bundle").read_bytes()
    two = promote(run, "rrf", tmp_path / "two.bundle").read_bytes()

    assert one == two


def test_its_configuration_is_a_file_that_can_be_used(
    judged: Callable[..., Path], tmp_path: Path
) -> None:
    file = promote(judged(), "rrf", tmp_path / "tuned.bundle")

    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        archive.extract("config.yaml", tmp_path)

    assert load_config(tmp_path / "config.yaml", environ={}).config == read_bundle(file).config


def test_no_secret_enters_it(judged: Callable[..., Path], tmp_path: Path) -> None:
    spec = spec_of(embedding={"model": "none", "api_key": "sk-1", "url": "https://u:pw1@host/v1"})
    run = judged(spec=spec)
    results = json.loads((run / "results.json").read_text())
    results["record"]["command"] = "engram eval run --set embedding.api_key=sk-1"
    results["record"]["systems"] = {"rrf": spec}
    (run / "results.json").write_text(json.dumps(results))
    write_gate_report(judge(run, baseline_of(run), RULES), run)

    file = promote(run, "rrf", tmp_path / "tuned.bundle")

    text = b"".join(zipfile.ZipFile(file).read(name) for name in zipfile.ZipFile(file).namelist())
    assert b"sk-1" not in text
    assert b"pw1" not in text
    assert read_bundle(file).config.embedding.api_key is None


def test_a_placeholder_in_a_setting_stays_one(judged: Callable[..., Path], tmp_path: Path) -> None:
    spec = spec_of(embedding={"model": "none", "path": "${HOME}/model"})

    bundle = read_bundle(promote(judged(spec=spec), "rrf", tmp_path / "tuned.bundle"))

    assert bundle.config.embedding.path == "${HOME}/model"


def test_without_a_verdict_nothing_is_promoted(
    made_run: MakeRun, found_at: FoundAt, tmp_path: Path
) -> None:
    run = made_run("a", {"rrf": found_at(0.8)}, specs={"rrf": spec_of(**NO_VECTORS)})

    with pytest.raises(PromotionRefusedError, match=r"no verdict .*engram eval gate"):
        promote(run, "rrf", tmp_path / "tuned.bundle")
    assert not (tmp_path / "tuned.bundle").exists()


def test_a_regression_is_not_promoted_and_says_what_failed(
    judged: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(
        PromotionRefusedError, match=r"is regression: recall_any@10 0\.800 → 0\.600"
    ):
        promote(judged(after=0.6), "rrf", tmp_path / "tuned.bundle")


def test_what_could_not_be_compared_is_not_promoted(
    judged: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(PromotionRefusedError, match=r"is incomparable: .*data with"):
        promote(judged(data="e" * 64), "rrf", tmp_path / "tuned.bundle")


def test_results_that_changed_since_the_verdict_are_not_promoted(
    judged: Callable[..., Path], tmp_path: Path
) -> None:
    run = judged()
    file = run / "results.json"
    file.write_bytes(file.read_bytes() + b" ")

    with pytest.raises(PromotionRefusedError, match=r"results\.json changed since"):
        promote(run, "rrf", tmp_path / "tuned.bundle")


def test_a_verdict_that_was_edited_promotes_nothing(
    judged: Callable[..., Path], tmp_path: Path
) -> None:
    run = judged(after=0.6)
    file = run / "gate.json"
    file.write_text(file.read_text().replace('"fail"', '"pass"'))

    with pytest.raises(PromotionRefusedError, match="edited by hand"):
        promote(run, "rrf", tmp_path / "tuned.bundle")


def test_one_system_of_several_is_promoted_where_another_failed(
    made_run: MakeRun, found_at: FoundAt, tmp_path: Path
) -> None:
    specs = {"rrf": spec_of(**NO_VECTORS), "bm25": spec_of(**NO_VECTORS)}
    before = made_run("a", {"rrf": found_at(0.8), "bm25": found_at(0.8)}, specs=specs)
    values = {"rrf": found_at(0.8), "bm25": found_at(0.5)}
    run = made_run("b", values, specs=specs, guards=dict.fromkeys(specs, TRIED))
    write_gate_report(judge(run, baseline_of(before), RULES), run)

    assert promote(run, "rrf", tmp_path / "rrf.bundle").exists()
    with pytest.raises(PromotionRefusedError, match="regression"):
        promote(run, "bm25", tmp_path / "bm25.bundle")


@pytest.mark.parametrize("status", ["skip", None])
def test_without_its_guards_nothing_is_promoted(
    judged: Callable[..., Path], tmp_path: Path, status: str | None
) -> None:
    one = {"determinism": {"status": status, "count": 0, "said": "the disk was full"}}
    run = judged(guards={"rrf": {**TRIED, **one}} if status else {})

    with pytest.raises(PromotionRefusedError, match=r"not every guard of 'rrf' was tried"):
        promote(run, "rrf", tmp_path / "tuned.bundle")


def test_a_system_that_was_not_judged_is_not_promoted(
    made_run: MakeRun, found_at: FoundAt, tmp_path: Path
) -> None:
    specs = {"new": spec_of(**NO_VECTORS), "bm25": spec_of(**NO_VECTORS)}
    before = made_run("a", {"bm25": found_at(0.8)}, specs=specs)
    run = made_run("b", {"new": found_at(0.8), "bm25": found_at(0.8)}, specs=specs)
    write_gate_report(judge(run, baseline_of(before), RULES), run)

    with pytest.raises(PromotionRefusedError, match="did not judge 'new'"):
        promote(run, "new", tmp_path / "new.bundle")


def test_what_is_no_engine_has_nothing_to_promote(
    judged: Callable[..., Path], tmp_path: Path
) -> None:
    run = judged()

    with pytest.raises(PromotionRefusedError, match="'random' is no engine"):
        promote(run, "random", tmp_path / "random.bundle")
    with pytest.raises(InvalidInputError, match="no system 'dense'"):
        promote(run, "dense", tmp_path / "dense.bundle")


def test_settings_that_do_not_fit_their_hash_are_not_promoted(
    judged: Callable[..., Path], tmp_path: Path
) -> None:
    spec = {**spec_of(**NO_VECTORS), "config_hash": "0" * 64}

    with pytest.raises(PromotionRefusedError, match="do not fit the hash"):
        promote(judged(spec=spec), "rrf", tmp_path / "tuned.bundle")


def test_a_file_in_its_place_is_replaced_only_when_said(
    judged: Callable[..., Path], tmp_path: Path
) -> None:
    run, file = judged(), tmp_path / "tuned.bundle"
    file.write_text("mine")

    with pytest.raises(ConflictError, match="exists"):
        promote(run, "rrf", file)
    assert file.read_text() == "mine"
    assert read_bundle(promote(run, "rrf", file, overwrite=True)).system == "rrf"


def test_vectors_of_another_model_are_refused(judged: Callable[..., Path], tmp_path: Path) -> None:
    run = judged(spec=spec_of("another-model/7", **HASHING))
    bundle = read_bundle(promote(run, "rrf", tmp_path / "tuned.bundle"))

    with pytest.raises(PromotionRefusedError, match="made by 'another-model/7', and here"):
        bundle.open(tmp_path / "memory.db")


def test_vectors_of_the_same_model_are_taken(judged: Callable[..., Path], tmp_path: Path) -> None:
    from engram_lab.engine import Engine

    with Engine.open(":memory:", config=EngineConfig.from_dict(HASHING)) as engine:
        fingerprint = engine.embedder.fingerprint
    run = judged(spec=spec_of(fingerprint, **HASHING))
    bundle = read_bundle(promote(run, "rrf", tmp_path / "tuned.bundle"))

    with bundle.open(tmp_path / "memory.db") as engine:
        assert engine.embedder.fingerprint == bundle.embedder


def test_a_place_may_add_what_is_its_own_and_nothing_else(
    judged: Callable[..., Path], tmp_path: Path
) -> None:
    bundle = read_bundle(promote(judged(), "rrf", tmp_path / "tuned.bundle"))
    config = bundle.config
    with_key = replace(config, embedding=replace(config.embedding, api_key="sk-2"))
    other = replace(config, retrieval=replace(config.retrieval, k=3))

    with bundle.open(tmp_path / "memory.db", config=with_key) as engine:
        assert engine.config.embedding.api_key == "sk-2"
    with pytest.raises(PromotionRefusedError, match="behaves otherwise"):
        bundle.open(tmp_path / "memory.db", config=other)


@pytest.mark.parametrize("name", ["config.yaml", "record.json", "evidence.json"])
def test_a_member_that_was_changed_is_found(
    judged: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    file = promote(judged(), "rrf", tmp_path / "tuned.bundle")
    rewritten(file, lambda members: members.update({name: members[name] + b"\n"}))

    with pytest.raises(InvalidRunError, match=f"{name} that does not fit its checksum"):
        read_bundle(file)


def test_a_manifest_that_was_changed_is_found(judged: Callable[..., Path], tmp_path: Path) -> None:
    file = promote(judged(), "rrf", tmp_path / "tuned.bundle")

    def claim(members: dict[str, bytes]) -> None:
        members["manifest.json"] = members["manifest.json"].replace(b'"rrf"', b'"best"')

    rewritten(file, claim)
    with pytest.raises(InvalidRunError, match=r"manifest\.json that does not fit"):
        read_bundle(file)


def sealed_again(members: dict[str, bytes], /, **changes: Any) -> None:
    manifest = {**json.loads(members["manifest.json"]), **changes}
    manifest.pop("checksum")
    members["manifest.json"] = json.dumps({**manifest, "checksum": json_sha256(manifest)}).encode()


@pytest.mark.parametrize("changes", [{"version": 2}, {"format": "other"}])
def test_an_unknown_version_is_refused(
    judged: Callable[..., Path], tmp_path: Path, changes: dict[str, Any]
) -> None:
    file = promote(judged(), "rrf", tmp_path / "tuned.bundle")
    rewritten(file, lambda members: sealed_again(members, **changes))

    with pytest.raises(InvalidRunError, match="this program reads 'engram-bundle' of version 1"):
        read_bundle(file)


@pytest.mark.parametrize(
    "name", ["../config.yaml", "/etc/passwd", "a/../record.json", "C:\\x", "notes.txt"]
)
def test_what_does_not_belong_is_refused(
    judged: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    file = promote(judged(), "rrf", tmp_path / "tuned.bundle")
    rewritten(file, lambda members: members.update({name: b"x"}))

    with pytest.raises(InvalidRunError, match="not what a bundle holds"):
        read_bundle(file)


def test_a_member_that_is_missing_or_twice_there_is_refused(
    judged: Callable[..., Path], tmp_path: Path
) -> None:
    file = promote(judged(), "rrf", tmp_path / "tuned.bundle")
    whole = file.read_bytes()
    rewritten(file, lambda members: members.__delitem__("record.json"))
    with pytest.raises(InvalidRunError, match="not what a bundle holds"):
        read_bundle(file)

    file.write_bytes(whole)
    with (
        zipfile.ZipFile(file, "a") as archive,
        pytest.warns(UserWarning, match="Duplicate name"),
    ):
        archive.writestr("config.yaml", "retrieval: {k: 3}")
    with pytest.raises(InvalidRunError, match="not what a bundle holds"):
        read_bundle(file)


def test_a_member_that_would_fill_the_memory_is_refused(
    judged: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = promote(judged(), "rrf", tmp_path / "tuned.bundle")
    monkeypatch.setattr("engram_lab.engine.bundle._LARGEST", 10)

    with pytest.raises(InvalidRunError, match="of more than 10 bytes"):
        read_bundle(file)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not a zip file"])
def test_what_is_no_bundle_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.bundle"
    with pytest.raises(InvalidRunError, match=r"x\.bundle: the bundle does not exist"):
        read_bundle(file)
    file.write_bytes(content)

    with pytest.raises(InvalidRunError, match="the bundle cannot be read"):
        read_bundle(file)


def test_a_variable_of_the_environment_never_enters_it(
    judged: Callable[..., Path], tmp_path: Path
) -> None:
    from hashlib import sha256

    file = promote(judged(), "rrf", tmp_path / "tuned.bundle")
    text = b"embedding:\n  path: ${HOME}\n"

    def planted(members: dict[str, bytes]) -> None:
        members["config.yaml"] = text
        told = json.loads(members["manifest.json"])["members"]
        sealed_again(members, members={**told, "config.yaml": sha256(text).hexdigest()})

    rewritten(file, planted)
    with pytest.raises(ConfigError, match="HOME, which is not set"):
        read_bundle(file)

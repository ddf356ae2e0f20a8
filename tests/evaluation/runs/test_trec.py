from __future__ import annotations

import gzip
import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidRunError
from engram_lab.evaluation.datasets.dataset import QRELS
from engram_lab.evaluation.runs.run import Run
from engram_lab.evaluation.runs.trec import read_qrels, read_run, write_qrels, write_run

pytrec_eval = pytest.importorskip("pytrec_eval")

ids = st.text(st.characters(exclude_categories=["Cs", "Z", "C"]), min_size=1, max_size=5)
scores = st.sampled_from([0.0, 1.0, 1e-45, 16777217.0]) | st.floats(-1e30, 1e30)
rankings = st.dictionaries(
    ids, st.dictionaries(ids, scores, min_size=1, max_size=8), min_size=1, max_size=5
)
any_case = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

LINES = "q1 Q0 a 1 2.5 sys\nq1 Q0 b 2 1.5 sys\nq2 Q0 a 1 -3 sys\n"
ROWS = [("q1", "a", 1, 2.5), ("q1", "b", 2, 1.5), ("q2", "a", 1, -3.0)]


def run_of(found: dict[str, dict[str, float]]) -> Run:
    return Run.of("s", [(query, list(hits.items())) for query, hits in found.items()])


def qrels_of(*rows: tuple[str, str, int]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=QRELS, orient="row")


def test_a_run_of_trec_is_read(tmp_path: Path) -> None:
    (tmp_path / "run.trec").write_text(LINES)
    run = read_run(tmp_path / "run.trec")
    assert run.hits.rows() == ROWS
    assert run.system == "sys"
    assert read_run(tmp_path / "run.trec", system="mine").system == "mine"


@pytest.mark.parametrize(
    "data",
    [
        LINES.encode().removesuffix(b"\n"),
        b"\xef\xbb\xbf" + LINES.encode(),
        LINES.replace("\n", "\r\n").encode(),
        LINES.replace(" ", "\t").encode(),
        LINES.replace(" ", " \t  ").encode(),
        ("\n\n  \n" + LINES.replace("\n", "\n\n \t\n")).encode(),
        LINES.replace("q1", "  q1").replace("sys", "sys  ").encode(),
        LINES.replace(" -3 ", " -3.0E+00 ").encode(),
        LINES.replace(" -3 ", " -.3e1 ").encode(),
    ],
    ids=["no last end", "mark", "crlf", "tabs", "mixed", "blank", "padded", "exponent", "no zero"],
)
def test_what_parts_fields_and_lines_is_of_no_account(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "run").write_bytes(data)
    assert read_run(tmp_path / "run").hits.rows() == ROWS


def test_ids_hold_whatever_is_no_white_space(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("\"q Q0 a,b 1 1 s\nq#' Q0 Ünï→😀 1 1 s\n1 Q0 007 1 1 s\n")
    assert read_run(tmp_path / "run").hits.select("query_id", "memory_id").rows() == [
        ('"q', "a,b"),
        ("q#'", "Ünï→😀"),
        ("1", "007"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (LINES + "\nq2 Q0 b 2 1.5\n", 5, "has 5 fields: it must have 6"),
        ("q1 Q0 a b 1 2.5 sys\n" + LINES, 1, "has 7 fields"),
        (LINES + "q2 Q0 b 2 high sys\n", 4, "the score is 'high': it must be a number"),
        (LINES + "q2 Q0 b 2 1,5 sys\n", 4, "the score is '1,5'"),
        ("\r\n" + LINES + "q2 Q0 b 2 nan sys", 5, "is nan: it must be a number that is finite"),
        (LINES + "q2 Q0 b 2 inf sys\n", 4, "is inf"),
        (LINES + "q2 Q0 b 2 1e39 sys\n", 4, "finite in single precision"),
        (LINES + "\n\nq1 Q0 b 9 0.1 sys\n", 6, "the memory 'b' is found twice for the query 'q1'"),
        ("header\n", 1, "has 1 fields"),
    ],
)
def test_a_malformed_line_is_named(text: str, line: int, said: str, tmp_path: Path) -> None:
    path = tmp_path / "run.trec"
    path.write_bytes(text.encode())
    with pytest.raises(InvalidRunError, match=said) as caught:
        read_run(path)
    assert (caught.value.file, caught.value.line) == (str(path), line)
    assert str(caught.value).startswith(f"{path}: line {line}: ")


def test_a_file_in_another_encoding_is_named_by_line(tmp_path: Path) -> None:
    (tmp_path / "run").write_bytes(LINES.encode() + "q2 Q0 café 2 -4 sys\n".encode("latin-1"))
    with pytest.raises(InvalidRunError, match=r"line 4: it is not UTF-8 .*: convert the file"):
        read_run(tmp_path / "run")


@any_case
@given(found=rankings)
def test_what_is_written_is_read_back(found: dict[str, dict[str, float]], tmp_path: Path) -> None:
    run = run_of(found)
    for name in ("run.trec", "run.parquet", "run.jsonl", "run.json"):
        write_run(run, tmp_path / name)
        again = read_run(tmp_path / name, system="s")
        assert again.hits.equals(run.hits), name
        assert again.ties == 0


@any_case
@given(found=rankings)
def test_trec_eval_sees_the_order_that_was_meant(
    found: dict[str, dict[str, float]], tmp_path: Path
) -> None:
    run = run_of(found)
    write_run(run, tmp_path / "run.trec")
    with (tmp_path / "run.trec").open(encoding="utf-8", newline="\n") as file:
        read = pytrec_eval.parse_run(file)
    for query, memory, rank, _ in run.hits.rows():
        evaluator = pytrec_eval.RelevanceEvaluator({query: {memory: 1}}, {"recip_rank"})
        value = evaluator.evaluate({query: read[query]})[query]["recip_rank"]
        assert value == 1 / rank


@any_case
@given(found=rankings)
def test_trec_eval_and_we_order_anyones_run_alike(
    found: dict[str, dict[str, float]], tmp_path: Path
) -> None:
    lines = [
        f"{query} Q0 {memory} 1 {score!r} s\n"
        for query, hits in found.items()
        for memory, score in hits.items()
    ]
    (tmp_path / "run").write_text("".join(lines), encoding="utf-8")
    run = read_run(tmp_path / "run")
    for query, memory, rank, _ in run.hits.rows():
        evaluator = pytrec_eval.RelevanceEvaluator({query: {memory: 1}}, {"recip_rank"})
        assert evaluator.evaluate({query: found[query]})[query]["recip_rank"] == 1 / rank


def test_equal_runs_give_equal_bytes_with_as_few_digits_as_tell_them_apart(tmp_path: Path) -> None:
    run = Run.of("s", [("q", [("a", 0.1), ("b", 0.1), ("c", 1e-7), ("d", 0.0), ("e", -12.0)])])
    write_run(run, tmp_path / "one.trec")
    write_run(Run(system="s", hits=run.hits.clone()), tmp_path / "two.trec")
    assert (tmp_path / "one.trec").read_bytes() == (tmp_path / "two.trec").read_bytes()
    assert (tmp_path / "one.trec").read_text().splitlines() == [
        "q Q0 a 1 0.1 s",
        "q Q0 b 2 0.099999994 s",
        "q Q0 c 3 1e-7 s",
        "q Q0 d 4 0.0 s",
        "q Q0 e 5 -12.0 s",
    ]


@pytest.mark.parametrize("memory", ["a b", "a\tb", "a\u00a0b", "a\u2003b", "\ufeffa", "a\nb"])
def test_an_id_with_white_space_cannot_stand_in_a_line(memory: str, tmp_path: Path) -> None:
    run = Run.of("s", [("q", [(memory, 1.0)])])
    with pytest.raises(InvalidRunError, match=r"the memory_id .* white space"):
        write_run(run, tmp_path / "run.trec")
    with pytest.raises(InvalidRunError, match=r"the query_id .* white space"):
        write_qrels(qrels_of((memory, "x", 1)), tmp_path / "qrels.trec")
    assert list(tmp_path.iterdir()) == []
    write_run(run, tmp_path / "run.parquet")
    assert read_run(tmp_path / "run.parquet").hits.equals(run.hits)


def test_nor_can_the_name_of_a_system(tmp_path: Path) -> None:
    run = Run(system="two words", hits=Run.of("s", [("q", [("m", 1.0)])]).hits)
    with pytest.raises(InvalidRunError, match="the name of the system 'two words'"):
        write_run(run, tmp_path / "run.trec")


def test_a_file_that_cannot_be_finished_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.trec"
    path.write_text("old")

    def broken(*_: object, **__: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr(pl.DataFrame, "write_csv", broken)
    with pytest.raises(OSError, match="no room"):
        write_run(Run.of("s", [("q", [("m", 1.0)])]), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_packed_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "bm25.trec.gz").write_bytes(gzip.compress(LINES.encode()))
    assert read_run(tmp_path / "bm25.trec.gz").hits.rows() == ROWS
    (tmp_path / "cut.trec.gz").write_bytes(gzip.compress(LINES.encode())[:-9])
    with pytest.raises(InvalidRunError, match="cannot be read"):
        read_run(tmp_path / "cut.trec.gz")


def test_a_packed_file_that_is_damaged_is_named(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(LINES.encode() * 50))
    packed[20:30] = b"\xff" * 10
    (tmp_path / "run.gz").write_bytes(packed)
    with pytest.raises(InvalidRunError, match=r"run\.gz: it cannot be read"):
        read_run(tmp_path / "run.gz")


@pytest.mark.parametrize("name", ["run.trec", "run.json", "run.jsonl", "run.parquet"])
def test_an_empty_run_is_written_and_read_back(name: str, tmp_path: Path) -> None:
    empty = Run.of("s", [])
    write_run(empty, tmp_path / name)
    assert read_run(tmp_path / name).hits.equals(empty.hits)
    write_qrels(qrels_of(), tmp_path / f"qrels.{name}")
    assert read_qrels(tmp_path / f"qrels.{name}").equals(qrels_of())


def test_ids_are_no_objects(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text('{"qid": "q", "docid": {"x": 1}, "score": 3, "rel": 1}')
    for read in (read_run, read_qrels):
        with pytest.raises(InvalidRunError, match="the column 'docid' holds Struct"):
            read(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRunError, match=r"none\.trec: it cannot be read"):
        read_run(tmp_path / "none.trec")


@pytest.mark.parametrize("data", [b"", b"\n \r\n", b"\xef\xbb\xbf"])
def test_a_file_without_lines_is_an_empty_run(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "bm25.trec").write_bytes(data)
    run = read_run(tmp_path / "bm25.trec")
    assert run.hits.height == 0
    assert run.system == "bm25"
    assert read_qrels(tmp_path / "bm25.trec").equals(qrels_of())


def test_a_json_run_is_queries_with_the_scores_of_their_memories(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"q1": {"b": 1.5, "a": 2.5}, "q2": {"a": -3}}))
    run = read_run(path)
    assert run.hits.rows() == ROWS
    assert run.system == "mine"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"q": {"a": 1, "a": 2}}', "'a' stands twice in one object"),
        ('{"q": {"a": 1}, "q": {"b": 1}}', "'q' stands twice"),
        ('{"q": ["a"]}', "must be an object of objects"),
        ('{"q": {"a": "1"}}', "the score of 'a' for the query 'q' is '1': it must be a number"),
        ('{"q": {"a": true}}', "is 'True'"),
        ('{"q": {"a": NaN}}', "is nan"),
        ('{"q": {', "cannot be read as JSON"),
        ("[" * 100_000, "cannot be read as JSON"),
        ('{"q": {"a": 1' + "0" * 400 + "}}", "cannot be read|beyond what can be held|is inf"),
        ('{"q": {"\\ud800": 1}}', "beyond what can be held"),
    ],
)
def test_a_json_run_that_is_wrong_is_refused(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(InvalidRunError, match=said):
        read_run(tmp_path / "run.json")


def test_json_lines_are_refused_by_line(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    rows = [{"qid": "q", "docid": "a", "score": 1.0}, {"qid": "q", "docid": "a", "score": 0.5}]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    with pytest.raises(InvalidRunError, match="line 2: the memory 'a' is found twice"):
        read_run(path)
    path.write_text('{"qid": "q"')
    with pytest.raises(InvalidRunError, match="cannot be read as jsonl"):
        read_run(path)


def test_judgements_are_read_as_trec_and_as_beir_have_them(tmp_path: Path) -> None:
    expected = qrels_of(("q1", "a", 1), ("q1", "b", 0), ("q2", "a", -1))
    texts = {
        "qrels.trec": "q1 0 a 1\nq1\t0\tb 0\r\n\nq2 0 a -1",
        "test.tsv": "query-id\tcorpus-id\tscore\nq1\ta\t1\nq1\tb\t0\nq2\ta\t-1\n",
        "bare.tsv": "q1\ta\t1\nq1\tb\t0\nq2\ta\t-1\n",
        "qrels.json": '{"q1": {"a": 1, "b": 0}, "q2": {"a": -1}}',
        "qrels.jsonl": '{"qid": "q1", "docid": "a", "rel": 1}\n'
        '{"qid": "q1", "docid": "b", "rel": 0}\n'
        '{"qid": "q2", "docid": "a", "rel": -1}\n',
    }
    for name, text in texts.items():
        (tmp_path / name).write_bytes(text.encode())
        assert read_qrels(tmp_path / name).equals(expected), name


@pytest.mark.parametrize("name", ["qrels.trec", "qrels.parquet", "qrels.jsonl", "qrels.json"])
def test_judgements_are_written_and_read_back(name: str, tmp_path: Path) -> None:
    qrels = qrels_of(("q2", "b", 2), ("q2", "ä", -2), ("q1", "a", 1))
    write_qrels(qrels, tmp_path / "deep" / name)
    assert read_qrels(tmp_path / "deep" / name).equals(qrels)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("q1 0 a 1\nq1 0 a\n", 2, "has 3 fields: it must have 4"),
        ("q1 0 a 1\n\nq1 0 b 1.5\n", 3, "the relevance is '1.5': it must be a whole number"),
        ("q1 0 a 99999999999\n", 1, "it must be a whole number"),
        ("q1 0 a 1\nq2 0 a 1\nq1 0 a 1\n", 3, "'a' is judged twice for the query 'q1'"),
        ("query-id corpus-id score\nq a 1\nq a 0\n", 3, "judged twice"),
        ("query-id corpus-id score\nq a yes\n", 2, "the relevance is 'yes'"),
        ("query-id corpus-id score\n\nq a\n", 3, "has 2 fields: it must have 3"),
    ],
)
def test_malformed_judgements_are_named(text: str, line: int, said: str, tmp_path: Path) -> None:
    path = tmp_path / "qrels"
    path.write_text(text)
    with pytest.raises(InvalidRunError, match=said) as caught:
        read_qrels(path)
    assert (caught.value.file, caught.value.line) == (str(path), line)


def test_judgements_in_a_table_are_checked_too(tmp_path: Path) -> None:
    path = tmp_path / "qrels.parquet"
    for frame, said in (
        (pl.DataFrame({"query_id": ["q"], "memory_id": ["m"]}), "no column 'relevance'"),
        (pl.DataFrame({"qid": ["q"], "docid": ["m"], "rel": [0.5]}), "the relevance is '0.5'"),
        (pl.DataFrame({"qid": ["q"], "docid": [""], "rel": [1]}), "the memory_id is empty"),
        (pl.DataFrame({"qid": ["q"], "docid": ["m"], "rel": [None]}), "the relevance is 'None'"),
    ):
        frame.write_parquet(path)
        with pytest.raises(InvalidRunError, match=said):
            read_qrels(path)
    path.write_bytes(b"PAR1 no")
    with pytest.raises(InvalidRunError, match="cannot be read as parquet"):
        read_qrels(path)
    with pytest.raises(InvalidRunError, match="judgements have the columns"):
        write_qrels(pl.DataFrame({"a": [1]}), path)

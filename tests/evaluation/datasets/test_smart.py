from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engram_lab.core.errors import DatasetMissingError, InvalidInputError
from engram_lab.evaluation.datasets.smart import COLLECTIONS, read_smart

if TYPE_CHECKING:
    from engram_lab.evaluation.datasets.dataset import Dataset

CRAN_DOCUMENTS = """.I 1
.T
flow past a wing .
.A
brenckman,m.
.B
j. ae. scs. 25, 1958, 324.
.W
flow past a wing .
  the wing was
put in a slipstream .
.I 2
.T
.A
.B
.W
.I 3
.T
heat in a slab .
.A
.B
.W
.5 inch slabs were heated .
"""

# The second query is numbered 004, and judgements call it 2.
CRAN_QUERIES = """.I 001
.W
what of wings in a
slipstream .
.I 004
.W
how do slabs conduct heat .
.I 008
.W
what does nobody judge .
"""
CRAN_QRELS = "1 1 1\n1 2 2\n1 3 -1\n2 3 4 \n2 1 5\n"

CISI_DOCUMENTS = """.I 1
.T
18 Editions of the Dewey Decimal
.A
Comaromi, J.P.
.W
   The present study is a history.
.X
1\t5\t1
92\t1\t1
.I 2
.T
Use Made of Libraries
.A
Slater, M.
.W
A report.
.X
2\t5\t2
"""
CISI_QUERIES = """.I 1
.W
What problems are there
 with titles?
.I 2
.T
Automated Systems
.A
Somebody, A.
.W
How is it done?
"""
CISI_QRELS = "     1     1 0   0.000000\n     2     2 0   0.000000\n"

MED_DOCUMENTS = ".I 1\n.W\nplasma levels .\n.I 2\n.W\nlens proteins .\n"
MED_QUERIES = ".I 1\n.W\nthe crystalline lens .\n"
MED_QRELS = "1 0 2 1\n"

TEXTS = {
    "cranfield": (CRAN_DOCUMENTS, CRAN_QUERIES, CRAN_QRELS),
    "cisi": (CISI_DOCUMENTS, CISI_QUERIES, CISI_QRELS),
    "med": (MED_DOCUMENTS, MED_QUERIES, MED_QRELS),
}


def write(folder: Path, name: str = "cranfield", **changes: str) -> Path:
    documents, queries, qrels = TEXTS[name]
    known = COLLECTIONS[name]
    for file, text in (
        (known.documents, changes.get("documents", documents)),
        (known.queries, changes.get("queries", queries)),
        (known.qrels, changes.get("qrels", qrels)),
    ):
        (folder / file).write_text(text, encoding="utf-8")
    return folder


def read(folder: Path, **options: str) -> Dataset:
    return read_smart(folder, id="mine", options=options)


def test_documents_are_title_and_text_on_one_line(tmp_path: Path) -> None:
    found = read(write(tmp_path))

    assert found.memories.select("id", "content", "source_id").rows() == [
        ("1", "flow past a wing . flow past a wing . the wing was put in a slipstream .", "1"),
        ("3", "heat in a slab . .5 inch slabs were heated .", "3"),
    ]


def test_judgements_of_cranfield_name_a_query_by_its_position(tmp_path: Path) -> None:
    found = read(write(tmp_path))

    assert found.queries.select("id", "text", "source_id").rows() == [
        ("1", "what of wings in a slipstream .", "001"),
        ("2", "how do slabs conduct heat .", "004"),
    ]
    assert ("2", "3", 1) in found.qrels.rows()


def test_no_interest_is_not_relevant_and_every_grade_is_one(tmp_path: Path) -> None:
    found = read(write(tmp_path))

    assert found.qrels.rows() == [("1", "1", 1), ("1", "3", 0), ("2", "3", 1), ("2", "1", 0)]


def test_the_best_grade_of_cranfield_is_1_and_counts_most(tmp_path: Path) -> None:
    qrels = "1 1 1\n1 3 2\n2 1 3\n2 3 4\n3 1 -1\n"

    found = read(write(tmp_path, qrels=qrels), grades="graded")

    assert found.qrels["relevance"].to_list() == [4, 3, 2, 1, 0]


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    found = read(write(tmp_path))

    assert found.left_out == {
        "documents without text": 1,
        "judgements of documents without text": 1,
        "queries without judgement": 1,
    }


def test_of_a_pair_that_is_judged_twice_the_higher_counts(tmp_path: Path) -> None:
    found = read(write(tmp_path, qrels="1 1 2\n1 1 -1\n2 3 -1\n2 3 1\n"))

    assert found.qrels.rows() == [("1", "1", 1), ("2", "3", 1)]
    assert found.left_out["repeated judgements"] == 2


def test_cisi_takes_every_judged_line_as_relevant(tmp_path: Path) -> None:
    found = read(write(tmp_path, "cisi"))

    assert found.memories["content"].to_list() == [
        "18 Editions of the Dewey Decimal The present study is a history.",
        "Use Made of Libraries A report.",
    ]
    assert found.queries["text"].to_list() == [
        "What problems are there with titles?",
        "Automated Systems How is it done?",
    ]
    assert found.qrels.rows() == [("1", "1", 1), ("2", "2", 1)]
    assert found.variant["collection"] == "cisi"


def test_med_has_the_columns_of_trec(tmp_path: Path) -> None:
    found = read(write(tmp_path, "med"))

    assert found.qrels.rows() == [("1", "2", 1)]


def test_a_folder_of_several_collections_asks_which(tmp_path: Path) -> None:
    write(tmp_path, "med")
    write(tmp_path, "cisi")

    with pytest.raises(InvalidInputError, match="collection=cisi or collection=med"):
        read(tmp_path)
    assert read(tmp_path, collection="med").memories.height == 2


def test_bytes_of_before_unicode_are_read(tmp_path: Path) -> None:
    write(tmp_path, "med")
    (tmp_path / "MED.ALL").write_bytes(b".I 1\n.W\ncaf\xe9\n.I 2\n.W\nlens\n")

    assert read(tmp_path).memories["content"][0] == "café"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"documents": "flow\n"}, r"cran\.all\.1400, line 1: 'flow' stands before \.I"),
        ({"documents": ".I 1\nflow\n"}, r"line 2: 'flow' stands before \.I and the letter"),
        ({"documents": ""}, r"cran\.all\.1400, line 1: must begin a document"),
        ({"documents": CRAN_DOCUMENTS + ".I 1\n.W\nx\n"}, "line 24: is a second document 1"),
        ({"queries": ""}, r"cran\.qry, line 1: must begin a query"),
        ({"queries": ".I 1\n.W\n"}, r"cran\.qry, line 1: the query 1 has no text"),
        ({"qrels": "1 1\n"}, "cranqrel, line 1: has 2 columns: cranqrel must have 3"),
        ({"qrels": "1 1 1\n\n1 x 1\n"}, "cranqrel, line 3: '1 x 1' must hold whole numbers"),
        ({"qrels": "4 1 1\n"}, r"line 1: judges '4', which is not in cran\.qry"),
        ({"qrels": "1 9 1\n"}, r"line 1: judges '9', which is not in cran\.all\.1400"),
    ],
)
def test_another_shape_is_refused_with_file_and_line(
    tmp_path: Path, changes: dict[str, str], message: str
) -> None:
    write(tmp_path, **changes)

    with pytest.raises(InvalidInputError, match=message):
        read(tmp_path)


def test_absent_files_are_missing(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissingError, match=r"none of cran\.all\.1400, CISI\.ALL, MED\.ALL"):
        read(tmp_path)
    (write(tmp_path) / "cranqrel").unlink()
    with pytest.raises(DatasetMissingError, match="there is no file cranqrel"):
        read(tmp_path)


def test_an_unknown_option_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="choose any or cranfield or cisi or med"):
        read(write(tmp_path), collection="cacm")

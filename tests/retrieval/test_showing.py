from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.types import Memory
from engram_lab.retrieval import Arm, Explanation, Hit, Hits, Step, Suggestion
from engram_lab.retrieval.lexical.analyser import Analyser
from engram_lab.retrieval.marking import marked_text
from engram_lab.retrieval.question import Question
from engram_lab.retrieval.rerank import Factor
from engram_lab.retrieval.showing import embedder_name, lines_of, page_of, parts_of

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEYWORD = Arm(name="keyword", rank=1, score=2.0, contribution=0.5)
SEMANTIC = Arm(name="semantic", rank=14, score=0.41, contribution=0.25)
ABSENT = Arm(name="links", rank=None, score=None, contribution=0.125)
PRIORS = Step(name="priors", how="product", parts=(Factor("relevance", 0.75), Factor("age", 0.5)))


class Page(HTMLParser):
    """The rows of cells of a page, the notes below, and every tag that is in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.rows: list[list[str]] = []
        self.notes: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")
        elif tag == "br":
            self.handle_data(" | ")

        elif tag == "p":
            self.notes.append("")

    def handle_data(self, data: str) -> None:
        if self.notes:
            self.notes[-1] += data
        elif self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def hit(rank: int, *arms: Arm, content: str = "tea", tags: tuple[str, ...] = ()) -> Hit:
    memory = Memory(
        id=f"01890a5d-ac96-774b-bcce-{rank:012x}",
        content=content,
        tags=tags,
        created_at=NOON,
        updated_at=NOON,
        content_hash="0" * 64,
    )
    why = Explanation(arms=arms)
    return Hit(rank=rank, score=why.score, memory=memory, explanation=why)


@pytest.mark.parametrize(
    ("fingerprint", "name"),
    [
        (
            "minilm/all-MiniLM-L6-v2/53aa51172d142c89/tokenizer=da9f03/mean/256",
            "minilm/all-MiniLM-L6-v2",
        ),
        ("hashing/1/1024", "hashing"),
        ("openai/text-embedding-3-small/1536", "openai/text-embedding-3-small"),
        ("letters:2", "letters:2"),
    ],
)
def test_an_embedder_is_named_by_what_a_person_knows(fingerprint: str, name: str) -> None:
    assert embedder_name(fingerprint) == name


def test_an_explanation_has_a_line_for_each_arm_and_each_step() -> None:
    why = Explanation(arms=(KEYWORD, SEMANTIC, ABSENT), steps=(PRIORS,))
    assert lines_of(why) == [
        "= 0.5    keyword   #1 with 2",
        "+ 0.25   semantic  #14 with 0.41",
        "+ 0.125  links     not found",
        "then priors: 0.375 = 0.75 relevance \N{MULTIPLICATION SIGN} 0.5 age",
    ]
    assert lines_of(Explanation(arms=())) == []


def features(*contributions: float) -> tuple[Arm, ...]:
    return tuple(
        Arm(name=f"feature-{number}", rank=number, score=1.0, contribution=amount)
        for number, amount in enumerate(contributions, 1)
    )


def test_of_many_arms_the_largest_come_first_and_the_others_together() -> None:
    arms = features(0.125, -0.0, -0.5, 8.0, 0.25, -4.0, 2.0, 1.0, -0.0625)
    assert lines_of(Explanation(arms=arms)) == [
        "= 8       feature-4  #4 with 1",
        "- 4       feature-6  #6 with 1",
        "+ 2       feature-7  #7 with 1",
        "+ 1       feature-8  #8 with 1",
        "- 0.5     feature-3  #3 with 1",
        "+ 0.25    feature-5  #5 with 1",
        "+ 0.0625  3 others",
    ]


def test_few_arms_stand_in_their_own_order() -> None:
    lines = lines_of(Explanation(arms=features(-0.5, 0.25, -1.0)))
    assert [line.split()[:3] for line in lines] == [
        ["=", "-0.5", "feature-1"],
        ["+", "0.25", "feature-2"],
        ["-", "1", "feature-3"],
    ]


@given(st.lists(st.integers(-99, 99).map(float), max_size=30))
def test_what_is_shown_adds_up_to_the_score(contributions: list[float]) -> None:
    why = Explanation(arms=features(*contributions))
    shown = 0.0
    for line in lines_of(why):
        sign, amount, *_ = line.split()
        shown += -float(amount) if sign == "-" else float(amount)
    assert shown == why.score


def test_nothing_is_added_as_less_than_nothing() -> None:
    step = Step(name="mmr", how="sum", parts=(Factor("relevance", 0.5), Factor("likeness", -0.0)))
    assert str(step) == "0.5 relevance + 0 likeness"


@pytest.mark.parametrize(
    ("text", "question", "found"),
    [
        ("She drinks tea.", "drink tea", ["drinks", "tea"]),
        ("tea", "tea", ["tea"]),
        ("no match", "tea", []),
        ("", "tea", []),
        ("a ** b tea ** c", "tea", ["tea"]),
    ],
)
def test_the_words_of_the_question_are_told_from_the_rest(
    text: str, question: str, found: list[str]
) -> None:
    analyser = Analyser(name="english")
    marked = marked_text(text, Question.of(question, analyser), analyser)
    assert [part for part, within in parts_of(text, marked) if within] == found


def test_a_text_without_marks_is_one_part() -> None:
    assert list(parts_of("a **b**", None)) == [("a **b**", False)]


@given(st.text(alphabet="* _'\nteaTéx\u0301"))
def test_the_parts_make_the_text_again(text: str) -> None:
    analyser = Analyser(name="english")
    marked = marked_text(text, Question.of("tea tee", analyser), analyser)
    assert "".join(part for part, _ in parts_of(text, marked)) == text


def test_a_page_has_a_column_for_each_arm_and_each_step() -> None:
    second = hit(2, SEMANTIC, content="more\ntea")
    steps = replace(second.explanation, steps=(PRIORS,))
    hits = Hits(
        [hit(1, KEYWORD, SEMANTIC, tags=("a", "b")), replace(second, explanation=steps)],
        query="tea?",
        strategy="hybrid",
        reason="as told",
        suggestions=[Suggestion(term="tee", replacement="tea", distance=1, frequency=3)],
        embedder="hashing/1/1024",
        left_out=2,
    )
    page = Page(page_of(hits))
    assert page.rows == [
        ["#", "score", "memory", "keyword", "semantic", "then priors"],
        ["1", "0.75", "tea | #a #b", "0.5 | #1 with 2", "0.25 | #14 with 0.41", ""],
        [
            *("2", "0.25", "more\ntea", "", "0.25 | #14 with 0.41"),
            "0.375 | 0.75 relevance \N{MULTIPLICATION SIGN} 0.5 age",
        ],
    ]
    assert page.notes == ["did you mean: tee → tea", "left out by the token budget: 2"]
    assert "(hybrid: as told; vectors by hashing)" in page_of(hits)


def test_a_page_of_many_arms_has_columns_for_those_that_move_the_scores_most() -> None:
    first = hit(1, *features(0.5, 0.25, 1.0, 2.0, 3.0, 4.0, 5.0, 0.125))
    second = hit(2, *features(9.0, 0.25, 1.0, 2.0, -3.0, 4.0, 0.0, -0.25))
    head, *rows = Page(page_of(Hits([first, second], query="tea", strategy="hybrid"))).rows
    names = [f"feature-{number}" for number in (1, 6, 5, 7, 4, 3)]
    assert head == ["#", "score", "memory", *names, "2 others"]
    shown = [[float(cell.split(" | ")[0]) for cell in (row[1], *row[3:])] for row in rows]
    assert shown == [
        [15.88, 0.5, 4.0, 3.0, 5.0, 2.0, 1.0, 0.375],
        [13.0, 9.0, 4.0, -3.0, 0.0, 2.0, 1.0, 0.0],
    ]


def test_a_page_of_nothing_says_so() -> None:
    page = page_of(Hits([], query="tea", strategy="keyword"))
    assert "0 hits for <b>tea</b> (keyword)" in page
    assert Page(page).rows == [["#", "score", "memory"]]


def test_a_page_shows_the_words_of_the_question_in_bold() -> None:
    found = hit(1, KEYWORD, content="<i>tea</i>")
    found = replace(found, explanation=replace(found.explanation, words="<i>**tea**</i>"))
    page = page_of(Hits([found], query="tea", strategy="keyword"))
    assert "&lt;i&gt;<b>tea</b>&lt;/i&gt;" in page


def test_a_page_shows_what_users_wrote_and_never_runs_it() -> None:
    evil = "<script>alert('&\"')</script>"
    arm = replace(KEYWORD, name=evil)
    step = Step(name=evil, how="sum", parts=(Factor(evil, 1.0),))
    found = hit(1, arm, content=evil, tags=(evil,))
    why = replace(found.explanation, steps=(step,), words=f"{evil}**x**")
    page = page_of(
        Hits(
            [replace(found, explanation=why)],
            query=evil,
            strategy=evil,
            reason=evil,
            suggestions=[Suggestion(term=evil, replacement=evil, distance=1, frequency=1)],
            embedder=evil,
        )
    )
    assert "script" not in Page(page).tags
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 11

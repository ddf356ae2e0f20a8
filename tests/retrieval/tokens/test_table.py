from __future__ import annotations

from threading import Barrier, Event, Thread
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from engram_lab.core.errors import EmbedderError, InvalidInputError
from engram_lab.retrieval.embedders.protocol import TokenVectors
from engram_lab.retrieval.tokens.codec import HalfFloats, SmallCodes
from engram_lab.retrieval.tokens.table import DIGEST_BYTES, TokenTable, digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Words = Callable[[], Any]

WORDS = ["tea", "the", "drinks", "cat", "who", "a"]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join)
ONE_WORD = 256 + SmallCodes().width(24)


def bytes_of(codes: Sequence[Any]) -> list[bytes]:
    return [bytes(each) for each in codes]


def test_codes_are_made_once_in_one_call_and_as_documents(words: Words) -> None:
    embedder = words()
    table = TokenTable(embedder)
    first = table.of(["the cat", "tea", "the cat", ""])
    again = table.of(["tea", "", "the cat"])
    assert embedder.asked == [("tokens", ["the cat", "tea", ""], "document")]
    assert bytes_of(again) == bytes_of([first[1], first[3], first[0]])
    assert list(map(len, first)) == [28, 14, 28, 0]


def test_many_are_made_some_at_a_time(words: Words) -> None:
    embedder, texts = words(), [f"text {number}" for number in range(300)]
    found = TokenTable(embedder).of(texts)
    assert [len(asked) for _, asked, _ in embedder.asked] == [128, 128, 44]
    assert bytes_of(found) == [bytes(TokenTable(words()).of([text])[0]) for text in texts]


def test_what_is_put_is_what_would_be_made(words: Words) -> None:
    embedder, texts = words(), ["the cat", "tea .", ""]
    table, lazy = TokenTable(embedder), TokenTable(embedder)
    table.put(texts, [embedder.tokens(text) for text in texts])
    assert embedder.asked == []
    assert len(table) == 3
    assert table.held_bytes == sum(map(len, table.of(texts))) + 3 * 256
    assert bytes_of(table.of(texts)) == bytes_of(lazy.of(texts))
    assert "tea ." in table
    assert "tea" not in table
    with pytest.raises(ValueError, match="zip"):
        table.put(["tea"], [])


def test_the_codec_is_the_one_that_was_chosen(words: Words) -> None:
    table = TokenTable(words(), codec=HalfFloats())
    (codes,) = table.of(["the cat"])
    wanted = words().tokens("the cat").values.astype(np.float16)
    assert bytes(codes) == wanted.tobytes()
    assert table.codec.name == "float16"
    assert TokenTable(words()).codec.name == SmallCodes().name


def test_texts_that_differ_in_case_alone_have_their_own_codes(words: Words) -> None:
    lower, upper = TokenTable(words()).of(["tea", "TEA"])
    assert bytes(lower) != bytes(upper)


def test_half_a_surrogate_pair_has_a_digest_too() -> None:
    assert len(digest_of("\ud800")) == DIGEST_BYTES
    assert digest_of("a") != digest_of("b")


def test_the_least_recently_used_leave_first(words: Words) -> None:
    embedder = words()
    table = TokenTable(embedder, most_bytes=2 * ONE_WORD)
    table.of(["tea", "cat"])
    assert (len(table), table.held_bytes) == (2, 2 * ONE_WORD)
    table.of(["tea"])  # used again
    table.of(["the"])  # so it is the cat that goes
    assert (len(table), table.held_bytes) == (2, 2 * ONE_WORD)
    assert ["tea" in table, "the" in table, "cat" in table] == [True, True, False]
    table.put(["who"], [embedder.tokens("who")])
    assert "tea" not in table


@pytest.mark.parametrize("most_bytes", [0, ONE_WORD - 1])
def test_a_table_without_room_holds_nothing_and_answers(words: Words, most_bytes: int) -> None:
    table = TokenTable(words(), most_bytes=most_bytes)
    assert bytes_of(table.of(["tea"])) == bytes_of(TokenTable(words()).of(["tea"]))
    assert (len(table), table.held_bytes) == (0, 0)


def test_a_bound_below_0_is_refused(words: Words) -> None:
    with pytest.raises(InvalidInputError, match="most_bytes is -1"):
        TokenTable(words(), most_bytes=-1)


def test_what_is_removed_is_made_anew(words: Words) -> None:
    embedder = words()
    table = TokenTable(embedder)
    table.of(["tea", "cat", "the"])
    assert table.remove(["tea", "never held"]) is False  # none of them lies in a file
    assert (len(table), table.held_bytes) == (2, 2 * ONE_WORD)
    assert table.keep(["the", "never held"]) is False
    assert (len(table), "the" in table) == (1, True)
    table.clear()
    assert (len(table), table.held_bytes) == (0, 0)
    embedder.asked.clear()
    table.of(["the"])
    assert embedder.asked == [("tokens", ["the"], "document")]


class Machine(RuleBasedStateMachine):
    """Whatever is put, asked and removed, a text's codes are the same."""

    table: TokenTable

    def __init__(self) -> None:
        super().__init__()
        self.truth: dict[str, bytes] = {}
        self.file: dict[bytes, memoryview] = {}
        self.table = TokenTable(self.embedder(), most_bytes=1200)

    embedder: Any = None

    def wanted(self, text: str) -> bytes:
        if text not in self.truth:
            (codes,) = TokenTable(self.embedder(), most_bytes=0).of([text])
            self.truth[text] = bytes(codes)
        return self.truth[text]

    @rule(texts=st.lists(TEXTS, max_size=6))
    def ask(self, texts: list[str]) -> None:
        assert bytes_of(self.table.of(texts)) == [self.wanted(text) for text in texts]

    @rule(texts=st.lists(TEXTS, max_size=3))
    def put(self, texts: list[str]) -> None:
        embedder = self.embedder()
        self.table.put(texts, [embedder.tokens(text) for text in texts])

    @rule(texts=st.lists(TEXTS, max_size=3))
    def remove(self, texts: list[str]) -> None:
        self.table.remove(texts)
        assert not any(text in self.table for text in texts)

    @rule(texts=st.lists(TEXTS, max_size=3))
    def keep(self, texts: list[str]) -> None:
        before = len(self.table)
        self.table.keep(texts)
        assert len(self.table) <= min(before, len(set(texts)))

    @rule()
    def write(self) -> None:
        self.file = {
            digest: memoryview(bytes(codes)) for digest, codes in self.table.entries().items()
        }

    @rule()
    def read(self) -> None:
        before = set(self.table.entries())
        self.table.attach(self.file)
        assert before <= set(self.table.entries())

    @invariant()
    def the_bound_is_kept(self) -> None:
        held = self.table.entries()
        assert self.table.held_bytes == sum(256 + len(codes) for codes in held.values()) <= 1200


def test_no_answer_depends_on_what_is_held(words: Words) -> None:
    machine = type("Machine", (Machine,), {"embedder": staticmethod(words)})
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(machine, settings=settings(max_examples=40, deadline=None))


def test_what_a_file_holds_is_older_than_what_is_held(words: Words) -> None:
    table = TokenTable(words(), most_bytes=3 * ONE_WORD)
    of_file = {
        digest_of(text): memoryview(bytes(codes))
        for text, codes in zip(WORDS, TokenTable(words()).of(WORDS), strict=True)
    }
    table.of(["tea"])
    table.attach(of_file)
    # The newest of the file that fit, in their order, and then what was there.
    assert list(table.entries()) == [digest_of(text) for text in ("who", "a", "tea")]
    assert table.held_bytes == 3 * ONE_WORD
    assert all(isinstance(codes, memoryview) for codes in table.entries().values())
    table.of(["cat"])
    assert list(table.entries()) == [digest_of(text) for text in ("a", "tea", "cat")]


def test_nothing_stays_mapped_once_a_part_of_a_file_is_removed(words: Words) -> None:
    table = TokenTable(words())
    table.of(WORDS)
    table.attach({key: memoryview(codes) for key, codes in table.entries().items()})
    wanted = bytes_of(table.of(WORDS))
    assert table.remove(["tea"]) is True
    assert all(isinstance(codes, bytes) for codes in table.entries().values())
    assert bytes_of(table.of(WORDS)) == wanted
    table.attach({key: memoryview(codes) for key, codes in table.entries().items()})
    table.detach()
    assert all(isinstance(codes, bytes) for codes in table.entries().values())


def test_threads_may_share_it(words: Words) -> None:
    table = TokenTable(words(), most_bytes=8 * ONE_WORD)
    texts = [f"{one} {other}" for one in WORDS for other in WORDS]
    wanted = bytes_of(TokenTable(words()).of(texts))
    seen: list[bool] = []
    start = Barrier(4)

    def read(turn: int) -> None:
        start.wait()
        for _ in range(5):
            seen.append(bytes_of(table.of(texts)) == wanted)
            table.remove(texts[turn::4])

    threads = [Thread(target=read, args=(turn,)) for turn in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert seen == [True] * 20
    held = table.entries()
    assert table.held_bytes == sum(256 + len(codes) for codes in held.values())


def test_what_is_purged_while_it_is_made_is_not_held(words: Words) -> None:
    begun, purged = Event(), Event()
    embedder = words()
    inner = embedder.embed_tokens

    def slowly(texts: Sequence[str], *, kind: Any) -> list[TokenVectors]:
        begun.set()
        assert purged.wait(10)
        found: list[TokenVectors] = inner(texts, kind=kind)
        return found

    embedder.embed_tokens = slowly
    table = TokenTable(embedder)
    thread = Thread(target=table.of, args=(["tea"],))
    thread.start()
    assert begun.wait(10)
    table.remove(["tea"])
    purged.set()
    thread.join()
    assert "tea" not in table


def test_while_codes_are_made_others_are_answered(words: Words) -> None:
    embedder = words()
    table = TokenTable(embedder)
    table.of(["cat"])
    inner = embedder.embed_tokens
    answers: list[int] = []

    def asking(texts: Sequence[str], *, kind: Any) -> list[TokenVectors]:
        thread = Thread(target=lambda: answers.append(len(table.of(["cat"]))))
        thread.start()
        thread.join(10)
        found: list[TokenVectors] = inner(texts, kind=kind)
        return found

    embedder.embed_tokens = asking
    table.of(["tea"])
    assert answers == [1]


def test_vectors_of_two_embedders_are_not_mixed(words: Words) -> None:
    table = TokenTable(words())
    assert table.dim is None
    table.of(["tea", ""])
    assert table.dim == 24
    with pytest.raises(EmbedderError, match="has 7 numbers, and others have 24"):
        table.put(["cat"], [TokenVectors(("cat",), np.ones((1, 7), np.float32))])
    assert "cat" not in table


@pytest.mark.parametrize(
    ("give", "why"),
    [
        (lambda _: [], "the tokens of 0 texts instead of 1"),
        (lambda _: [TokenVectors(("a",), np.full((1, 3), np.nan, np.float32))], "NaN or infinity"),
        (lambda _: 1 // 0, "failed with ZeroDivisionError"),
    ],
)
def test_an_embedder_that_fails_leaves_nothing_behind(give: Any, why: str) -> None:
    class Broken:
        def embed_tokens(self, texts: Sequence[str], *, kind: Any) -> list[TokenVectors]:
            found: list[TokenVectors] = give(texts)
            return found

    table = TokenTable(Broken())
    with pytest.raises(EmbedderError, match=why):
        table.of(["tea"])
    assert (len(table), table.held_bytes) == (0, 0)


@given(st.permutations(WORDS), st.integers(0, 6))
def test_the_order_of_texts_and_of_calls_changes_nothing(
    words: Words, order: list[str], cut: int
) -> None:
    table = TokenTable(words())
    found = dict(zip(order[:cut], bytes_of(table.of(order[:cut])), strict=True))
    found |= dict(zip(order, bytes_of(table.of(order)), strict=True))
    assert [found[word] for word in WORDS] == bytes_of(TokenTable(words()).of(WORDS))

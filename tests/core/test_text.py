from __future__ import annotations

import hashlib
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.core.text import clean_text, content_hash, has_private, normalise, public_text

# What private sections are made of, and what looks like it.
pieces = st.sampled_from(
    ["<private>", "</private>", "<PRIVATE>", '<private reason="x">', "<p>", "<", ">", "open", " "]
)
marked_texts = st.lists(pieces, max_size=12).map("".join)


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("nothing to hide", "nothing to hide"),
        ("a <private>b</private> c", "a  c"),
        ("<private>all of it</private>", ""),
        ("a<private>b<private>c</private>d</private>e", "ae"),
        ("a<private>b", "a"),
        ("a<private>b<private>c</private>d", "a"),
        ("a</private>b", "ab"),
        ("a</private>b<private>c</private>d", "abd"),
        ("a<PRIVATE>b</Private>c", "ac"),
        ('a<private reason="x > y">b</private>c', "ac"),
        ("a<private\n>b</private >c", "ac"),
        ("a<private/>b", "a"),
        ("a<privateer>b</privateer>c", "a<privateer>b</privateer>c"),
        ("a < private > b", "a < private > b"),
        ("naïve <private>naïve</private> 雪", "naïve  雪"),
    ],
)
def test_private_sections_are_left_out(text: str, public: str) -> None:
    assert public == public_text(text)


@given(marked_texts)
def test_what_is_public_holds_nothing_private(text: str) -> None:
    public = public_text(text)
    assert not has_private(public) or public == text
    assert has_private(text) or public == text


@given(marked_texts, st.text(alphabet="xyz", min_size=1))
def test_a_private_section_shows_nothing_wherever_it_stands(before: str, secret: str) -> None:
    assert public_text(before) == public_text(f"{before}<private>{secret}</private>")


@given(st.text())
@example("\u0345\u0301")
@example("ΐ")
@example("\u1f86\u0300")  # folding takes apart what composition put together
@example("\ufb01\u0341\u035d")
@example("ﬀ \u017ft ẞ İ \u212a")
@example("a\u2028\u00a0\tb")
def test_to_normalise_twice_is_to_normalise_once(text: str) -> None:
    assert normalise(text) == normalise(normalise(text))


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_the_fast_path_for_ascii_says_the_same(text: str) -> None:
    slow = " ".join(unicodedata.normalize("NFC", text).casefold().split())
    assert slow == normalise(text)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Ada  Lovelace ", "ada lovelace"),
        ("Straße", "STRASSE"),
        ("cafe\u0301", "CAFÉ"),
        ("a\n\tb", "A B"),
        ("a\u2003b", "a b"),
    ],
)
def test_what_differs_in_case_spacing_or_composition_is_the_same(one: str, two: str) -> None:
    assert normalise(one) == normalise(two)
    assert content_hash(one) == content_hash(two)


def test_the_hash_is_sha_256_of_the_normalised_text() -> None:
    assert hashlib.sha256(b"ada & co").hexdigest() == content_hash("  Ada &\nCO")


def test_different_words_have_different_hashes() -> None:
    assert content_hash("to day") != content_hash("today")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_cleaning_takes_control_characters_and_nothing_else(text: str) -> None:
    kept = "".join(each for each in text if unicodedata.category(each) != "Cc" or each in "\t\n\r")
    assert kept == clean_text(text, field="content")


@given(st.text(), st.characters(categories=["Cs"]), st.text())
def test_a_lone_surrogate_is_refused_with_its_place(before: str, lone: str, after: str) -> None:
    before = re.sub("[\ud800-\udfff]", "", before)
    with pytest.raises(InvalidInputError, match=f"lone surrogate at position {len(before)}"):
        clean_text(before + lone + after, field="content")


@pytest.mark.parametrize("value", [None, 7, b"bytes", ["text"], {"a": 1}])
def test_what_is_no_text_is_refused_by_its_type(value: object) -> None:
    with pytest.raises(InvalidInputError, match=f"source is a {type(value).__name__}: give a text"):
        clean_text(value, field="source")

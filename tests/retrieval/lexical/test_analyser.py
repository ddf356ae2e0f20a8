from __future__ import annotations

import pickle
import threading
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.lexical import ANALYSERS, Analyser, analyser

ENGLISH = Analyser()
SIMPLE = Analyser(name="simple")
EACH = {"english": ENGLISH, "simple": SIMPLE}


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("The cat, the CAT!", ["the", "cat", "the", "cat"]),
        ("snake_case __init__ _ __ x1", ["snake_case", "__init__", "x1"]),
        ('C++ "AND" (x OR y) NEAR/3 -z a*', ["c", "and", "x", "or", "y", "near", "3", "z", "a"]),
        ("", []),
        ("?! … —", []),
        ("Café naïve Zürich Ångström", ["cafe", "naive", "zurich", "angstrom"]),
        ("cafe\u0301", ["cafe"]),
        ("İstanbul ISTANBUL \u0131stanbul", ["istanbul"] * 3),
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("Øresund Łódź œuvre", ["oresund", "lodz", "oeuvre"]),
        ("ﬁne \uff12\uff10\uff12\uff16 x²", ["fine", "2026", "x2"]),
        ("Жёлтый ёж", ["желтыи", "еж"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("黒猫が好き", ["黒猫", "猫が", "が好", "好き"]),
        ("猫", ["猫"]),
        ("iPhone15を買う。東京", ["iphone15", "を買", "買う", "東京"]),
        ("ｶﾞｲﾄﾞ", ["ガイ", "イド"]),
        ("한국어 텍스트", ["한국", "국어", "텍스", "스트"]),
        ("ሰላም ឥឡូវ", ["ሰላም", "ឥឡូវ"]),
        ("a\u2028b\tc", ["a", "b", "c"]),
        ("\u0301 \u0903", []),
        ("😀cat😀", ["cat"]),
    ],
)
def test_words_are_found(text: str, terms: list[str]) -> None:
    assert SIMPLE.terms(text) == terms


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("running runs ran", ["run", "run", "ran"]),
        ("Caroline's and Mary\u2019s cats", ["carolin", "mari", "cat"]),
        ("Ada'd they'll I'd we've", ["ada"]),
        ("rock 'n' roll o'clock", ["rock", "n", "roll", "o", "clock"]),
        ("naïve Cafés", ["naiv", "cafe"]),
    ],
)
def test_english_words_are_cut_to_their_stems(text: str, terms: list[str]) -> None:
    assert ENGLISH.terms(text) == terms


def test_words_that_say_nothing_are_no_terms_of_english() -> None:
    assert ENGLISH.query_terms("What did the cats do to the CAT?") == ["cat"]
    assert ENGLISH.terms("To be, or what?") == []
    assert EACH["simple"].terms("To be, or what?") == ["to", "be", "or", "what"]


def test_a_word_that_only_shares_the_stem_of_a_stop_word_stays() -> None:
    assert ENGLISH.terms("haves") == ["have"]


@pytest.mark.parametrize("name", ANALYSERS)
@given(text=st.text())
def test_any_text_has_terms_that_hold_together(name: str, text: str) -> None:
    each = EACH[name]

    terms = each.terms(text)

    assert all(any(map(str.isalnum, term)) for term in terms)
    assert not any(character.isspace() for term in terms for character in term)
    assert set(each.query_terms(text)) <= set(terms)
    assert bool(each.query_terms(text)) == bool(terms)
    assert len(set(each.query_terms(text))) == len(each.query_terms(text))


@given(st.text())
def test_the_forms_of_unicode_make_no_difference(text: str) -> None:
    forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKC", "NFKD")]

    assert all(SIMPLE.terms(form) == SIMPLE.terms(text) for form in forms)


@given(st.text())
def test_words_of_other_scripts_than_those_in_pairs_are_their_own_terms(text: str) -> None:
    once = SIMPLE.terms(text)

    again = [term for word in once for term in SIMPLE.terms(word)]

    assert again == once


@given(st.text(st.characters(max_codepoint=127)))
def test_the_short_way_for_ascii_agrees_with_the_long_way(text: str) -> None:
    assert SIMPLE.terms(text) == SIMPLE.terms(text + " é")[:-1]


def test_the_fingerprint_says_what_terms_depend_on() -> None:
    assert ENGLISH.fingerprint == Analyser().fingerprint
    assert ENGLISH.fingerprint != SIMPLE.fingerprint
    assert unicodedata.unidata_version in SIMPLE.fingerprint
    assert Analyser.named("simple") == SIMPLE
    assert ENGLISH != SIMPLE
    assert len({ENGLISH, SIMPLE, Analyser()}) == 2


def test_it_can_be_sent_to_another_process() -> None:
    copy = pickle.loads(pickle.dumps(ENGLISH))  # noqa: S301 - our own bytes

    assert copy == ENGLISH
    assert copy.terms("running") == ["run"]


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="'french' is unknown: choose one of english"):
        Analyser(name="french")


def test_stems_do_not_depend_on_what_was_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analyser, "_MAX_WORDS", 3)
    small = Analyser()
    words = [
        f"{word}{ending}" for word in ("walk", "talk", "jump", "look") for ending in ("s", "ed")
    ]

    assert small.terms(" ".join(words * 2)) == ENGLISH.terms(" ".join(words * 2))
    assert len(small._stems) <= 3  # it stays small


def test_threads_share_one() -> None:
    shared = Analyser()
    words = " ".join(f"running{i} walks{i % 7}s" for i in range(3000))
    results: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda: results.append(shared.terms(words))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == [ENGLISH.terms(words)] * 4

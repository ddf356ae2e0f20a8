"""Signs, marks, order, doers and languages: what the guards of the surface are made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.consolidation.merge.clefts import straight
from engram_lab.consolidation.merge.doers import doer, doers_differ, same_doer
from engram_lab.consolidation.merge.guards import difference
from engram_lab.consolidation.merge.irregular import IRREGULAR, PASTS
from engram_lab.consolidation.merge.literals import literals
from engram_lab.consolidation.merge.roots import stem
from engram_lab.consolidation.merge.simplified import simplified
from engram_lab.consolidation.merge.statements import read
from engram_lab.consolidation.merge.tokens import tokens
from engram_lab.consolidation.merge.tongues import denials, is_english
from engram_lab.consolidation.merge.turned import exchanged, figures_exchanged, reordered


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("it is -20 degrees", -20.0),
        ("it is \u221220 degrees", -20.0),
        ("it is minus 20 degrees", -20.0),
        ("it is (-20)", -20.0),
        ("it is -\u20ac20", -20.0),
        ("it is \u20ac-20", -20.0),
        ("a profit of -3 million", -3e6),
        ("it is +20 degrees", 20.0),
        ("a sugar-free 20 pack", 20.0),
        ("from 10 -20", 10.0),
    ],
)
def test_a_sign_before_a_number_is_part_of_it(text: str, value: float) -> None:
    assert value in [each.value for each in tokens(text) if each.kind == "number"]


@pytest.mark.parametrize("text", ["3-5", "2026-03-02", "sugar-free", "+49 30 1234567", "10 -20"])
def test_a_range_a_date_a_hyphen_and_a_phone_number_have_no_sign(text: str) -> None:
    values = [each.value for each in tokens(text) if each.kind == "number"]
    assert all(isinstance(each, float) and each > 0 for each in values)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ada's blood type is O+.", ("O+",)),
        ("Ada (the lead) pays 40\u20ac - or 10%, on 2026-03-02 at 8:15 am, e.g. now!", ()),
        ("x >= 3", (">=",)),
        ("the flag is !enabled", ("!enabled",)),
        ("call foo.bar() twice", ("foo.bar()",)),
        ("Hunter2 is no word, and userName neither", ("Hunter2", "userName")),
        ("done\u2705", ("\u2705",)),
        ("mail Ada@X.org", ("ada@x.org",)),
        ("- **bold** words, `code` too", ()),
        ("NOBODY SHOUTS A WORD", ()),
        ("mother-in-law's sons' sugar-free tea", ()),
    ],
)
def test_what_is_neither_word_nor_figure_counts_to_the_letter(
    text: str, found: tuple[str, ...]
) -> None:
    assert literals(text) == found


@given(st.text())
def test_any_text_has_literals_and_space_makes_none(text: str) -> None:
    assert literals(text) == literals(f"  {text}\n")


WORDS = st.lists(st.sampled_from(["ada", "bob", "met", "in", "oslo", "and", "be"]), max_size=7)


@given(WORDS, WORDS)
def test_whether_an_order_is_allowed_is_the_same_from_both_sides(
    one: list[str], other: list[str]
) -> None:
    assert reordered(one, other) == reordered(other, one)


@pytest.mark.parametrize(
    ("one", "other", "another"),
    [
        ("On Monday Ada swims", "Ada swims on Monday", False),
        ("Ada likes tea and coffee", "Ada likes coffee and tea", False),
        ("Ada and Bob hired Eve", "Bob and Ada hired Eve", False),
        ("The capital of Lorn is Vael", "Vael is the capital of Lorn", False),
        ("Ada left before Bob arrived", "Before Bob arrived Ada left", False),
        ("Ada swims on Monday in Oslo", "Ada swims in Oslo on Monday", False),
        ("Ada hired Bob and Eve left", "Ada hired Eve and Bob left", True),
        ("Ada left before Bob arrived", "Bob left before Ada arrived", True),
        ("Tea beats coffee", "Coffee beats tea", True),
        ("The boss of Ada is Bob", "The boss of Bob is Ada", True),
    ],
)
def test_the_same_words_in_another_order(one: str, other: str, another: bool) -> None:  # noqa: FBT001
    assert exchanged(read(one), read(other)) is another
    assert exchanged(read(other), read(one)) is another


def test_figures_may_change_places_with_what_they_count() -> None:
    cats = read("Ada has 2 cats and 3 dogs")
    assert not figures_exchanged(cats, read("Ada owns 3 dogs and 2 cats"))
    assert figures_exchanged(cats, read("Ada owns 3 cats and 2 dogs"))


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("Ada Brook leads Heron", "ada brook"),
        ("Project Heron is led by Ada Brook", "ada brook"),
        ("Ada Brook is the lead of Heron", "ada brook"),
        ("Heron's lead is Ada Brook", "ada brook"),
        ("At noon somebody leads Heron", ""),
    ],
)
def test_the_doer_is_found_in_whatever_order(text: str, who: str) -> None:
    assert doer(read(text, {"ada", "heron"})) == {stem(each) for each in who.split()}


def test_a_noun_in_ee_names_whom_it_is_done_to() -> None:
    trains = read("Ada Brook trains Bo Hill")
    assert same_doer(trains, read("Bo Hill is trained by Ada Brook"))
    assert same_doer(trains, read("Ada Brook is Bo Hill's trainer"))
    assert doers_differ(trains, read("Ada Brook is Bo Hill's trainee"))
    assert not doers_differ(trains, read("Bo Hill is Ada Brook's trainee"))


@pytest.mark.parametrize(
    ("turned", "plain"),
    [
        ("one of those who lead it is Ada", "Ada lead it"),
        ("Ada is among those who lead it", "Ada lead it"),
        ("one of the towns Ada has visited is Rome", "Ada has visited Rome"),
        ("Rome is one of the towns that Ada has visited", "Ada has visited Rome"),
        ("among the towns visited by Ada is Rome", "Rome is visited by Ada"),
        ("Ada has a new mentor: Bo", "Bo is Ada's mentor"),
        ("Ada is the person who acts as Bo's mentor", "Ada is Bo's mentor"),
        ("Ada leads it", "Ada leads it"),
    ],
)
def test_what_was_turned_round_is_put_in_plain_order(turned: str, plain: str) -> None:
    assert straight(turned) == plain


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Ada no longer uses locker 5 at the pool but 7.", "Ada uses locker 7 at the pool."),
        ("It no longer opens at 8:20 am but at 18:50.", "It opens at 18:50."),
        ("Ada no longer pays 900 euros of rent but 950 euros.", "Ada pays 950 euros of rent."),
        ("Ada no longer swims on Mondays but on Fridays.", "Ada swims on Fridays."),
        ("Ada swapped locker 5 for locker 7.", "Ada has locker 7."),
        ("Ada swapped letters with Bo for 7 years.", "Ada swapped letters with Bo for 7 years."),
        ("ADA'S PASSWORD IS HUNTER2", "Ada's password is HUNTER2"),
    ],
)
def test_the_new_value_stands_where_the_old_one_stood(text: str, plain: str) -> None:
    assert simplified(text) == plain


def test_forms_of_an_irregular_verb_have_one_stem_and_do_not_tell_one_time() -> None:
    assert {stem(each) for each in ("beat", "beats", "beaten")} == {"beat"}
    assert not IRREGULAR.keys() & {"beat", "run", "come"}
    assert IRREGULAR.keys() >= PASTS
    assert difference(read("Ada Brook sang at home"), read("Ada Brook sings at home")) == "tense"


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("ada lives in oslo", True),
        ("orrin toils as a welder", True),
        ("ada wohnt in berlin", False),
        ("ada bor i oslo", False),
        ("el gato de la casa", False),
        ("\u0430\u0434\u0430 \u043b\u044e\u0431\u0438\u0442 \u043a\u043e\u0444\u0435", False),
    ],
)
def test_a_text_is_read_as_english_where_more_of_it_is(text: str, english: bool) -> None:  # noqa: FBT001
    assert is_english(text.split()) is english


def test_what_denies_in_another_language_is_known_by_itself() -> None:
    assert denials("ada wohnt nicht hier", ["ada", "wohnt", "nicht", "hier"]) == {"nicht"}
    assert denials("\u98df\u3079\u307e\u305b\u3093", ["\u98df\u3079\u307e\u305b\u3093"])
    assert not denials("ada does not live here", ["ada", "does", "not", "live", "here"])


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Ada forgot to lock the shed", 1),
        ("Ada forgot the keys", 0),
        ("Ada stopped smoking", 1),
        ("The bus stopped at the school", 0),
        ("Ada aint vegan", 1),
        ("Ada didn't forget to lock the shed", 2),
    ],
)
def test_some_verbs_imply_that_what_follows_is_not_so(text: str, count: int) -> None:
    assert read(text).negations == count

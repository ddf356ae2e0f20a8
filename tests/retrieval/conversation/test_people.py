from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engram_lab.core.protocols import SpokenTurns
from engram_lab.core.selection import Selection
from engram_lab.core.types import Identity
from engram_lab.retrieval.conversation import (
    Mention,
    People,
    PeopleIndex,
    TurnIndex,
    Turns,
    seen,
    sight_of,
)
from engram_lab.retrieval.conversation.columns import Columns
from engram_lab.retrieval.conversation.evidence import Evidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from engram_lab.core.sqlite import SqliteStore

Line = tuple[str, int, str, str]
"""Session, position, speaker, words."""


def turns_of(lines: Sequence[Line], keys: Sequence[int] | None = None) -> Turns:
    """Return turns with the keys given, or in order."""
    numbered = sorted(zip(keys or range(1, len(lines) + 1), lines, strict=True))
    return Turns.of(
        Columns.read(
            SpokenTurns(
                keys=np.array([key for key, _ in numbered], np.int64),
                session_ids=[line[0] for _, line in numbered],
                positions=np.array([line[1] for _, line in numbered], np.int64),
                speakers=[line[2] for _, line in numbered],
                spoken_at=np.full(len(numbered), np.nan),
                media=np.zeros(len(numbered), np.bool_),
                contents=[line[3] for _, line in numbered],
            )
        )
    )


def people_of(*said: tuple[str, str], session: str = "s") -> People:
    """Return the people of one conversation."""
    lines = [(session, place, speaker, text) for place, (speaker, text) in enumerate(said)]
    return People(evidence=Evidence.of(turns_of(lines)))


def aliases(people: People) -> dict[str, set[str]]:
    return {name: set(found) for name, found in people.aliases().items()}


ONCE = [
    ("B", "Hey Zed! Good to see you."),
    ("B", "Thanks, Zed!"),
    ("B", "Oh, good morning Zed."),
    ("A", "Hi, I'm Zed."),
    ("A", "You can call me Zed."),
    ("A", "My name is Zed, by the way."),
    ("A", "It's Zed here."),
    ("A", "I will write again.\n- Zed"),
    ("A", "See you on the way.\nLove, Zed"),
]


@pytest.mark.parametrize(("speaker", "text"), ONCE)
def test_a_greeting_or_saying_who_one_is_teaches_a_name_at_once(speaker: str, text: str) -> None:
    people = people_of(("A", "so it is"), (speaker, text), ("A" if speaker == "B" else "B", "yes"))
    assert aliases(people) == {"A": {"Zed"}}
    assert people.named("What did Zed say?") == {"A"}
    assert people.named("what is zed's dog called?") == {"A"}


TWICE = [
    "That is great, Zed!",
    "I made it after all. Thank you so much, Zed.",
    "what do you think of it, Zed?",
]


@pytest.mark.parametrize("text", TWICE)
def test_other_calls_teach_a_name_when_they_come_again(text: str) -> None:
    once = people_of(("B", text), ("A", "yes"))
    twice = people_of(("B", text), ("A", "yes"), ("B", text))
    assert aliases(once) == {}
    assert once.named("What did Zed say?") == set()
    assert aliases(twice) == {"A": {"Zed"}}


@pytest.mark.parametrize(
    ("speaker", "name"),
    [("Zedekiah", "Zed"), ("Joanna", "Jo"), ("Deborah", "Debs"), ("Evan", "Ev"), ("Ana Lu", "Luz")],
)
def test_a_name_that_resembles_the_speaker_s_needs_one_call(speaker: str, name: str) -> None:
    people = people_of(("B", f"That is great, {name}!"), (speaker, "yes"))
    assert people.named(f"What did {name} say?") == {speaker}


def test_a_name_at_the_beginning_of_a_sentence_helps_but_does_not_teach() -> None:
    assert aliases(people_of(*[("B", "Zed, come in."), ("A", "yes")] * 5)) == {}
    helped = people_of(("B", "Zed, come in."), ("A", "yes"), ("B", "Zed, so? I see, Zed."))
    assert aliases(helped) == {"A": {"Zed"}}


@pytest.mark.parametrize(
    "said",
    [
        [("B", "Thanks, Zed!"), ("A", "Hey Zed!")],  # both use it
        [("B", "Hey Zed!"), ("A", "I fed Zed today"), ("A", "and I walked Zed")],  # his dog
        [("B", "Hey Zed! I saw Zed. We met Zed. I like Zed. Is it Zed? To Zed!"), ("A", "yes")],
        [("B", "I moved from far away, Zed."), ("A", "yes"), ("B", "we were in Zed, and in Zed.")],
        [("A", "I'm Zed."), ("B", "yes")],  # as "I'm Greek"
        [("A", "Zed here!"), ("B", "yes")],  # as "Same here!"
        [("B", "Zed! Zed, so."), ("A", "yes")],
        [("B", "Hey Zed!"), ("A", "the zed of it"), ("B", "a zed, my zed")],  # a word
        [("B", "Hey Zed!")],  # nobody else is there
        [("B", "Thanks, Man! Hey Buddy! Thanks, Mom!"), ("A", "yes")],
    ],
)
def test_what_is_not_surely_a_name_of_somebody_is_not_learned(said: list[tuple[str, str]]) -> None:
    assert aliases(people_of(*said)) == {}


def test_the_name_of_another_speaker_stays_his_where_he_is() -> None:
    said = [("B", "Hey Zed!"), ("A", "yes"), ("B", "Thanks, Zed!")]
    assert aliases(people_of(*said, ("Zed", "no"))) == {}
    apart = turns_of(
        [("s", place, *each) for place, each in enumerate(said)] + [("t", 0, "Zed", "no")]
    )
    people = People(evidence=Evidence.of(apart))
    assert aliases(people) == {"A": {"Zed"}}
    assert people.named("What did Zed say?") == {"A", "Zed"}


def test_among_many_the_name_is_that_of_whom_calls_have_in_common() -> None:
    people = people_of(
        ("A", "so"), ("B", "Thanks, Zed!"), ("C", "well"),
        ("A", "so"), ("C", "Thanks, Zed!"), ("B", "well"),
        ("A", "so"), ("C", "Hey Zed, so?"), ("A", "yes"),
        ("B", "That is so like Zed."),
    )  # fmt: skip
    assert aliases(people) == {"A": {"Zed"}}


def test_a_name_that_calls_give_to_two_alike_is_nobody_s() -> None:
    between = [("A", "so"), ("B", "Thanks, Zed!"), ("C", "well"), ("B", "yes"), ("B", "no")] * 6
    assert aliases(people_of(*between)) == {}
    resembling = [("Zeda", "so"), ("B", "Thanks, Zed!"), ("Zedo", "well"), ("B", "yes")] * 6
    assert aliases(people_of(*resembling)) == {}


def test_one_name_may_be_borne_by_speakers_of_different_conversations() -> None:
    lines = [
        ("s", 0, "B", "Hey Jo!"),
        ("s", 1, "Joanna", "yes"),
        ("t", 0, "C", "Thanks, Jo!"),
        ("t", 1, "Jolene", "yes"),
    ]
    people = People(evidence=Evidence.of(turns_of(lines)))
    assert people.named("Where is Jo?") == {"Joanna", "Jolene"}


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("What did Ada say to BEN?", {"Ada", "Ben"}),
        ("Ada's cat, Bens cat, and Ben\u2019s", {"Ada", "Ben"}),
        ("What was Bens's plan?", {"Ben"}),
        ("Adam and Canada", set()),
        ("ask José  María, please", {"José María"}),
        ("ask Jose\u0301 mari\u0301a", {"José María"}),
        ("ask María", {"José María"}),
        ("what about c++ (the person)?", {"C++"}),
        ("c+", set()),
        ("STRASSE", {"Straße"}),
        ("what will happen in may?", set()),
        ("Will it rain?", set()),
        ("Where is Will?", {"Will"}),
        ("Will's cat", {"Will"}),
        ("Grace and Ben went where?", {"Grace", "Ben"}),
        ("by the grace of what?", set()),
        ("What did Sarah do?", {"sarah_k@home.org"}),
        ("Where is the speaker?", set()),
        ("Where is Smith?", {"Dr. Smith"}),
        ("What did Mary Ann do?", {"Mary Ann"}),
        ("What did Mary do?", {"Mary", "Mary Ann"}),
        ("What did Benjamin do?", {"Ben"}),
        ("What did Josefa do?", set()),
        ("", set()),
    ],
)
def test_speakers_are_named_by_whole_words_in_any_case(question: str, named: set[str]) -> None:
    speakers = (
        *("Ada", "Ben", "José María", "C++", "Straße", "Will", "Mary", "Mary Ann", " ", "Grace"),
        *("sarah_k@home.org", "speaker_1", "Dr. Smith"),
    )
    people = people_of(*((each, "so it is") for each in speakers))
    assert people.named(question) == named


def test_a_name_that_nobody_used_may_be_the_beginning_of_a_speaker_s() -> None:
    silent = people_of(("Christopher", "so"), ("Bo", "yes"))
    assert silent.named("Where is Chris?") == {"Christopher"}
    assert silent.named("where is chris?") == set(), "it may be a word"
    assert silent.named("Where are Bo and Chris?") == {"Bo"}, "somebody is named already"
    told = people_of(("Christopher", "so"), ("Bo", "I met Chris in town"))
    assert told.named("Where is Chris?") == set(), "Chris is somebody else"
    called = people_of(("Ada", "hi"), ("Christopher", "so"), ("Bo", "ok"), ("Ada", "Wow, Chris!"))
    assert called.named("Where is Chris?") == {"Christopher"}, "whoever spoke last before the call"
    calls = people_of(("Bo", "hi"), ("Christopher", "Wow, Chris!"), ("Bo", "ok"))
    assert "Christopher" not in calls.named("Where is Chris?"), "nobody calls himself"


def test_whoever_asks_is_the_user() -> None:
    people = people_of(("user", "I bought a car"), ("assistant", "Nice."))
    assert people.named("What did I buy?") == {"user"}
    assert people.named("What did you tell me?") == {"user", "assistant"}
    assert people.named("What did the assistant say?") == {"assistant"}
    assert people.named("What is a car?") == set()
    assert people_of(("Ada", "so"), ("Ben", "so")).named("What did I tell you?") == set()


def identity(name: str, *names: str) -> Identity:
    return Identity(
        id=name, name=name, kind="person", created_at=datetime(2026, 1, 1, tzinfo=UTC),
        aliases=(name, *names),
    )  # fmt: skip


def test_identities_give_their_names_to_speakers() -> None:
    index = PeopleIndex()
    turns = turns_of([("s", 0, "ada", "so"), ("s", 1, "Ben", "yes")])
    people = index.follow(turns, [identity("Ada Lovelace", "Ada", "the countess")])
    assert people.named("What did the Countess say?") == {"ada"}
    assert people.named("What did Ada Lovelace say to Ben?") == {"ada", "Ben"}
    assert index.follow(turns).named("What did the Countess say?") == set()
    index.close()
    index.close()


def test_mentions_say_where_and_the_question_is_put_as_the_first_would() -> None:
    people = people_of(("Melanie", "so"), ("Ada", "Hey Mel!"))
    question = "What did MEL give Ada for Ada's house?"
    assert people.mentions(question) == (
        Mention(start=9, stop=12, possessive=False, speakers=frozenset({"Melanie"})),
        Mention(start=18, stop=21, possessive=False, speakers=frozenset({"Ada"})),
        Mention(start=26, stop=31, possessive=True, speakers=frozenset({"Ada"})),
    )
    assert people.first_person(question) == "What did I give you for your house?"
    assert people.first_person("What is it?") == "What is it?"


# Laws. Lines are few and their words fewer, so that names meet often.
TEXTS = st.sampled_from(
    [
        "Hey Zed!", "Thanks, Yan!", "I see, Zed.", "I see, Yan!", "Zed, so?", "I'm Zed", "so it is",
        "call me Yan", "I saw Zed", "I saw Yan", "Hey B!", "a zed", "Thanks, Mary Ann!", "Mary?",
        "I saw Maryan",
    ]
)  # fmt: skip
LINES = st.lists(
    st.tuples(
        st.sampled_from("st"), st.integers(0, 99), st.sampled_from(["A", "B", "Mary"]), TEXTS
    ),
    max_size=14,
    unique_by=lambda line: line[:2],
)
QUESTIONS = (
    "Where are Zed and yan?",
    "Did Mary Ann see Mary?",
    "What of Zeds, B and Yanni?",
    "Where is Maryan?",
)


def told(people: People, sight: Any = None) -> list[Any]:
    """Return all that people tell."""
    answers = [
        part
        for question in QUESTIONS
        for part in (
            people.named(question, sight),
            people.mentions(question, sight),
            people.first_person(question, sight),
        )
    ]
    return [people.aliases(sight), *answers]


@given(lines=LINES, keys=st.permutations(range(1, 15)))
def test_what_is_learned_does_not_depend_on_the_order_of_storing(
    lines: list[Line], keys: list[int]
) -> None:
    stored = turns_of(lines, keys[: len(lines)])
    assert told(People(evidence=Evidence.of(stored))) == told(
        People(evidence=Evidence.of(turns_of(lines)))
    )


@given(lines=LINES, steps=st.lists(st.sets(st.integers(0, 13)), max_size=4), texts=st.data())
def test_what_follows_changes_equals_what_is_read_from_scratch(
    lines: list[Line], steps: list[set[int]], texts: st.DataObject
) -> None:
    index = PeopleIndex()
    for step in steps:
        changed = [
            (*line[:3], texts.draw(TEXTS)) if place in step else line
            for place, line in enumerate(lines)
        ]
        kept = [place for place in range(len(lines)) if place not in step or place % 2]
        turns = turns_of([changed[each] for each in kept], [each + 1 for each in kept])
        people = index.follow(turns)
        fresh = Evidence.of(turns)
        assert told(people) == told(People(evidence=fresh))
        assert people.evidence.rows.tolist() == fresh.rows.tolist()
        assert people.evidence.uses.tolist() == fresh.uses.tolist()
        assert [people.evidence.names[each] for each in people.evidence.numbers] == [
            fresh.names[each] for each in fresh.numbers
        ]
        assert index.follow(turns) is people


@settings(max_examples=200)
@given(lines=LINES, hidden=st.sets(st.integers(0, 13)))
def test_what_lies_out_of_sight_might_as_well_not_be(lines: list[Line], hidden: set[int]) -> None:
    shown = [line for place, line in enumerate(lines) if place not in hidden]
    turns = turns_of(lines)
    in_sight = np.array([place not in hidden for place in range(len(lines))], np.bool_)

    def sight(rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        seen: NDArray[np.bool_] = in_sight[rows]
        return seen

    only = People(evidence=Evidence.of(turns_of(shown)))
    assert told(People(evidence=Evidence.of(turns)), sight) == told(only)


@given(question=st.text(max_size=80) | st.text(alphabet="zedZED'\u2019s \u0301Mary", max_size=40))
def test_any_question_is_read(question: str) -> None:
    people = people_of(("Mary", "so"), ("Ada", "Hey Zed!"))
    for mention in people.mentions(question):
        part = question[mention.start : mention.stop].casefold()
        assert part.startswith(("zed", "mary"))
    assert len(people.first_person(question)) <= len(question)


def test_a_purged_name_is_not_kept() -> None:
    index = PeopleIndex()
    index.follow(turns_of([("s", 0, "A", "Hey Secret!"), ("s", 1, "B", "Hey Zed!")]))
    people = index.follow(turns_of([("s", 1, "B", "Hey Zed!")], [2]))
    assert people.evidence.names == ("Zed",)


def test_an_agent_learns_from_what_it_may_see(store: SqliteStore) -> None:
    for scope, name in (("global", "Mel"), ("global/org:b", "Lani")):
        store.sessions.start(scope, scope=scope)
        said = [
            {"speaker": "Ada", "content": f"Hey {name}!"},
            {"speaker": "Melanie", "content": "a"},
        ]
        store.sessions.add_turns(scope, said)
    turns = TurnIndex(store.corpus).catch_up()
    people = PeopleIndex().follow(turns)
    everything = Selection(archived=True)
    agent = store.as_agent("x", "global/org:a")
    sight = sight_of(turns, agent.corpus, everything)
    assert people.aliases() == {"Melanie": {"Mel", "Lani"}}
    assert people.aliases(sight) == {"Melanie": {"Mel"}}
    assert people.named("Where are Lani and Ada?", sight) == {"Ada"}
    assert seen(np.array([[0, 1], [2, -1]]), sight).tolist() == [[0, 1], [-1, -1]]
    assert sight_of(turns, store.corpus, everything) is None
    assert seen(np.array([0, -1]), None).tolist() == [0, -1]


def test_an_agent_does_not_see_turns_without_their_session(store: SqliteStore) -> None:
    store.sessions.start("s", scope="global/org:b")
    turn = store.sessions.add_turns("s", [{"speaker": "Ada", "content": "a"}])[0]
    store.memories.update(turn.memory_id, {"scope": "global"})
    turns = TurnIndex(store.corpus).catch_up()
    agent = store.as_agent("x", "global/org:a")
    sight = sight_of(turns, agent.corpus, Selection())
    assert seen(np.array([0]), sight).tolist() == [-1]
    assert PeopleIndex().follow(turns).named("Where is Ada?", sight) == set()


def test_the_owner_does_not_see_what_is_archived_unless_asked_for(store: SqliteStore) -> None:
    store.sessions.start("s")
    said = [
        {"speaker": "Ada", "content": "a", "lifecycle": "archived"},
        {"speaker": "B", "content": "b"},
    ]
    store.sessions.add_turns("s", said)
    turns = TurnIndex(store.corpus).catch_up()
    sight = sight_of(turns, store.corpus, Selection())
    assert seen(np.array([0, 1]), sight).tolist() == [-1, 1]
    narrow = sight_of(turns, store.corpus, Selection(workspace="other", archived=True))
    assert seen(np.array([0, 1]), narrow).tolist() == [-1, -1]

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.engine import Engine
from engram_lab.evaluation.datasets.dataset import FORBIDDEN, STALE, Dataset
from engram_lab.evaluation.datasets.fiction.chaining import CHAINS
from engram_lab.evaluation.datasets.fiction.changing import CHANGES
from engram_lab.evaluation.datasets.fiction.dice import Dice
from engram_lab.evaluation.datasets.fiction.ellipsis import ELLIPSES, REPLIES
from engram_lab.evaluation.datasets.fiction.happening import HAPPENINGS
from engram_lab.evaluation.datasets.fiction.names import Names
from engram_lab.evaluation.datasets.fiction.secret import SECRETS
from engram_lab.evaluation.datasets.fiction.smalltalk import (
    ASIDES,
    CHATTER,
    FAREWELLS,
    GREETINGS,
    OPENERS,
    REACTIONS,
    THANKS,
)
from engram_lab.evaluation.datasets.fiction.values import LISTS, Values
from engram_lab.evaluation.datasets.fiction.weaving import weave
from engram_lab.evaluation.datasets.fiction.writing import PLAN, TOPICS, write_script
from engram_lab.evaluation.datasets.fictional import CATEGORIES, generate
from engram_lab.retrieval.lexical.analyser import Analyser

if TYPE_CHECKING:
    from pathlib import Path

ANALYSER = Analyser.named("english")
SEEDS = st.integers(0, 2**63 - 1)
FEW = settings(max_examples=8, deadline=None)


def stems(text: str, *, but: str = "") -> set[str]:
    """The content words of a text, without endings."""
    return set(ANALYSER.terms(re.sub(r"\{\w+\}", "", text))) - set(ANALYSER.terms(but))


@dataclass(frozen=True)
class Judged:
    """A question and a memory that it is judged with."""

    query: dict[str, Any]
    memory: dict[str, Any]
    relevance: int

    @property
    def said(self) -> str:
        return str(self.memory["content"]).split(": ", 1)[1]

    @property
    def shared(self) -> set[str]:
        """Content words of both; names of who talks are none."""
        return stems(self.said) & stems(self.query["text"], but=self.memory["speaker"])


def judged(dataset: Dataset, category: str, relevance: int = 1) -> list[Judged]:
    memories = {row["id"]: row for row in dataset.memories.iter_rows(named=True)}
    queries = {row["id"]: row for row in dataset.queries.iter_rows(named=True)}
    return [
        Judged(queries[query], memories[memory], level)
        for query, memory, level in dataset.qrels.rows()
        if queries[query]["category"] == category and level == relevance
    ]


def turns(dataset: Dataset) -> pl.DataFrame:
    return dataset.memories.filter(pl.col("session").is_not_null())


class TestDice:
    def test_a_draw_is_the_hash_of_its_path_and_number(self) -> None:
        dice = Dice("2026/somewhere")
        drawn = [dice.below(1000) for _ in range(3)]
        hashed = [hashlib.sha256(f"2026/somewhere/{i}".encode()).digest()[:8] for i in range(3)]
        assert drawn == [int.from_bytes(each, "big") % 1000 for each in hashed]

    def test_draws_below_do_not_move_those_above(self) -> None:
        one, other = Dice("a"), Dice("a")
        other.under("b").below(6)
        assert [one.below(6) for _ in range(20)] == [other.below(6) for _ in range(20)]

    def test_shuffling_reaches_every_order_about_as_often(self) -> None:
        dice = Dice("orders")
        found = [tuple(dice.shuffled("abc")) for _ in range(6000)]
        counts = [found.count(order) for order in sorted(set(found))]
        assert len(counts) == 6
        # Five standard deviations of a binomial with p = 1/6 are 144.
        assert all(abs(count - 1000) < 150 for count in counts)


class TestNames:
    def test_none_is_given_twice_even_when_the_short_ones_are_used_up(self) -> None:
        names = Names(Dice("names"))
        given = [names.new(kind) for kind in ("person", "town", "coined") for _ in range(500)]
        assert len(set(given)) == len(given)

    def test_values_of_a_list_come_once_until_it_is_used_up(self) -> None:
        values = Values(Dice("values"), Names(Dice("names")))
        drawn = [values.new("colour") for _ in LISTS["colour"]]
        assert sorted(drawn) == sorted(LISTS["colour"])
        assert values.new("colour") in LISTS["colour"]

    def test_a_number_and_a_sum_of_money_are_never_the_same(self) -> None:
        values = Values(Dice("values"), Names(Dice("names")))
        drawn = [values.new(kind) for kind in ("number", "money") for _ in range(30)]
        assert len(set(drawn)) == len(drawn)


class TestPhrases:
    """What the patterns promise, whatever is drawn."""

    def test_a_veiled_question_shares_no_content_word_with_any_telling(self) -> None:
        said = {topic.key: [each.say for each in topic.variants] for topic in TOPICS}
        asked = {topic.key: [each.mean for each in topic.variants] for topic in TOPICS}
        said |= {event.key: list(event.say) for event in HAPPENINGS}
        asked |= {event.key: [event.mean] for event in HAPPENINGS}
        said |= {each.key + "?": list(REPLIES[each.kind]) for each in ELLIPSES}
        asked |= {each.key + "?": list(each.ask) for each in ELLIPSES}
        shared = {
            (key, say, ask): stems(say) & stems(ask)
            for key in said
            for say in said[key]
            for ask in asked[key]
            if stems(say) & stems(ask)
        }
        assert shared == {}

    def test_an_open_question_shares_one(self) -> None:
        pairs = [(each.say, each.ask) for topic in TOPICS for each in topic.variants]
        pairs += [(each.say, topic.natural) for topic in TOPICS for each in topic.variants]
        pairs += [(say, event.ask) for event in HAPPENINGS for say in event.say]
        pairs += [(each.before[0], ask) for each in CHANGES for ask in each.ask]
        pairs += [(each.after[0], ask) for each in CHANGES for ask in each.ask]
        pairs += [(each.hidden, each.ask) for each in SECRETS]
        assert [pair for pair in pairs if not stems(pair[0]) & stems(pair[1])] == []

    def test_a_lure_says_words_of_each_veiled_question(self) -> None:
        pairs = [(topic.lure, each.mean) for topic in TOPICS for each in topic.variants]
        assert [pair for pair in pairs if not stems(pair[0]) & stems(pair[1])] == []

    def test_what_answers_is_in_the_telling_and_never_in_the_question(self) -> None:
        said = [each.say for topic in TOPICS for each in topic.variants]
        said += [text for each in CHANGES for text in each.after]
        said += [" ".join(each.says) for each in CHAINS] + [each.hidden for each in SECRETS]
        assert [text for text in said if "{a}" not in text] == []
        asked = [
            text for topic in TOPICS for each in topic.variants for text in (each.ask, each.mean)
        ]
        asked += [text for each in CHANGES for text in each.ask] + [each.ask for each in CHAINS]
        assert [text for text in asked if re.findall(r"\{(\w+)\}", text) != ["who"]] == []

    def test_no_value_of_a_list_stands_in_a_pattern_or_in_another_value(self) -> None:
        said = [each.say for topic in TOPICS for each in topic.variants]
        said += [text for topic in TOPICS for text in (*topic.lead, *topic.near, topic.lure)]
        said += [text for each in HAPPENINGS for text in (*each.say, *each.later)]
        said += [text for each in CHAINS for text in (*each.says, each.near)]
        said += [text for each in CHANGES for text in (*each.before, *each.after)]
        said += [each.lead for each in ELLIPSES] + [
            text for kind in REPLIES.values() for text in kind
        ]
        said += [text for each in SECRETS for text in (each.open, each.hidden)]
        said += [*ASIDES, *CHATTER, *FAREWELLS, *GREETINGS, *OPENERS, *REACTIONS, *THANKS]
        kinds = sorted(LISTS.keys() - {"when"})
        values = [value for kind in kinds for value in LISTS[kind]]
        assert len(set(values)) == len(values)
        found = {
            (value, text)
            for value in values
            for text in (*said, *values)
            if text != value and re.search(rf"\b{re.escape(value)}\b", text, re.IGNORECASE)
        }
        assert found == set()
        assert [text for text in said if re.search(r"\d", re.sub(r"\{\w+\}", "", text))] == []

    def test_there_are_replies_for_any_choice_of_ellipses(self) -> None:
        for kind, replies in REPLIES.items():
            assert len(replies) >= sum(each.kind == kind for each in ELLIPSES)

    def test_keys_are_unique(self) -> None:
        for patterns in (TOPICS, HAPPENINGS, CHAINS, CHANGES, ELLIPSES, SECRETS):
            keys = [each.key for each in patterns]
            assert len(set(keys)) == len(keys)


class TestGold:
    @given(seed=SEEDS)
    @FEW
    def test_laws_of_every_category(self, seed: int) -> None:
        data = generate(seed, conversations=3)
        for category, each in PLAN.items():
            assert data.queries.filter(category=category).height == 3 * each
        for veiled in ("paraphrase", "context"):
            assert [each for each in judged(data, veiled) if each.shared] == []
        for lexical in ("single-hop", "name", "speaker", "adversarial"):
            assert [each for each in judged(data, lexical) if not each.shared] == []
        self.check_speakers(data)
        self.check_order(data)
        hops = data.qrels.join(
            data.queries.filter(category="multi-hop"), left_on="query_id", right_on="id"
        )
        assert hops.group_by("query_id").len()["len"].is_between(2, 3).all()

    @staticmethod
    def check_speakers(data: Dataset) -> None:
        for category in set(CATEGORIES) - {"name", "adversarial"}:
            for each in judged(data, category):
                first = each.memory["speaker"] in each.query["text"]
                # The link in the middle of a chain names what the first one said of the owner.
                assert first or category == "multi-hop"
        for each in judged(data, "adversarial"):
            assert each.memory["speaker"] not in each.query["text"]
        for each in judged(data, "speaker", 0):
            assert each.memory["speaker"] not in each.query["text"]

    @staticmethod
    def check_order(data: Dataset) -> None:
        new = {each.query["id"]: each.memory for each in judged(data, "update")}
        old = {each.query["id"]: each.memory for each in judged(data, "update", STALE)}
        assert new.keys() == old.keys()
        assert all(old[key]["event_at"] < new[key]["event_at"] for key in new)
        assert all(old[key]["speaker"] == new[key]["speaker"] for key in new)
        before = turns(data).with_columns(position=pl.col("position") + 1)
        placed = {(row["session"], row["position"]): row for row in before.iter_rows(named=True)}
        for each in judged(data, "context"):
            lead = placed[each.memory["session"], each.memory["position"]]
            assert lead["speaker"] != each.memory["speaker"]
            assert lead["content"].endswith("?")

    @given(seed=SEEDS)
    @FEW
    def test_an_answer_stands_in_its_own_turn_alone(self, seed: int) -> None:
        script = write_script(Dice(str(seed)), Names(Dice(f"{seed}/n")), ("Ann", "Bob"), 1)
        lines = [line for each in script.exchanges for line in each.lines]
        checked = 0
        for asked in script.asked:
            evidence = {line for line, _ in asked.evidence}
            for answer in asked.answers:
                word = re.compile(rf"\b{re.escape(answer)}\b", re.IGNORECASE)
                assert any(word.search(line.text) for line in evidence)
                assert [each.text for each in lines if word.search(each.text)] == [
                    each.text for each in lines if each in evidence and word.search(each.text)
                ]
                checked += 1
        assert checked >= PLAN["single-hop"] + PLAN["paraphrase"] + PLAN["update"]

    @given(seed=SEEDS)
    @FEW
    def test_turns_are_in_order_and_speak_for_themselves(self, seed: int) -> None:
        data = generate(seed, conversations=2, sessions=3)
        told = turns(data)
        assert told["session"].n_unique() == 6
        for _, session in told.group_by("session"):
            assert session["position"].to_list() == list(range(session.height))
            assert session["event_at"].is_sorted()
            assert session["speaker"].n_unique() == 2
        assert told["id"].str.slice(0, 3).n_unique() == 2
        for row in told.iter_rows(named=True):
            assert row["content"].startswith(f"{row['speaker']}: ")
            assert not re.search(r"[{}]|\b[Aa] [aeiou]|  ", row["content"])
            assert re.search(r": [A-Z0-9].*[.!?]\Z", row["content"])
        assert data.memories["content"].is_unique().all()
        last = told.group_by(cluster=pl.col("id").str.slice(0, 3)).agg(pl.col("event_at").max())
        asked = data.queries.join(last, on="cluster")
        assert asked.height == data.queries.height
        assert (asked["asked_at"] > asked["event_at"]).all()


class TestPrivate:
    def test_what_is_hidden_answers_to_the_letter_and_is_no_turn(self) -> None:
        hidden = judged(generate(3, conversations=4), "private", FORBIDDEN)
        assert len(hidden) == 4
        for each in hidden:
            assert each.shared
            assert each.memory["session"] is None
        kept = [json.loads(each.memory["fields"]) for each in hidden]
        assert sorted({key for fields in kept for key in fields}) == ["scope", "workspace"]

    def test_the_store_keeps_it_from_whoever_asks(self, tmp_path: Path) -> None:
        data = generate(3, conversations=4)
        with Engine.open(tmp_path / "m.db") as engine:
            report = engine.remember_many(
                [
                    {"content": row["content"], **json.loads(row["fields"] or "{}")}
                    for row in data.memories.iter_rows(named=True)
                ]
            )
            ours = dict(zip(report.ids, data.memories["id"], strict=True))
            for each in judged(data, "private", FORBIDDEN):
                text, id_ = each.query["text"], each.memory["id"]
                asked = engine.recall(
                    text, 1000, strategy="keyword", agent="you", workspace="default"
                )
                assert id_ not in {ours[hit.id] for hit in asked}
                # Without the laws it would be found: the question is in its words.
                all_seeing = engine.recall(text, 1000, strategy="keyword")
                assert id_ in {ours[hit.id] for hit in all_seeing}


class TestGenerate:
    def test_the_same_seed_gives_the_same_and_another_one_other_names(self) -> None:
        one, again, other = (generate(seed, conversations=8) for seed in (1, 1, 2))
        assert one.hash == again.hash
        assert one.hash != other.hash
        ours, theirs = set(one.memories["speaker"]), set(other.memories["speaker"])
        assert len(ours) == len(theirs) == 16
        # Of 360 names chance alone gives both about one.
        assert len(ours & theirs) <= 4

    def test_more_conversations_leave_the_first_as_they_are(self) -> None:
        few, many = generate(5, conversations=2), generate(5, conversations=4)
        assert many.memories[: few.memories.height].equals(few.memories)
        assert many.qrels[: few.qrels.height].equals(few.qrels)

    def test_conversations_share_corpora_as_asked(self) -> None:
        data = generate(1, conversations=5, together=2)
        corpora = data.queries.group_by("cluster").agg(pl.col("corpus").unique()).sort("cluster")
        assert corpora["corpus"].to_list() == [["k1"], ["k1"], ["k2"], ["k2"], ["k3"]]

    @pytest.mark.parametrize(
        "wrong",
        [{"seed": -1}, {"seed": True}, {"conversations": 0}, {"together": 1001}, {"sessions": 1}],
    )
    def test_a_number_out_of_its_bounds_is_refused(self, wrong: dict[str, int]) -> None:
        name = next(iter(wrong))
        with pytest.raises(InvalidInputError, match=f"{name} is .*: give a whole number from"):
            generate(**{"seed": 1, **wrong})

    def test_everything_is_said_however_many_sessions_there_are(self) -> None:
        script = write_script(Dice("s"), Names(Dice("n")), ("Ann", "Bob"), 1)
        sessions = weave(script, Dice("w"), sessions=100)
        assert len(sessions) == 100
        said = {line for session in sessions for line in session}
        assert {line for each in script.exchanges for line in each.lines} <= said

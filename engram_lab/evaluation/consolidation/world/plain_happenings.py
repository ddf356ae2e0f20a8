"""What happened on a day, who is what to whom, and what is so or not, in words that recur."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from engram_lab.evaluation.consolidation.world.phrases import Plain

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["HAPPENED"]

_OCCASIONS: Final = {
    "repair": Plain(
        words=("repair",),
        says=(
            "On {on} {who} paid {a} for the repair.",
            "{who}'s repair bill of {on} was {a}.",
            "The repair cost {who} {a}, that was on {on}.",
            "{a} went out for {who}'s repair on {on}.",
            "{who} had a repair done on {on}, for {a}.",
        ),
    ),
    "run": Plain(
        words=("run", "ran"),
        says=(
            "{who} ran {a} on {on}.",
            "On {on} {who} went for a run of {a}.",
            "A run of {a} for {who}, dated {on}.",
            "{on}: {who} has run {a}.",
            "The run that {who} did on {on} was {a} long.",
        ),
    ),
    "blood": Plain(
        words=("blood pressure",),
        says=(
            "{who}'s blood pressure was {a} on {on}.",
            "On {on} the doctor measured a blood pressure of {a} with {who}.",
            "Blood pressure of {who} on {on}: {a}.",
            "{a} was {who}'s blood pressure on {on}.",
            "{who} had a blood pressure of {a} on {on}.",
        ),
    ),
    "harvest": Plain(
        words=("harvest",),
        says=(
            "{who} harvested {a} of apples on {on}.",
            "On {on} {who}'s harvest was {a} of apples.",
            "Apple harvest at {who}'s, {on}: {a}.",
            "{a} of apples were harvested by {who} on {on}.",
            "The apple harvest that {who} brought in on {on} came to {a}.",
        ),
    ),
    "invoice": Plain(
        words=("invoice",),
        says=(
            "{who} sent an invoice over {a} dated {on}.",
            "We got an invoice of {a} from {who} on {on}.",
            "The invoice of {on} from {who} is for {a}.",
            "{who} invoiced us for {a} on {on}.",
            "{who}'s invoice, dated {on}, comes to {a}.",
        ),
    ),
    "session": Plain(
        words=("practi",),
        says=(
            "{who} practised for {a} on {on}.",
            "On {on} {who} got {a} of practice in.",
            "Practice log of {who}: {on}, {a}.",
            "{who} managed {a} of practice on {on}.",
            "{who}'s practice on {on} took {a}.",
        ),
    ),
}

_BONDS: Final = {
    "reports": Plain(
        words=("report",),
        says=(
            "{x} reports to {y}.",
            "{y} is the one to whom {x} reports.",
            "{y} has {x} as a direct report.",
            "The person that {x} reports to is {y}.",
            "{x} is among those who report to {y}.",
        ),
    ),
    "lent": Plain(
        words=("lent",),
        says=(
            "{x} lent {y} a bicycle.",
            "{y} was lent a bicycle by {x}.",
            "{x} has lent a bicycle to {y}.",
            "The bicycle that {y} rides was lent by {x}.",
            "It was {x} who lent {y} the bicycle.",
        ),
    ),
    "teaches": Plain(
        words=("teach", "taught"),
        says=(
            "{x} teaches {y} how to swim.",
            "{y} is taught to swim by {x}.",
            "{x} is {y}'s swimming teacher.",
            "{y} has {x} as a swimming teacher.",
            "The one who teaches {y} swimming is {x}.",
        ),
    ),
    "owes": Plain(
        words=("owe",),
        says=(
            "{x} owes {y} a dinner.",
            "{y} is owed a dinner by {x}.",
            "{x} still owes a dinner to {y}, a bet was lost.",
            "A dinner is what {x} owes {y}.",
            "It's {x} who owes {y} a dinner.",
        ),
    ),
    "beat": Plain(
        words=("beat",),
        says=(
            "{x} beat {y} at chess.",
            "{y} was beaten by {x} at chess.",
            "At chess, {x} has beaten {y}.",
            "It was {x} who beat {y} at chess.",
            "{y} wants revenge, {x} beat them at chess.",
        ),
    ),
    "recommended": Plain(
        words=("recommend",),
        says=(
            "{x} recommended {y} for the post.",
            "{y} was recommended by {x} for the post.",
            "For the post, {x} has recommended {y}.",
            "It was {x} who recommended {y} for the post.",
            "The recommendation of {y} for the post came from {x}.",
        ),
    ),
}

_LEANINGS: Final = {
    "allergic": Plain(
        words=("allerg",),
        says=(
            "{who} is allergic to {a}.",
            "{who} has an allergy to {a}.",
            "What {who} is allergic to: {a}.",
            "{who}'s test says allergic to {a}.",
        ),
        denies=(
            "{who} is not allergic to {a}.",
            "{who} has no allergy to {a}.",
            "What {who} isn't allergic to: {a}.",
            "{who}'s test says not allergic to {a}.",
        ),
    ),
    "afraid": Plain(
        words=("afraid",),
        says=(
            "{who} is afraid of {a}.",
            "{who} gets afraid when it comes to {a}.",
            "What {who} is afraid of: {a}.",
            "I know that {who} is afraid of {a}.",
        ),
        denies=(
            "{who} isn't afraid of {a}.",
            "{who} doesn't get afraid when it comes to {a}.",
            "What {who} is not afraid of: {a}.",
            "I know that {who} is never afraid of {a}.",
        ),
    ),
    "invited": Plain(
        words=("come", "coming"),
        says=(
            "{who} is coming to the {a}.",
            "{who} will come to the {a}.",
            "Coming to the {a}: {who}.",
            "{who} said yes to the {a} and will come.",
        ),
        denies=(
            "{who} isn't coming to the {a}.",
            "{who} won't come to the {a}.",
            "Not coming to the {a}: {who}.",
            "{who} said no to the {a} and won't come.",
        ),
    ),
    "paid": Plain(
        words=("paid", "pay"),
        says=(
            "{who} has paid for the {a}.",
            "The {a} has been paid for by {who}.",
            "{who} did pay for the {a}.",
            "On the list for the {a}, {who} is marked as paid.",
        ),
        denies=(
            "{who} hasn't paid for the {a}.",
            "The {a} has not been paid for by {who}.",
            "{who} did not pay for the {a}.",
            "On the list for the {a}, {who} is marked as not paid.",
        ),
    ),
}

HAPPENED: Final[Mapping[str, Plain]] = MappingProxyType(_OCCASIONS | _BONDS | _LEANINGS)
"""By the key of what is told."""

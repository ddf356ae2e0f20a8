"""What happened on a day, and who is what to whom."""

from __future__ import annotations

from typing import Final

from engram_lab.evaluation.consolidation.world.phrases import Bond, Occasion

__all__ = ["BONDS", "OCCASIONS"]

OCCASIONS: Final = (
    Occasion(
        key="repair",
        kind="money",
        says=(
            "On {on} {who} paid {a} for the repair.",
            "{who}'s repair bill of {on} was {a}.",
            "The repair cost {who} {a}, that was on {on}.",
            "{a} went out for {who}'s repair on {on}.",
        ),
    ),
    Occasion(
        key="run",
        kind="km",
        says=(
            "{who} ran {a} on {on}.",
            "On {on} {who} went for a run of {a}.",
            "A run of {a} for {who}, dated {on}.",
            "{on}: {who} covered {a} on foot.",
        ),
    ),
    Occasion(
        key="blood",
        kind="reading",
        says=(
            "{who}'s blood pressure was {a} on {on}.",
            "On {on} the doctor measured {a} with {who}.",
            "The reading for {who} of {on} says {a}.",
            "{a} was {who}'s blood pressure on {on}.",
        ),
    ),
    Occasion(
        key="harvest",
        kind="kg",
        says=(
            "{who} picked {a} of apples on {on}.",
            "On {on} {who} brought in {a} of apples.",
            "Apple harvest at {who}'s, {on}: {a}.",
            "{a} of apples came from {who}'s trees on {on}.",
        ),
    ),
    Occasion(
        key="invoice",
        kind="money",
        says=(
            "{who} sent an invoice over {a} dated {on}.",
            "We got a bill of {a} from {who} on {on}.",
            "The invoice of {on} from {who} is for {a}.",
            "{who} billed us {a} on {on}.",
        ),
    ),
    Occasion(
        key="session",
        kind="minutes",
        says=(
            "{who} practised for {a} on {on}.",
            "On {on} {who} got {a} of practice in.",
            "Practice log of {who}: {on}, {a}.",
            "{who} managed {a} of practice on {on}.",
        ),
    ),
)

BONDS: Final = (
    Bond(
        key="reports",
        says=(
            "{x} reports to {y}.",
            "{y} is the boss of {x}.",
            "{x} has {y} as a line manager.",
            "{y} manages {x}.",
        ),
    ),
    Bond(
        key="lent",
        says=(
            "{x} lent {y} a bicycle.",
            "{y} borrowed a bicycle from {x}.",
            "The bicycle {y} rides is on loan from {x}.",
            "{y} got {x}'s bicycle on loan.",
        ),
    ),
    Bond(
        key="teaches",
        says=(
            "{x} teaches {y} how to swim.",
            "{y} is learning to swim with {x}.",
            "{y} takes swimming lessons from {x}.",
            "{x} gives {y} swimming lessons.",
        ),
    ),
    Bond(
        key="owes",
        says=(
            "{x} owes {y} a dinner.",
            "{y} is owed a dinner by {x}.",
            "{x} still has to take {y} out for dinner, a bet was lost.",
            "{y} won a dinner from {x}.",
        ),
    ),
    Bond(
        key="beat",
        says=(
            "{x} beat {y} at chess.",
            "{y} lost to {x} at chess.",
            "At chess, {x} won against {y}.",
            "The chess match was won by {x}, and {y} wants revenge.",
        ),
    ),
    Bond(
        key="recommended",
        says=(
            "{x} recommended {y} for the post.",
            "{y} was recommended by {x} for the post.",
            "For the post, {x} put {y} forward.",
            "It was {x} who suggested {y} for the post.",
        ),
    ),
)

"""What may be told of a place, with the word by which one would ask for it in every telling."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from engram_lab.evaluation.consolidation.world.phrases import Plain

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["OF_PLACES"]

_ONE: Final = {
    "opens": Plain(
        words=("open",),
        says=(
            "{who} opens at {a}.",
            "The doors of {who} open at {a}.",
            "{a} is when {who} opens.",
            "From {a} on {who} is open.",
            "The opening time of {who} is {a}.",
        ),
        changes=(
            "{who} now opens at {a}.",
            "{who} has a new opening time: {a}.",
            "The opening time of {who} has moved from {old} to {a}.",
            "{who} no longer opens at {old} but at {a}.",
        ),
        fixes=(
            "I got the opening time of {who} wrong, it is {a}.",
            "{who} opens at {a}, not {old}.",
        ),
    ),
    "closed": Plain(
        words=("clos",),
        says=(
            "{who} is closed on {a}s.",
            "{a} is the day on which {who} is closed.",
            "Don't go to {who} on a {a}, they are closed.",
            "The closing day of {who} is {a}.",
            "{who} closes its doors every {a}.",
        ),
        changes=(
            "{who} is now closed on {a}s.",
            "The closing day of {who} has moved from {old} to {a}.",
            "{who} is no longer closed on {old}s but on {a}s.",
            "Since the holidays {who} has been closed on {a}s.",
        ),
        fixes=(
            "I got the closing day of {who} wrong, it is {a}.",
            "{who} is closed on {a}s, not on {old}s.",
        ),
    ),
    "fee": Plain(
        words=("admission",),
        says=(
            "Admission to {who} costs {a}.",
            "The price of admission at {who} is {a}.",
            "They charge {a} for admission to {who}.",
            "{a} is what you pay for admission to {who}.",
            "{who} takes {a} for the admission.",
        ),
        changes=(
            "Admission to {who} is now {a}.",
            "The admission to {who} went from {old} to {a}.",
            "{who} no longer takes {old} for admission but {a}.",
            "{who} has a new price of admission: {a}.",
        ),
        fixes=(
            "I got the admission to {who} wrong, it is {a}.",
            "Admission to {who} is {a}, not {old}.",
        ),
    ),
    "keeper": Plain(
        words=("own",),
        says=(
            "{a} owns {who}.",
            "{who} is owned by {a}.",
            "The owner of {who} is {a}.",
            "{a} is the person who owns {who}.",
            "As an owner {who} has {a}.",
        ),
        changes=(
            "{a} is now the owner of {who}.",
            "{who} has a new owner: {a}.",
            "{who} is no longer owned by {old} but by {a}.",
            "The ownership of {who} has passed from {old} to {a}.",
        ),
        fixes=("I got the owner of {who} wrong, it is {a}.", "{who} is owned by {a}, not {old}."),
    ),
    "distance": Plain(
        words=("station",),
        says=(
            "{who} is {a} from the station.",
            "From the station it's {a} to {who}.",
            "The distance between {who} and the station is {a}.",
            "{who} lies {a} away from the station.",
            "{a} is how far {who} is from the station.",
        ),
        changes=(
            "{who} is now {a} from the station.",
            "The way from the station to {who} went from {old} to {a}.",
            "{who} is no longer {old} from the station but {a}.",
            "Since the road was moved, it's {a} from the station to {who}.",
        ),
        fixes=(
            "I was wrong about {who}, it is {a} from the station.",
            "From the station to {who} it is {a}, not {old}.",
        ),
    ),
    "door": Plain(
        words=("code",),
        says=(
            "The door code of {who} is {a}.",
            "{a} is the code for the door of {who}.",
            "To get into {who} after hours, type the code {a}.",
            "{who} has a door code, which is {a}.",
            "You open the side door of {who} with the code {a}.",
        ),
        changes=(
            "The door code of {who} is now {a}.",
            "{who} has a new door code: {a}.",
            "They changed the door code of {who} from {old} to {a}.",
            "The code {old} no longer opens the door of {who}, use {a}.",
        ),
        fixes=(
            "I got the door code of {who} wrong, it is {a}.",
            "The door code of {who} is {a} and not {old}.",
        ),
    ),
    "seats": Plain(
        words=("seat",),
        says=(
            "{who} has {a} seats.",
            "There are {a} seats at {who}.",
            "{who} can seat {a} people.",
            "The number of seats in {who} is {a}.",
            "{a} guests find a seat at {who}.",
        ),
        changes=(
            "{who} now has {a} seats.",
            "{who} went from {old} to {a} seats.",
            "{who} no longer seats {old} people but {a}.",
            "Since the works there have been {a} seats at {who}.",
        ),
        fixes=(
            "I got the seats of {who} wrong, there are {a}.",
            "{who} has {a} seats and not {old}.",
        ),
    ),
    "wifi": Plain(
        words=("wifi",),
        says=(
            "The wifi password at {who} is {a}.",
            "{a} is the password for the wifi of {who}.",
            "To use the wifi at {who}, enter {a}.",
            "{who} has a wifi, and its password is {a}.",
            "You get into the wifi of {who} with {a}.",
        ),
        changes=(
            "The wifi password at {who} is now {a}.",
            "{who} has a new wifi password: {a}.",
            "The wifi password of {who} was changed from {old} to {a}.",
            "The wifi at {who} no longer takes {old} but {a}.",
        ),
        fixes=(
            "I got the wifi password of {who} wrong, it is {a}.",
            "The wifi password at {who} is {a}, not {old}.",
        ),
    ),
    "tram": Plain(
        words=("tram",),
        says=(
            "Tram {a} stops at {who}.",
            "To get to {who} take tram {a}.",
            "{who} is on tram line {a}.",
            "The tram that goes to {who} is number {a}.",
            "{a} is the number of the tram to {who}.",
        ),
        changes=(
            "The tram to {who} is now number {a}.",
            "{who} has a new tram: line {a}.",
            "The tram to {who} has changed from line {old} to line {a}.",
            "Tram {old} no longer stops at {who}, take the {a}.",
        ),
        fixes=(
            "I got the tram to {who} wrong, it is number {a}.",
            "It's tram {a} that goes to {who}, not {old}.",
        ),
    ),
}

_MANY: Final = {
    "sells": Plain(
        words=("sell", "sold", "sale"),
        says=(
            "{who} sells {a}.",
            "At {who} they sell {a}.",
            "One of the things that {who} sells: {a}.",
            "They have {a} for sale at {who}.",
            "{a} can be had at {who}, they sell plenty.",
        ),
    ),
    "shows": Plain(
        words=("show",),
        says=(
            "There's an old {a} on show at {who}.",
            "{who} shows a {a}.",
            "A {a} is shown at {who}.",
            "In the back room {who} has a {a} on show.",
            "One of the pieces on show at {who} is a {a}.",
        ),
    ),
    "hosts": Plain(
        words=("offer",),
        says=(
            "{who} offers {a}.",
            "{a} is offered at {who}.",
            "At {who} there is {a} on offer.",
            "One of the sports {who} offers is {a}.",
            "Among what {who} has to offer is {a}.",
        ),
    ),
}

OF_PLACES: Final[Mapping[str, Plain]] = MappingProxyType(_ONE | _MANY)
"""By the key of what is told."""

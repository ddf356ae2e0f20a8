"""What may be told of a project, with the word by which one would ask for it in every telling."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from engram_lab.evaluation.consolidation.world.phrases import Plain

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["OF_PROJECTS"]

_ONE: Final = {
    "deadline": Plain(
        words=("deadline",),
        says=(
            "The deadline for {who} is {a}.",
            "{who} has its deadline on {a}.",
            "{a} is the deadline of {who}.",
            "We promised to deliver {who} by the deadline of {a}.",
            "{who} must be handed over by {a}, that's the deadline.",
        ),
        changes=(
            "The deadline for {who} is now {a}.",
            "The deadline for {who} has been moved from {old} to {a}.",
            "{who} has a new deadline: {a}.",
            "{old} is no longer the deadline of {who}, they gave us {a}.",
        ),
        fixes=(
            "I got the deadline for {who} wrong, it is {a}.",
            "The deadline of {who} is {a}, not {old}.",
        ),
    ),
    "budget": Plain(
        words=("budget",),
        says=(
            "{who} has a budget of {a}.",
            "The budget for {who} is {a}.",
            "{a} is the budget of {who}.",
            "The board approved a budget of {a} for {who}.",
            "{who}'s budget stands at {a} in total.",
        ),
        changes=(
            "The budget of {who} is now {a}.",
            "{who}'s budget has changed from {old} to {a}.",
            "The budget of {who} is no longer {old} but {a}.",
            "Finance gave {who} a new budget of {a}.",
        ),
        fixes=(
            "I got the budget of {who} wrong, it is {a}.",
            "The budget for {who} is {a} and not {old}.",
        ),
    ),
    "lead": Plain(
        words=("lead", "led"),
        says=(
            "{a} leads {who}.",
            "{who} is led by {a}.",
            "The project lead on {who} is {a}.",
            "{a} is the lead of {who}, so ask there first.",
            "The one who leads {who} is {a}.",
        ),
        changes=(
            "{a} now leads {who}.",
            "{who} has a new lead: {a}.",
            "The lead of {who} has passed from {old} to {a}.",
            "{who} is no longer led by {old} but by {a}.",
        ),
        fixes=("I got the lead of {who} wrong, it is {a}.", "It's {a} who leads {who}, not {old}."),
    ),
    "standup": Plain(
        words=("stand-up",),
        says=(
            "The stand-up of {who} is at {a}.",
            "{who} has its daily stand-up at {a}.",
            "{a} is the time of the {who} stand-up.",
            "The {who} team meets for the stand-up at {a}.",
            "At {a} there's the stand-up of {who}.",
        ),
        changes=(
            "The stand-up of {who} is now at {a}.",
            "{who} moved its stand-up from {old} to {a}.",
            "The {who} stand-up is no longer at {old} but at {a}.",
            "From this week on, the stand-up of {who} begins at {a}.",
        ),
        fixes=(
            "I got the time of the {who} stand-up wrong, it is {a}.",
            "The stand-up of {who} is at {a}, not at {old}.",
        ),
    ),
    "release": Plain(
        words=("version",),
        says=(
            "{who} is at version {a} in production.",
            "Version {a} of {who} is the one that is live.",
            "The live version of {who} is {a}.",
            "{a} is the version of {who} that customers run.",
            "In production we have {who} in version {a}.",
        ),
        changes=(
            "{who} is now at version {a} in production.",
            "{who} went from version {old} to {a} in production.",
            "Version {old} of {who} is no longer live, {a} is.",
            "We shipped a new version of {who}: {a}.",
        ),
        fixes=(
            "I got the live version of {who} wrong, it is {a}.",
            "The version of {who} in production is {a}, not {old}.",
        ),
    ),
    "host": Plain(
        words=("server",),
        says=(
            "{who} runs on the server {a}.",
            "The server that hosts {who} is {a}.",
            "{a} is the server of {who}.",
            "You'll find {who} deployed on the server {a}.",
            "{who} has a server of the name {a}.",
        ),
        changes=(
            "{who} now runs on the server {a}.",
            "{who} was moved from server {old} to {a}.",
            "{who} is no longer on the server {old} but on {a}.",
            "{who} has a new server: {a}.",
        ),
        fixes=(
            "I got the server of {who} wrong, it is {a}.",
            "The server that {who} runs on is {a}, not {old}.",
        ),
    ),
    "team": Plain(
        words=("team",),
        says=(
            "The team of {who} has {a} members.",
            "{who} has a team of {a} people.",
            "There are {a} of us in the {who} team.",
            "{a} people are on the team of {who}.",
            "The size of the {who} team is {a}.",
        ),
        changes=(
            "The {who} team is now {a} people strong.",
            "The team of {who} went from {old} people to {a}.",
            "The {who} team no longer has {old} members but {a}.",
            "Since the new hires the team of {who} has been {a} people.",
        ),
        fixes=(
            "I got the size of the {who} team wrong, it is {a}.",
            "The team of {who} has {a} members, not {old}.",
        ),
    ),
    "client": Plain(
        words=("client",),
        says=(
            "The client of {who} is {a}.",
            "{a} is the client for whom we build {who}.",
            "We're building {who} for the client {a}.",
            "As a client {who} has {a}.",
            "{who} was ordered by a client called {a}.",
        ),
        changes=(
            "The client of {who} is now {a}.",
            "{who} has a new client: {a}.",
            "The client of {who} has changed from {old} to {a}.",
            "{old} is no longer the client of {who}, {a} is.",
        ),
        fixes=(
            "I got the client of {who} wrong, it is {a}.",
            "The client of {who} is {a} and not {old}.",
        ),
    ),
    "review": Plain(
        words=("review",),
        says=(
            "The weekly review of {who} is on {a}s.",
            "{a} is review day for {who}.",
            "{who} gets reviewed each {a}.",
            "Every {a} we hold the review of {who} with everybody.",
            "{who} has its review on {a}.",
        ),
        changes=(
            "The review of {who} is now on {a}s.",
            "The review of {who} has moved from {old} to {a}.",
            "{who} is no longer reviewed on {old} but on {a}.",
            "From this month on, {who} has its review on {a}.",
        ),
        fixes=(
            "I got the review day of {who} wrong, it is {a}.",
            "The review of {who} is on {a}s, not on {old}s.",
        ),
    ),
    "room": Plain(
        words=("room",),
        says=(
            "The project room of {who} is {a}.",
            "{who} was given {a} as its room.",
            "{a} is the room of {who}.",
            "The {who} team has its room in {a}.",
            "The room where the people of {who} sit is {a}.",
        ),
        changes=(
            "The project room of {who} is now {a}.",
            "{who} has a new room: {a}.",
            "{who} moved from {old} to another room, {a}.",
            "The room of {who} is no longer {old} but {a}.",
        ),
        fixes=("I got the room of {who} wrong, it is {a}.", "The room of {who} is {a}, not {old}."),
    ),
    "port": Plain(
        words=("port",),
        says=(
            "{who} listens on port {a}.",
            "The port of {who} is {a}.",
            "{a} is the port on which {who} listens.",
            "The service of {who} is reached through port {a}.",
            "Connect to {who} on port {a}.",
        ),
        changes=(
            "{who} now listens on port {a}.",
            "The port of {who} was changed from {old} to {a}.",
            "{who} no longer listens on port {old} but on {a}.",
            "{who} has a new port: {a}.",
        ),
        fixes=("I got the port of {who} wrong, it is {a}.", "The port of {who} is {a}, not {old}."),
    ),
}

_MANY: Final = {
    "uses": Plain(
        words=("use", "using"),
        says=(
            "{who} uses the library {a}.",
            "{a} is used by {who}.",
            "One of the libraries used in {who} is {a}.",
            "{who} makes use of {a}.",
            "We are using the library {a} in {who}.",
        ),
    ),
    "tester": Plain(
        words=("test",),
        says=(
            "{a} tests {who}.",
            "{a} is a tester on {who}.",
            "{who} is tested by {a}, among others.",
            "{a} helps out with testing {who}.",
            "One of {who}'s testers is {a}.",
        ),
    ),
    "market": Plain(
        words=("sell", "sold", "sale"),
        says=(
            "{who} is sold in {a}.",
            "We sell {who} in {a}.",
            "{a} is one of the towns where {who} is sold.",
            "{who} is on sale in {a}.",
            "Among the places where we sell {who} is {a}.",
        ),
    ),
}

OF_PROJECTS: Final[Mapping[str, Plain]] = MappingProxyType(_ONE | _MANY)
"""By the key of what is told."""

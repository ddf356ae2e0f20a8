"""The conversations among the memories: who said what where, who is called what, and what follows.

`turns` keeps where each memory stands in its conversation, `people` who is meant by a name,
`sight` which turns whoever asks may see, `first_person` puts a question as the one it asks about
would have said it, and `context` tells what the neighbours, the session and the speaker of a memory
say of it.
"""

from engram_lab.retrieval.conversation.context import (
    CONTEXT_FEATURES,
    ContextFeatures,
    Conversation,
    TurnReader,
    speakers_named,
)
from engram_lab.retrieval.conversation.first_person import Mention, first_person
from engram_lab.retrieval.conversation.people import People, PeopleIndex
from engram_lab.retrieval.conversation.sight import Sight, first_seen, next_to, seen, sight_of
from engram_lab.retrieval.conversation.turns import TurnIndex, Turns

__all__ = [
    "CONTEXT_FEATURES",
    "ContextFeatures",
    "Conversation",
    "Mention",
    "People",
    "PeopleIndex",
    "Sight",
    "TurnIndex",
    "TurnReader",
    "Turns",
    "first_person",
    "first_seen",
    "next_to",
    "seen",
    "sight_of",
    "speakers_named",
]

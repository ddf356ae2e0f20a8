"""Statements that are alike and must not be one, and true retellings, through a whole dream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from engram_lab import Engine, ManualClock
from engram_lab.core.errors import EmbedderError, MissingDependencyError
from engram_lab.retrieval.embedders import EmbedderOptions, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engram_lab.retrieval.embedders import Embedder

APART: Final = (
    # a sign is part of the number
    ("The balance of account 17 is -200 euros", "The balance of account 17 is 200 euros"),
    ("The balance is \u2212200 euros", "The balance is 200 euros"),
    ("Profit in 2024 was -3 million", "Profit in 2024 was 3 million"),
    ("The tolerance is +3 mm", "The tolerance is -3 mm"),
    ("The freezer is kept at -20 degrees", "The freezer is kept at 20 degrees"),
    ("Oslo had minus 12 degrees on 3 May", "Oslo had 12 degrees on 3 May"),
    ("The file is 10% done", "The file is 10 done"),
    # exchanged parts
    ("Acme acquired Globex", "Globex acquired Acme"),
    ("Acme beat Globex", "Globex beat Acme"),
    ("Acme acquired Globex", "Acme was acquired by Globex"),
    ("Ada reports to Bob", "Bob reports to Ada"),
    ("Bob owes Ada 40 euros", "Ada owes Bob 40 euros"),
    ("Zorvex depends on Quillam", "Quillam depends on Zorvex"),
    ("Postgres replaced MySQL in the backend", "MySQL replaced Postgres in the backend"),
    ("Ada is the manager of Bob", "Bob is the manager of Ada"),
    ("Ada is taller than Bob", "Bob is taller than Ada"),
    ("Ada gave Bob the keys", "Bob gave Ada the keys"),
    ("Ada told Bob to call Eve", "Ada told Eve to call Bob"),
    ("Yesterday Ada hired Bob", "Yesterday Bob hired Ada"),
    ("The module harbour depends on lighthouse", "The module lighthouse depends on harbour"),
    ("Ada ate the fish", "The fish ate Ada"),
    ("The dog bit the man", "The man bit the dog"),
    ("Ada prefers tea to coffee", "Ada prefers coffee to tea"),
    ("Red is better than blue", "Blue is better than red"),
    ("Tabs instead of spaces", "Spaces instead of tabs"),
    ("From Oslo to Rome the train takes 9 hours", "From Rome to Oslo the train takes 9 hours"),
    ("Juno Hale was lent a bike by Pim Otter", "Juno Hale has lent a bike to Pim Otter"),
    ("Juno Hale beat Pim Otter at chess", "Juno Hale wants revenge, Pim Otter beat her at chess"),
    ("Juno Hale employs Pim Otter", "Juno Hale is Pim Otter's employee"),
    # exchanged figures
    ("Ada has 2 cats and 3 dogs", "Ada has 3 cats and 2 dogs"),
    ("The match ended 3 to 1 for Ajax", "The match ended 1 to 3 for Ajax"),
    ("Flight leaves at 9 and lands at 11", "Flight leaves at 11 and lands at 9"),
    # what is no word
    ("Ada's blood type is O+", "Ada's blood type is O-"),
    ("The rule is x >= 3", "The rule is x <= 3"),
    ("The rule is a == b", "The rule is a != b"),
    ("The flag is !enabled", "The flag is enabled"),
    ("The grade of Ada was A+", "The grade of Ada was A-"),
    ("The grade of Ada was A", "The grade of Ada was A-"),
    ("C is used in the firmware", "C++ is used in the firmware"),
    ("The path is /etc/foo", "The path is /etc.foo"),
    ("The regex is ^a.*", "The regex is ^a.+"),
    ("Use foo.bar() there", "Use foo_bar() there"),
    ("Mix 1\u00bd cups of flour", "Mix 1\u00bc cups of flour"),
    ("The area is 5 m\u00b2", "The area is 5 m\u00b3"),
    ("Ticket 17 has the status \u2705", "Ticket 17 has the status \u274c"),
    ("The server is up \u2191", "The server is up \u2193"),
    ("The password is Hunter2", "The password is hunter2"),
    ("The field is called userName", "The field is called username"),
    ("Ada aint vegan", "Ada is vegan"),
    ("Ada doesnt eat meat", "Ada does eat meat"),
    # how it is said, and by whom
    ("Is Ada vegan?", "Ada is vegan."),
    ("Should we deploy on Friday?", "We should deploy on Friday."),
    ("It would be nice if Ada lived in Rome", "Ada lives in Rome"),
    ("In the novel Ada lives in Rome", "Ada lives in Rome"),
    ("Suppose Ada lives in Rome", "Ada lives in Rome"),
    ("I like cats", "You like cats"),
    ("My dog is old", "Your dog is old"),
    ("I am allergic to nuts", "She is allergic to nuts"),
    ("Ada forgot to lock the door", "Ada locked the door"),
    ("Ada neglected to file the report", "Ada filed the report"),
    ("Ada declined to sign the lease", "Ada signed the lease"),
    ("Ada stopped smoking", "Ada smokes"),
    ("Ada quit eating meat", "Ada eats meat"),
    # other languages
    ("Ada wohnt nicht in Berlin", "Ada wohnt in Berlin"),
    ("Das Backup l\u00e4uft nicht", "Das Backup l\u00e4uft"),
    ("Ada no vive en Madrid", "Ada vive en Madrid"),
    ("Ada n'aime pas le caf\u00e9", "Ada aime le caf\u00e9"),
    ("Ada non beve vino", "Ada beve vino"),
    ("\u0410\u0434\u0430 \u043d\u0435 \u043b\u044e\u0431\u0438\u0442 \u043a\u043e\u0444\u0435",
     "\u0410\u0434\u0430 \u043b\u044e\u0431\u0438\u0442 \u043a\u043e\u0444\u0435"),
    ("\u5f7c\u5973\u306f\u8089\u3092\u98df\u3079\u307e\u3059",
     "\u5f7c\u5973\u306f\u8089\u3092\u98df\u3079\u307e\u305b\u3093"),
    ("Ada nie pije kawy", "Ada pije kaw\u0119"),
    ("Ada inte dricker kaffe", "Ada dricker kaffe"),
    ("Ada trinkt gerne Kaffee", "Ada trinkt selten Kaffee"),
    # one who does more, or to another
    ("Mara Voss hired Pim Otter", "Mara Voss has hired Pim Otter's brother"),
    ("Mara Voss trusts Pim Otter", "Mara Voss trusts Pim Otter with the keys"),
    ("Mara Voss mentors Pim Otter", "Mara Voss is Pim Otter's manager"),
    ("Juno no longer uses locker 12 at the pool but 45", "Juno uses locker 12 at the pool"),
    ("Ada lives in Oslo", "Ada lives in Oslo county"),
    ("Build A triggers build B", "Build B triggers build A"),
    ("ada owes bob 40 euros", "bob owes ada 40 euros"),
)  # fmt: skip

RETOLD: Final = (
    ("Tomas Wren pays 900 euros of rent a month", "The monthly rent of Tomas Wren is 900 euros"),
    ("On Monday Ada swims in the lake", "Ada swims in the lake on Monday"),
    ("Ada Brook likes tea and coffee", "Ada Brook likes coffee and tea"),
    ("Ada has 2 cats and 3 dogs", "Ada has 3 dogs and 2 cats"),
    ("Mara Voss leads project Heron", "Project Heron is led by Mara Voss"),
    ("Mara Voss leads project Heron", "The one who leads project Heron is Mara Voss"),
    ("Ilse Brandt was born on 4 May 1990", "Ilse Brandt was born on May 4th, 1990"),
    ("The balance of account 17 is -200 euros", "Account 17 has a balance of -200 euros"),
    ("The freezer in lab 4 is at -20 degrees", "The freezer in lab 4 is at minus 20 degrees"),
    ("Pim Otter mentors Juno Hale", "Pim Otter is Juno Hale's mentor"),
    ("Pim Otter mentors Juno Hale", "Juno Hale has Pim Otter as a mentor"),
    ("Pim Otter mentors Juno Hale", "Juno Hale has a new mentor: Pim Otter"),
    ("Otter Works employs Juno Hale", "Juno Hale is employed at Otter Works"),
    ("Otter Works employs Juno Hale", "Otter Works is Juno Hale's employer"),
    ("Juno Hale lent Pim Otter a bike", "Juno Hale has lent a bike to Pim Otter"),
    ("Juno Hale beat Pim Otter at chess", "At chess, Juno Hale has beaten Pim Otter"),
    ("Juno Hale may use the Kestrel boat", "The Kestrel boat may be used by Juno Hale"),
    ("Juno Hale may use the Kestrel boat", "Juno Hale is allowed to use the Kestrel boat"),
    ("Juno Hale is among those who report to Pim Otter", "Juno Hale reports to Pim Otter"),
    ("Juno Hale plays the harp", "One of the instruments Juno Hale plays is the harp"),
    ("Juno Hale has visited Lisbon", "Lisbon is one of the towns Juno Hale has visited"),
    ("The Kestrel boat has a PIN, and it's 4711", "The PIN of the Kestrel boat is 4711"),
    ("Juno no longer uses locker 12 at the pool but 45", "Juno uses locker 45 at the pool"),
    ("The Kestrel shop no longer opens at 8:15 am but at 9:30", "The Kestrel shop opens at 9:30"),
    ("Juno Hale may open the shed", "One of those who may open the shed is Juno Hale"),
    ("Juno Hale has moved to Lisbon", "juno hale has moved to lisbon"),
    ("Ada's blood type is O+", "The blood type of Ada is O+"),
    ("The password of the Kestrel wifi is Hunter2", "The Kestrel wifi's password is Hunter2"),
    ("Juno Hale doesn't eat meat", "Juno Hale does not eat meat"),
    ("Juno Hale doesnt eat meat", "Juno Hale doesn't eat meat"),
    ("Juno Hale forgot to lock the shed", "Juno Hale did not lock the shed"),
    ("Juno Hale is vegan", "By the way, Juno Hale is vegan!"),
    ("A man is playing the guitar", "The guitar is being played by a man"),
    ("Acme acquired Globex in 2015", "Globex was acquired by Acme in 2015"),
    ("Zorvex was founded by Ada", "Ada founded Zorvex"),
    ("If you look for the Kestrel boat, it's in the shed", "The Kestrel boat is in the shed"),
    ("Das Backup l\u00e4uft nachts", "das  Backup l\u00e4uft nachts"),
)  # fmt: skip


@pytest.fixture(scope="module")
def minilm() -> Embedder:
    try:
        return resolve("minilm", EmbedderOptions())
    except (EmbedderError, MissingDependencyError) as error:
        pytest.skip(f"MiniLM is not here: {error}")


@pytest.fixture(scope="module")
def merged(minilm: Embedder) -> Iterator[set[tuple[str, str]]]:
    """The pairs that one dream merges, each pair in a scope of its own."""
    clock = ManualClock()
    pairs: dict[str, tuple[str, str]] = {}
    with Engine.open(":memory:", clock=clock, embedder=minilm) as engine:
        for place, pair in enumerate((*APART, *RETOLD)):
            for text in pair:
                scope = f"global/pair:{place}"
                pairs[engine.remember(text, scope=scope, dedup="allow").id] = pair
        clock.advance(days=1)
        report = engine.dream(steps=["merge"], yes=True)
        yield {pairs[str(each.id)] for each in report if each.fields.get("lifecycle") == "archived"}


@pytest.mark.parametrize("pair", APART, ids=lambda pair: pair[0])
def test_what_says_something_else_stays_apart(
    merged: set[tuple[str, str]], pair: tuple[str, str]
) -> None:
    assert pair not in merged


@pytest.mark.parametrize("pair", RETOLD, ids=lambda pair: pair[1])
def test_what_says_the_same_becomes_one(
    merged: set[tuple[str, str]], pair: tuple[str, str]
) -> None:
    assert pair in merged

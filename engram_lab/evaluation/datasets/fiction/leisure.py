"""Topics of free time: what people play, grow, make, collect, read and fear."""

from __future__ import annotations

from typing import Final

from engram_lab.evaluation.datasets.fiction.topics import Topic, Variant

__all__ = ["LEISURE"]

LEISURE: Final = (
    Topic(
        key="instrument",
        kind="instrument",
        variants=(
            Variant(
                say="I have started learning the {a}, and the neighbours are being very patient.",
                ask="Which instrument has {who} started learning?",
                mean="What kind of music does {who} make at home?",
            ),
            Variant(
                say="I am learning the {a} by ear and can nearly get through a whole tune.",
                ask="What is {who} learning by ear?",
                mean="What does {who} practise as a musician?",
            ),
        ),
        natural="What is {who} learning to play?",
        lure="The kind of music they make in the arcade drives any musician home early.",
        lead=("You look tired, were you up late making noise?", "How are the evenings going?"),
        near=("My uncle {other} used to play the {a} at weddings.",),
    ),
    Topic(
        key="sport",
        kind="sport",
        variants=(
            Variant(
                say="I joined the {a} club by the station, mostly to get out of the house.",
                ask="Which club did {who} join by the station?",
                mean="What sport has {who} taken up?",
            ),
            Variant(
                say="Our {a} club came fourth in the regional finals, my legs still ache.",
                ask="Which club of {who} came fourth in the regional finals?",
                mean="What sport does {who} compete in?",
            ),
        ),
        natural="What kind of club is {who} in?",
        lure="That shop has taken up sport shoes and cannot compete with the old one.",
        lead=("Are you doing anything for your health these days?", "You are limping a bit."),
        near=("{other} from the bakery is mad about {a}, never talks of anything else.",),
    ),
    Topic(
        key="growing",
        kind="plant",
        variants=(
            Variant(
                say="The {a} on my allotment are finally coming up, row after row.",
                ask="What is coming up on {who}'s allotment?",
                mean="What does {who} grow in the garden?",
            ),
            Variant(
                say="I put half the allotment under {a} and the slugs have left it alone.",
                ask="Under what did {who} put half the allotment that slugs have left alone?",
                mean="Which plants is {who} cultivating?",
            ),
        ),
        natural="What is on {who}'s allotment?",
        lure="By the gasworks the plants grow through the garden fence, it is a disgrace.",
        lead=("All this rain must be good for something.", "Still out digging every Sunday?"),
        near=("{other} gave up on {a}, the soil is wrong for it.",),
    ),
    Topic(
        key="collecting",
        kind="number",
        variants=(
            Variant(
                say="I counted my thimbles last night: {a} of them, in three cigar boxes.",
                ask="How many thimbles did {who} count?",
                mean="How large is {who}'s collection of sewing trinkets?",
            ),
            Variant(
                say="With the silver one from the fair my thimbles now come to {a}.",
                ask="To how many do {who}'s thimbles come now?",
                mean="What is the size of the collection {who} has built up?",
            ),
        ),
        natural="How many thimbles does {who} have?",
        lure="The museum built up a collection of sewing trinkets, of every size, in a large case.",
        lead=("Did you find anything nice at the fair?", "What have you got in those boxes?"),
        near=("{other} has {a} thimbles, all of them porcelain.",),
    ),
    Topic(
        key="book",
        kind="coined",
        variants=(
            Variant(
                say="I am halfway through a novel called {a} and cannot put it down.",
                ask="What is the novel called that {who} is halfway through?",
                mean="Which book is {who} reading?",
            ),
            Variant(
                say="Three chapters left of that novel {a}; the ending had better be kind.",
                ask="Of which novel has {who} three chapters left?",
                mean="What is {who} reading in bed these days?",
            ),
        ),
        natural="Which novel is {who} on at the moment?",
        lure="I should book a reading lamp for the guest bed one of these days.",
        lead=("You were on the train with your nose in something.", "Read anything good?"),
        near=("{other} lent me a novel called {a}, I gave it back unread.",),
    ),
    Topic(
        key="fear",
        kind="fear",
        variants=(
            Variant(
                say="Ever since I was six I have been terrified of {a}, it is no joke.",
                ask="What has {who} been terrified of since the age of six?",
                mean="Which phobia does {who} suffer from?",
            ),
            Variant(
                say="I was terrified, knees like jelly. It is always {a} with me.",
                ask="What had {who} terrified, with knees like jelly?",
                mean="What is {who} scared of?",
            ),
        ),
        natural="What makes {who} feel terrified?",
        lure="Geraniums suffer from any wind, and our gardener is scared to touch them.",
        lead=("Why did you leave so suddenly?", "You went quite pale back there."),
        near=("Poor {other} cannot bear {a} and has to sit down at once.",),
    ),
    Topic(
        key="painting",
        kind="coined",
        variants=(
            Variant(
                say="I called my watercolour {a}, and they hung it next to the cloakroom.",
                ask="What did {who} call the watercolour they hung next to the cloakroom?",
                mean="What is the title of the artwork {who} exhibited?",
            ),
            Variant(
                say="{a} is what I wrote under my watercolour, to everyone's confusion.",
                ask="What did {who} write under the watercolour?",
                mean="How is {who}'s picture in the exhibition titled?",
            ),
        ),
        natural="What is the title of {who}'s watercolour?",
        lure="That exhibition has one picture and three guards, titled folk all of them.",
        lead=("I heard you had something on a wall at last.", "Was the opening crowded?"),
        near=("The big oil in the hall, {a}, is by {other}.",),
    ),
    Topic(
        key="course",
        kind="subject",
        variants=(
            Variant(
                say="I signed up for an evening class in {a}, twelve weeks of it.",
                ask="For which evening class did {who} sign up?",
                mean="What is {who} studying after work?",
            ),
            Variant(
                say="Twelve weeks of {a}: the evening class is unheated, and I love every minute.",
                ask="Which unheated evening class does {who} love?",
                mean="Which subject is {who} studying?",
            ),
        ),
        natural="What is {who}'s evening class about?",
        lure="I was studying the timetable after work, a dry subject if ever there was one.",
        lead=("Why are you never free in the evening?", "What is the satchel for?"),
        near=("{other} dropped out of an evening class in {a}.",),
    ),
    Topic(
        key="chess",
        kind="money",
        variants=(
            Variant(
                say="I paid {a} crowns for that chess set and do not regret a single one.",
                ask="How many crowns did {who} pay for the chess set?",
                mean="What was the price of the board game {who} bought?",
            ),
            Variant(
                say="The chess set from the auction set me back {a} crowns, do not tell anybody.",
                ask="How many crowns did the chess set from the auction set {who} back?",
                mean="How much money did {who} spend on a game?",
            ),
        ),
        natural="How much was {who}'s chess set?",
        lure="One can spend much money at the inn, there a price is a game of its own.",
        lead=("Is that walnut on the table?", "You and your bargains."),
        near=("{other} wanted {a} crowns for a chess set with a missing bishop.",),
    ),
    Topic(
        key="choir",
        kind="coined",
        variants=(
            Variant(
                say="I sing alto in the {a} Choir, we rehearse above the fire station.",
                ask="In which choir does {who} sing alto?",
                mean="What is the name of {who}'s vocal group?",
            ),
            Variant(
                say="The {a} Choir took me in as an alto although I was hoarse that day.",
                ask="Which choir took {who} in as an alto?",
                mean="With which ensemble does {who} perform songs?",
            ),
        ),
        natural="Which choir is {who} in?",
        lure="A vocal group of starlings will perform songs on our gutter, whatever their name.",
        lead=("You have been humming all day.", "Where do you go in the evenings?"),
        near=("{other} conducts the {a} Choir, rather strictly.",),
    ),
)

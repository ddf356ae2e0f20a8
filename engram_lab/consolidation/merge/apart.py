"""English words that keep statements apart: closed classes and opposites, in tables of our own."""

from __future__ import annotations

from typing import Final

__all__ = ["CLASSES", "OPPOSITES"]


def _row(text: str) -> list[str]:
    return text.split()


# Words of one row exclude each other: a pair of statements may not differ in which of them it has.
# Words joined by / are the same.
_CLASSES: Final = """
colour: red blue green yellow black white grey/gray brown orange pink purple violet silver golden/gold beige teal turquoise maroon navy cyan magenta indigo crimson scarlet olive
side: left right
way: up/upwards/upstairs down/downwards/downstairs
compass: north/northern south/southern east/eastern west/western
daypart: morning noon/midday afternoon evening night midnight dawn dusk
season: spring summer autumn/fall winter
when: today/tonight tomorrow yesterday
turn: last/previous/past next/upcoming/following this
kin: mother/mom/mum/mama father/dad/papa sister brother son daughter aunt uncle grandmother/grandma grandfather/grandpa wife husband niece nephew cousin
sex: man/men/boy/boys/gentleman/he/him/his/male/guy/guys woman/women/girl/girls/lady/ladies/she/her/hers/female
age: baby/infant teenager/teen adult
beast: dog/dogs/puppy/puppies cat/cats/kitten/kittens horse/horses bird/birds cow/cows rabbit/rabbits monkey/monkeys lion/lions tiger/tigers fish parrot/parrots hamster/hamsters
size: big/large/huge/giant/tall small/little/tiny/short medium
drink: tea coffee water juice milk beer wine soda
meal: breakfast lunch dinner/supper
metal: gold silver bronze copper steel
post: ceo cto cfo coo
place: indoors/inside outdoors/outside
contact: email/mail phone/telephone address
medium: car/cars bike/bicycle/bikes/bicycles bus/buses train/trains plane/planes boat/boats motorcycle/motorbike
stage: staging production testing
tongue: english german french spanish italian portuguese dutch russian chinese japanese arabic korean swedish danish polish czech finnish norwegian turkish greek hindi python rust java javascript typescript golang ruby
"""  # noqa: E501 - a table reads best with one class a line

CLASSES: Final = {
    each: (name, members.split("/")[0])
    for name, _, row in (line.partition(":") for line in _CLASSES.strip().splitlines())
    for members in row.split()
    for each in members.split("/")
}
"""By word: the class, and which member of it."""

OPPOSITES: Final = tuple(
    (frozenset(left.split("/")), frozenset(right.split("/")))
    for left, _, right in (
        pair.partition(":")
        for pair in _row(
            "open/opened:close/closed/shut "
            "increase/grow/rise/gain/raise:decrease/shrink/fall/drop/lower/lose/reduce/cut "
            "start/begin/launch/commence:stop/end/finish/quit/cease/halt "
            "like/love/enjoy/adore/prefer/favourite:dislike/hate/loathe/detest/despise/avoid "
            "before:after "
            "accept/approve/agree/confirm/allow/permit:"
            "reject/decline/refuse/disapprove/disagree/deny/forbid/prohibit/block "
            "buy/purchase/bought:sell/sold "
            "win/won:lose/lost pass/passed:fail/failed succeed:fail "
            "arrive/enter/come/join/came:leave/exit/depart/left/go/resign/quit "
            "hire/employ:fire/dismiss/sack more:less/fewer early/earlier:late/later "
            "hot/warm:cold/cool maximum/max/most:minimum/min/least "
            "enable/activate:disable/deactivate "
            "add/insert/include/put/attach:remove/delete/drop/exclude/take/detach "
            "lend/lent:borrow teach/taught:learn sit/sat:stand/stood/run/walk full:empty wet:dry "
            "asleep/sleep:awake/wake alive/live:dead/die/died true:false import:export "
            "upgrade:downgrade public:private above/over:below/under/beneath lock:unlock "
            "remember:forget/forgot push:pull give/gave/send/sent:receive/get/got/take/took "
            "internal:external fast/quick:slow cheap:expensive/costly strong:weak rich:poor "
            "old/elderly/older:young/new/younger/newer happy:sad/unhappy easy:difficult/hard "
            "safe:dangerous/unsafe clean:dirty light/day:dark/heavy/night high/higher:low/lower "
            "long/longer:short/shorter thick:thin wide:narrow deep:shallow loud:quiet/silent "
            "success:failure married:divorced/single present:absent/missing online:offline "
            "active:inactive positive:negative same:different connect:disconnect "
            "install:uninstall encrypt:decrypt subscribe:unsubscribe load:unload pack:unpack "
            "build/create/make:destroy/break deposit:withdraw front:back/behind top:bottom "
            "inside:outside guest:host buyer:seller parent:child teacher:student/pupil "
            "doctor:patient employer:employee landlord:tenant winner:loser question:answer "
            "minor:major male:female input:output client:server vegetarian/vegan:meat "
            "talk/speak/shout:silent/listen climb:descend stand:lie/lay swim:sink float:sink "
            "wear/wearing:remove throw:catch sharp:blunt curly:straight calm:angry near/close:far "
            "on/onto:off in/into:out to/toward/towards:from up:down "
            "finished/complete/completed/done:pending/unfinished/incomplete/open"
        )
    )
)
"""What a statement may not turn into."""

"""English words that say the same, words of little weight, and verbs that turn a sentence round.

Tables of our own: a word that is missing costs a merge, not a memory.
"""

from __future__ import annotations

from typing import Final

__all__ = ["CONVERSES", "LIGHT", "PHRASES", "SAME"]


def _row(text: str) -> list[str]:
    return text.split()


def _rows(table: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(row.split()) for row in table.strip().splitlines())


# Words of one row are taken for the same: by stem, and only where no table above forbids it.
SAME: Final = _rows(
    """
    live reside residence home dwell lives inhabit based settled
    work works job employed employs employ employer employee working employment
    cost costs price priced pay pays paid fee spend spends spent amount amounts
    due deadline
    lead leads leader leading led head heads headed manage manages manager managed run runs
    like likes love loves enjoy enjoys fond favourite favorite
    like prefer prefers preferred preference adore adores best fan keen
    own owns owner owned has have had possess possesses belong belongs belonging
    buy buys bought purchase purchases purchased
    begin begins began begun start starts started commence commences kick kicked launch launched
    end ends ended finish finishes finished complete completes completed conclude concluded
    meet meets met meeting meetings appointment
    move moves moved relocate relocates relocated relocation
    call calls called phone phones phoned ring rang telephone named name names
    choose chooses chose chosen pick picks picked select
    choose selects selected decide decides decided decision opt opted settled
    use uses used using utilise utilises utilize utilizes via rely relies
    get gets got obtain obtains obtained receive receives received gain acquire acquired
    make makes made create creates created build builds built produce produces produced
    say says said tell tells told state states
    say stated mention mentions mentioned report reports reported explain explained
    study studies studied learn learns learned learnt learning
    speak speaks spoke talk talks talked chat chats
    walk walks walking stroll strolls
    fix fixes fixed repair repairs repaired resolve resolves resolved
    bug issue defect problem fault
    big large huge
    small little tiny
    kid kids child children youngster
    man men guy guys gentleman
    woman women lady ladies
    person people someone somebody individual human
    father dad
    mother mom mum
    bike bicycle bikes bicycles
    photo photograph picture image snapshot
    film movie
    car automobile auto vehicle drive drives drove
    doctor physician
    street road
    rock stone rocks stones
    sea ocean
    forest woods wood wooded
    beach sand sandy seashore shore
    quick quickly fast rapidly swiftly
    jump jumps jumping leap leaps leaping hop
    run runs running jog jogs jogging
    cook cooks cooking prepare prepares preparing fry fries frying
    cut cuts cutting slice slices slicing chop chops chopping
    throw throws throwing toss tosses hurl
    phone telephone mobile cell
    email e-mail mail
    birthday born birth birthdate
    weekly week
    team group squad
    allergic allergy allergies
    married marry marries marriage wed spouse
    capital headquarters headquartered hq
    visit visits visited trip travel travels travelled traveled went goes go going
    plan plans planned scheduled schedule set arranged
    city town
    couch sofa
    flat apartment
    holiday vacation
    annual yearly
    approve approves approved approval sign signed
    database db
    application app
    configuration config setting settings set configured
    version release released
    teacher teaches teach taught
    author wrote write writes written writer
    situated located location lies sits stands
    age aged old
    weigh weighs weight
    height tall
    colour color
    programme program
    centre center
    okay ok fine
    mate friend friends buddy pal
    rent rents rented rental
    assist assists assisted help helps helped aid
    earn earns earned salary wage wages
    adopt adopts adopted
    train trains trained training practise practice practises practices
    repair mend
    smile smiles smiling grin
    song tune
    gift present
    begin onset
    close shut
    near beside next close by
    throughout across
    need needs needed require requires required requirement
    """
)

PHRASES: Final = {
    told: meant.strip()
    for told, _, meant in (
        (row.strip() + " ").partition(": ")
        for row in """
        don't forget that:
        do not forget that:
        don't forget:
        never forget that:
        just so you know:
        for the record:
        as far as i know:
        it turns out that:
        it turns out:
        turns out:
        note to self:
        note that:
        remember that:
        by the way:
        in case you wondered:
        in case it matters:
        good to know:
        worth knowing:
        i think:
        i heard that:
        i learned that:
        we learned that:
        has to: must
        have to: must
        needs to: must
        is allowed to: may
        are allowed to: may
        is permitted to: may
        are permitted to: may
        has permission to: may
        have permission to: may
        in charge of: leading
        responsible for: leading
        backed up: backup
        back up: backup
        backs up: backup
        came out: released
        comes out: releases
        kicked off: started
        kicks off: starts
        kick off: start
        called off: cancelled
        put off: postponed
        pushed back: postponed
        used to be: formerly was
        used to live: formerly lived
        used to work: formerly worked
        used to have: formerly had
        used to like: formerly liked
        used to play: formerly played
        used to own: formerly owned
        used to lead: formerly led
        no longer: not anymore
        any more: anymore
        going to: will
        spare time: hobby
        free time: hobby
        e-mail: email
        email address: email
        e-mail address: email
        telephone number: phone number
        mobile number: phone number
        each day: daily
        each night: daily
        every night: daily
        once a day: daily
        once a week: weekly
        once a month: monthly
        once a year: yearly
        as well as: and
        instead of: not
        rather than: not
        a couple of: two
        a pair of: two
        a dozen: twelve
        half past: half-past
        turned down: rejected
        turns down: rejects
        gave up: quit
        got rid of: removed
        get rid of: remove
        set up: created
        carried out: performed
        looked after: cared
        native language: mother-tongue
        first language: mother-tongue
        comes from: hails
        came from: hails
        grew up: raised
        earns a living: works
        earn a living: work
        """.strip().splitlines()
    )
}
"""Words that mean something else together."""

# Verbs whose subject and object change places when one takes the place of the other.
CONVERSES: Final = _rows(
    """
    employ work
    employs works
    manages reports
    lent borrowed
    lends borrows
    sold bought
    sells buys
    gave received
    gave got
    teaches learns
    taught learned
    owns belongs
    parent child
    leads led
    hired joined
    precedes follows
    """
)

LIGHT: Final = frozenset(
    _row(
        "group some person people thing things way kind sort type piece bit lot number "
        "certain various slowly quickly happily gracefully carefully skillfully fiercely "
        "recklessly quietly loudly currently actually basically generally simply usually "
        "regularly new own whole very really approximately several many always officially "
        "personally total every time person named called located situated set made make take "
        "taking taken going used using standing being having holding wearing doing body area"
    )
)
"""Words that name nothing: neither a subject nor what is said of it."""

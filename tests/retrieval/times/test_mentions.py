from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engram_lab.retrieval.times import Interval, mentions

WEDNESDAY = datetime(2023, 6, 14, 12, tzinfo=UTC)

# phrase | first day | day after the last | grain, as seen from Wednesday, the 14th of June 2023
PHRASES = """
7 May 2023                              | 2023-05-07 | 2023-05-08 | day
7 May, 2023                             | 2023-05-07 | 2023-05-08 | day
7th May 2023                            | 2023-05-07 | 2023-05-08 | day
the 7th of May, 2023                    | 2023-05-07 | 2023-05-08 | day
May 7, 2023                             | 2023-05-07 | 2023-05-08 | day
May 7th 2023                            | 2023-05-07 | 2023-05-08 | day
December 1,2023                         | 2023-12-01 | 2023-12-02 | day
on Sept. 5, 2022                        | 2022-09-05 | 2022-09-06 | day
5 Oct 2022                              | 2022-10-05 | 2022-10-06 | day
29 February 2024                        | 2024-02-29 | 2024-03-01 | day
May 7                                   | 2023-05-07 | 2023-05-08 | day
the 7th of May                          | 2023-05-07 | 2023-05-08 | day
1 January                               | 2023-01-01 | 2023-01-02 | day
December 20                             | 2022-12-20 | 2022-12-21 | day
December 10                             | 2023-12-10 | 2023-12-11 | day
on the 7th                              | 2023-06-07 | 2023-06-08 | day
on the 14th, I left                     | 2023-06-14 | 2023-06-15 | day
on the 15th after my trip               | 2023-05-15 | 2023-05-16 | day
on the 31st                             | 2023-05-31 | 2023-06-01 | day
May 7-9, 2023                           | 2023-05-07 | 2023-05-10 | day
May 7 -9                                | 2023-05-07 | 2023-05-10 | day
2023-05-07                              | 2023-05-07 | 2023-05-08 | day
2023-05-07T10:15:00Z                    | 2023-05-07 | 2023-05-08 | day
2023/05/07                              | 2023-05-07 | 2023-05-08 | day
2023-05                                 | 2023-05-01 | 2023-06-01 | month
5/7/2023                                | 2023-05-07 | 2023-05-08 | day
13/7/2023                               | 2023-07-13 | 2023-07-14 | day
5/7/23                                  | 2023-05-07 | 2023-05-08 | day
5/7/84                                  | 1984-05-07 | 1984-05-08 | day
07.05.2023                              | 2023-05-07 | 2023-05-08 | day
in May                                  | 2023-05-01 | 2023-06-01 | month
in may                                  | 2023-05-01 | 2023-06-01 | month
in January                              | 2023-01-01 | 2023-02-01 | month
in October                              | 2023-10-01 | 2023-11-01 | month
in November                             | 2023-11-01 | 2023-12-01 | month
February 2024                           | 2024-02-01 | 2024-03-01 | month
May of 2021                             | 2021-05-01 | 2021-06-01 | month
June '21                                | 2021-06-01 | 2021-07-01 | month
the month of May                        | 2023-05-01 | 2023-06-01 | month
last May                                | 2023-05-01 | 2023-06-01 | month
last June                               | 2022-06-01 | 2022-07-01 | month
next May                                | 2024-05-01 | 2024-06-01 | month
this September                          | 2023-09-01 | 2023-10-01 | month
half a year ago                         | 2022-12-01 | 2023-01-01 | month
the first of May                        | 2023-05-01 | 2023-05-02 | day
the fourth of July 2022                 | 2022-07-04 | 2022-07-05 | day
Friday, May 5, 2023                     | 2023-05-05 | 2023-05-06 | day
Friday the 5th of May                   | 2023-05-05 | 2023-05-06 | day
Friday of last week                     | 2023-06-09 | 2023-06-10 | day
the week before last                    | 2023-05-29 | 2023-06-05 | week
the year before last                    | 2021-01-01 | 2022-01-01 | year
the past week                           | 2023-06-07 | 2023-06-15 | week
the last year                           | 2022-06-14 | 2023-06-15 | year
fifteen years ago                       | 2008-01-01 | 2009-01-01 | year
the 90s                                 | 1990-01-01 | 2000-01-01 | decade
last Thanksgiving                       | 2022-11-24 | 2022-11-25 | day
on Memorial Day                         | 2023-05-29 | 2023-05-30 | day
over Christmas                          | 2022-12-25 | 2022-12-26 | day
the 2022 season                         | 2022-01-01 | 2023-01-01 | year
June 24, 1838                           | 1838-06-24 | 1838-06-25 | day
2009-2014                               | 2009-01-01 | 2015-01-01 | year
in 2022                                 | 2022-01-01 | 2023-01-01 | year
since 2016                              | 2016-01-01 | 2017-01-01 | year
the 1990s                               | 1990-01-01 | 2000-01-01 | decade
the summer of 2022                      | 2022-06-01 | 2022-09-01 | season
winter 2022                             | 2022-12-01 | 2023-03-01 | season
last summer                             | 2022-06-01 | 2022-09-01 | season
next summer                             | 2024-06-01 | 2024-09-01 | season
this fall                               | 2023-09-01 | 2023-12-01 | season
last winter                             | 2022-12-01 | 2023-03-01 | season
during the spring                       | 2023-03-01 | 2023-06-01 | season
Christmas 2022                          | 2022-12-25 | 2022-12-26 | day
last Christmas                          | 2022-12-25 | 2022-12-26 | day
on New Year's Eve                       | 2022-12-31 | 2023-01-01 | day
next Halloween                          | 2023-10-31 | 2023-11-01 | day
today                                   | 2023-06-14 | 2023-06-15 | day
tonight                                 | 2023-06-14 | 2023-06-15 | day
this morning                            | 2023-06-14 | 2023-06-15 | day
yesterday                               | 2023-06-13 | 2023-06-14 | day
yesterday evening                       | 2023-06-13 | 2023-06-14 | day
last night                              | 2023-06-13 | 2023-06-14 | day
tomorrow                                | 2023-06-15 | 2023-06-16 | day
the day before yesterday                | 2023-06-12 | 2023-06-13 | day
the day after tomorrow                  | 2023-06-16 | 2023-06-17 | day
the other day                           | 2023-06-09 | 2023-06-13 | day
last Friday                             | 2023-06-09 | 2023-06-10 | day
last fri                                | 2023-06-09 | 2023-06-10 | day
last Wednesday                          | 2023-06-07 | 2023-06-08 | day
this past Monday                        | 2023-06-12 | 2023-06-13 | day
this Friday                             | 2023-06-16 | 2023-06-17 | day
next Friday                             | 2023-06-16 | 2023-06-17 | day
next Wednesday                          | 2023-06-21 | 2023-06-22 | day
next Tuesday morning                    | 2023-06-20 | 2023-06-21 | day
on Sunday                               | 2023-06-11 | 2023-06-12 | day
Wednesday                               | 2023-06-14 | 2023-06-15 | day
last week                               | 2023-06-05 | 2023-06-12 | week
this week                               | 2023-06-12 | 2023-06-19 | week
next week                               | 2023-06-19 | 2023-06-26 | week
last weekend                            | 2023-06-10 | 2023-06-12 | day
this weekend                            | 2023-06-17 | 2023-06-19 | day
next weekend                            | 2023-06-24 | 2023-06-26 | day
over the weekend                        | 2023-06-10 | 2023-06-12 | day
last month                              | 2023-05-01 | 2023-06-01 | month
this month                              | 2023-06-01 | 2023-07-01 | month
next month                              | 2023-07-01 | 2023-08-01 | month
last year                               | 2022-01-01 | 2023-01-01 | year
next year                               | 2024-01-01 | 2025-01-01 | year
last decade                             | 2010-01-01 | 2020-01-01 | decade
two days ago                            | 2023-06-12 | 2023-06-13 | day
3 weeks ago                             | 2023-05-22 | 2023-05-29 | week
a month ago                             | 2023-05-01 | 2023-06-01 | month
four years ago                          | 2019-01-01 | 2020-01-01 | year
two weekends ago                        | 2023-06-03 | 2023-06-05 | day
a fortnight ago                         | 2023-05-29 | 2023-06-05 | week
an hour ago                             | 2023-06-14 | 2023-06-15 | day
a few days ago                          | 2023-06-09 | 2023-06-13 | day
a couple of weeks ago                   | 2023-05-29 | 2023-06-05 | week
a few years back                        | 2018-01-01 | 2022-01-01 | year
several months ago                      | 2022-11-01 | 2023-04-01 | month
for two years now                       | 2021-01-01 | 2022-01-01 | year
in two weeks                            | 2023-06-26 | 2023-07-03 | week
three days from now                     | 2023-06-17 | 2023-06-18 | day
the last two days                       | 2023-06-12 | 2023-06-15 | day
the past few months                     | 2023-01-14 | 2023-06-15 | month
the next two weeks                      | 2023-06-14 | 2023-06-29 | week
the week before 9 June 2023             | 2023-06-02 | 2023-06-09 | week
the week after 9 June 2023              | 2023-06-10 | 2023-06-17 | week
the day before 1 March 2024             | 2024-02-29 | 2024-03-01 | day
the month before May 2023               | 2023-04-01 | 2023-05-01 | month
two weeks before August 11, 2023        | 2023-07-28 | 2023-07-29 | week
three days after August 11, 2023        | 2023-08-14 | 2023-08-15 | day
two months before May 2023              | 2023-03-01 | 2023-04-01 | month
the Monday before July 24, 2023         | 2023-07-17 | 2023-07-18 | day
the Friday after July 24, 2023          | 2023-07-28 | 2023-07-29 | day
last weekend before April 10, 2023      | 2023-04-08 | 2023-04-10 | day
the weekend after April 8, 2023         | 2023-04-15 | 2023-04-17 | day
the week prior to 9 June 2023           | 2023-06-02 | 2023-06-09 | week
the week of May 10, 2023                | 2023-05-08 | 2023-05-15 | week
the weekend of 10 May 2023              | 2023-05-13 | 2023-05-15 | day
the first week of November 2023         | 2023-11-01 | 2023-11-08 | week
the second week of November 2023        | 2023-11-08 | 2023-11-15 | week
the last week of February 2024          | 2024-02-23 | 2024-03-01 | week
the first weekend of October 2023       | 2023-10-07 | 2023-10-09 | day
the last Friday of May                  | 2023-05-26 | 2023-05-27 | day
the third Monday in January 2023        | 2023-01-16 | 2023-01-17 | day
the first day of last month             | 2023-05-01 | 2023-05-02 | day
early June                              | 2023-06-01 | 2023-06-11 | week
mid-June 2022                           | 2022-06-11 | 2022-06-21 | week
late June                               | 2023-06-21 | 2023-07-01 | week
the beginning of January 2023           | 2023-01-01 | 2023-01-11 | week
the end of January 2023                 | 2023-01-22 | 2023-02-01 | week
early last month                        | 2023-05-01 | 2023-05-11 | week
from July to September 2023             | 2023-07-01 | 2023-10-01 | month
between August 11 and August 15 2023    | 2023-08-11 | 2023-08-16 | day
from November to February 2023          | 2022-11-01 | 2023-03-01 | month
between 2019 and 2021                   | 2019-01-01 | 2022-01-01 | year
"""

ROWS = [tuple(cell.strip() for cell in line.split("|")) for line in PHRASES.strip().splitlines()]

WITHOUT_TIME = """
You may march in if you like.
I may 5 times out of ten agree.
She said that may be wrong.
The soldiers march for hours in the sun.
We saw the sun rise, and a second later it rained.
It took me a second, wait a minute.
I sat by the lake and he sat too.
They wed in a small church.
Spring rolls are my favourite, and I fall in love with them.
Do not fall off the bike, spring into action.
An august gathering of friends.
April told June about her plans.
My friend August is a painter.
Have a great day, and a good night!
I take it one day at a time.
These days I feel fine.
I have two dogs and 3 cats on 9 chairs.
We walked 2000 steps and paid $1995.
In 2000 words, tell me more.
My bike is a 1968 model, and the game is called Cyberpunk 2077.
The score was 5/7, and the ratio 3-2.
Version 1.2.30 is out, the address is 192.168.1.1.
Call me at 555-12-34.
On the 2nd floor, the 3rd door.
I recently moved, and soon I will tell you more.
What is next? Next time, for the last time.
The man next to me was the last one.
Back in the day we had fun.
He is a 10 year old boy.
Ginger snaps a day keep the doctor away.
Three times a week I run.
It lasts two weeks.
I lost my way before the week was over.
A decade is a long while.
The present moment matters.
A photo of a Christmas tree.
Black Friday sales are loud.
We mar the table, and dec the halls, said Jan.
Marching on, Mayor Summers, Mondayish.
Rome was not built in a day.
The gene oct4 is active.
It will last a few weeks.
The end of the road, an early bird, a late arrival, mid-size cars.
Her past is her own; the coming storm.
He is first of all a friend, and the last day was hard.
1st place, 2nd place.
""".strip().splitlines()


def days_of(interval: Interval) -> tuple[str, str, str]:
    return f"{interval.start:%Y-%m-%d}", f"{interval.end:%Y-%m-%d}", interval.grain


@pytest.mark.parametrize(("phrase", "start", "end", "grain"), ROWS, ids=lambda cell: cell)
def test_a_phrase_is_the_interval_that_it_means(
    phrase: str, start: str, end: str, grain: str
) -> None:
    (found,) = mentions(phrase, anchor=WEDNESDAY)
    assert days_of(found) == (start, end, grain)
    assert found.start.tzinfo is UTC


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_phrase_is_found_inside_a_sentence_of_any_case(row: tuple[str, ...]) -> None:
    phrase, *meant = row
    text = f"Well, we met them {phrase}; what fun!"
    (found,) = mentions(text, anchor=WEDNESDAY)
    assert days_of(found) == tuple(meant)
    begin, stop = found.span
    assert text[begin:stop] in phrase


@pytest.mark.parametrize("sentence", WITHOUT_TIME)
def test_a_sentence_without_a_time_mentions_none(sentence: str) -> None:
    assert mentions(sentence, anchor=WEDNESDAY) == ()
    assert mentions(sentence.lower(), anchor=WEDNESDAY) == ()


def test_several_mentions_stand_in_the_order_of_the_text() -> None:
    text = "Last week, as said on November 6, 2023, she had left in 2021."
    found = mentions(text, anchor=WEDNESDAY)
    assert [text[slice(*each.span)] for each in found] == ["Last week", "November 6, 2023", "2021"]


def test_only_a_time_with_its_year_is_known_without_an_anchor() -> None:
    text = "yesterday, in May, on the 7th, the week before last May, in 2022, and on 7 May 2023"
    assert [days_of(each)[0] for each in mentions(text, anchor=None)] == [
        "2022-01-01",
        "2023-05-07",
    ]


@pytest.mark.parametrize(
    ("phrase", "yearly"),
    [
        ("in May", True),
        ("May 7", True),
        ("first week of June", True),
        ("early May", True),
        ("May 2023", False),
        ("last May", False),
        ("yesterday", False),
    ],
)
def test_a_time_without_its_year_says_so(phrase: str, *, yearly: bool) -> None:
    assert mentions(phrase, anchor=WEDNESDAY)[0].yearly is yearly


def test_today_is_the_day_of_the_anchor_in_utc() -> None:
    late = datetime(2023, 6, 14, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
    assert days_of(mentions("today", anchor=late)[0])[0] == "2023-06-15"
    naive = datetime(2023, 6, 14, 23, 30)  # noqa: DTZ001
    assert days_of(mentions("today", anchor=naive)[0])[0] == "2023-06-14"


@pytest.mark.parametrize(
    "anchor", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
)
@pytest.mark.parametrize("phrase", ["yesterday", "tomorrow", "last year", "next decade", "in May"])
def test_what_lies_outside_the_calendar_is_no_mention(anchor: datetime, phrase: str) -> None:
    assert all(each.start < each.end for each in mentions(phrase, anchor=anchor))


def test_typographic_dashes_and_apostrophes_are_read() -> None:
    assert mentions("May 7\u20139", anchor=WEDNESDAY)[0].end.day == 10
    assert mentions("on New Year\u2019s Eve", anchor=WEDNESDAY)[0].start.day == 31


def test_a_day_that_the_month_lacks_is_none() -> None:
    assert mentions("on 2023-02-30", anchor=WEDNESDAY) == ()
    assert days_of(mentions("31 April 2023", anchor=WEDNESDAY)[0])[2] == "month"


ANCHORS = st.datetimes(datetime(1600, 1, 1), datetime(3000, 1, 1))  # noqa: DTZ001
WORDS = st.sampled_from(
    sorted({word for row in ROWS for word in row[0].replace(",", " ,").split()} | {"and", "x", "-"})
)
TEXTS = st.lists(WORDS, max_size=12).map(" ".join)


@given(text=st.text() | TEXTS, anchor=st.none() | st.datetimes())
@example(text="the week before " * 50, anchor=datetime(2023, 1, 1))  # noqa: DTZ001
@example(text="٣ days ago, ² weeks ago, 99999999999 years ago", anchor=datetime(2023, 1, 1))  # noqa: DTZ001
def test_any_text_has_mentions_inside_it_in_order(text: str, anchor: datetime | None) -> None:
    found = mentions(text, anchor=anchor)
    edges = [edge for each in found for edge in each.span]
    assert edges == sorted(edges)
    assert all(0 <= begin < stop <= len(text) for begin, stop in (each.span for each in found))
    assert all(each.start < each.end for each in found)
    assert found == mentions(text, anchor=anchor)


RELATIVE = [
    row[0] for row in ROWS if not any(letter.isdigit() for letter in row[0]) or " ago" in row[0]
]


@given(phrase=st.sampled_from(RELATIVE), anchor=ANCHORS)
@example(phrase="last winter", anchor=datetime(2000, 1, 1))  # noqa: DTZ001
def test_what_names_no_year_moves_with_the_anchor_by_whole_cycles(
    phrase: str, anchor: datetime
) -> None:
    cycle = timedelta(days=146_097)  # 400 years, which are whole weeks
    here, there = mentions(phrase, anchor=anchor), mentions(phrase, anchor=anchor + cycle)
    assert [(each.start + cycle, each.end + cycle) for each in here] == [
        (each.start, each.end) for each in there
    ]


WEEKLY = [
    row[0]
    for row in ROWS
    if row[0] in RELATIVE
    and any(
        row[0].endswith(f"{unit}{end}")
        for unit in ("day", "week", "weekend")
        for end in ("", "s", " ago")
    )
    and "Christmas" not in row[0]
]


@given(phrase=st.sampled_from(WEEKLY), anchor=ANCHORS, weeks=st.integers(-500, 500))
def test_days_and_weeks_move_with_the_anchor_by_weeks(
    phrase: str, anchor: datetime, weeks: int
) -> None:
    shift = timedelta(weeks=weeks)
    (here,), (there,) = mentions(phrase, anchor=anchor), mentions(phrase, anchor=anchor + shift)
    assert (here.start + shift, here.end + shift) == (there.start, there.end)


@given(
    phrase=st.sampled_from(["last month", "next month", "last year", "two years ago", "in May"]),
    day=st.dates(date(1600, 1, 1), date(3000, 1, 1)),
    years=st.integers(-90, 90),
)
def test_months_and_years_move_with_the_anchor_by_years(phrase: str, day: date, years: int) -> None:
    here = datetime(day.year, day.month, min(day.day, 28))  # noqa: DTZ001
    (first,) = mentions(phrase, anchor=here)
    (second,) = mentions(phrase, anchor=here.replace(year=here.year + years))
    assert first.start.replace(year=first.start.year + years) == second.start
    assert first.end.replace(year=first.end.year + years) == second.end


@pytest.mark.parametrize(
    "piece", ["the week before ", "early ", "in a few ", "May 7 ", "2023-", "9"]
)
def test_a_long_text_takes_linear_time(piece: str) -> None:
    def seconds(times: int) -> float:
        started = time.process_time()  # what else the machine does is no matter
        mentions(piece * times, anchor=WEDNESDAY)
        return time.process_time() - started

    least = min(seconds(2_000) for _ in range(3))
    assert min(seconds(8_000) for _ in range(3)) < 16 * max(least, 1e-3)  # quadratic would be more

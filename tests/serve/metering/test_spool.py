from __future__ import annotations

import errno
import fcntl
import os
import resource
import signal
import subprocess
import sys
import textwrap
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError, StoreClosedError
from engram_lab.serve.metering.spool import Spool

if TYPE_CHECKING:
    from pathlib import Path


def taken(spool: Spool, *, limit: int = 500) -> list[bytes]:
    lines: list[bytes] = []
    for batch in spool.batches(limit):
        lines += batch.lines
        spool.done(batch)
    return lines


def child(folder: Path, body: str) -> subprocess.Popen[str]:
    """Start a process that writes to the spool `s`, and says so line by line."""
    program = f"""
import os, signal, sys, time
from pathlib import Path
from engram_lab.serve.metering.spool import Spool
s = Spool(Path({str(folder)!r}), "usage")
""" + textwrap.dedent(body)
    return subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def ended(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=20)


def test_lines_come_back_in_order_once(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "usage")
    spool.append([b"a", b"b"])
    spool.append([b""])
    spool.append([])
    assert taken(spool, limit=2) == [b"a", b"b", b""]
    assert taken(spool) == []
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_done_comes_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "usage")
    spool.append([b"a", b"b", b"c"])
    first, second = spool.batches(2)
    assert (first.lines, second.lines, first.inherited) == ((b"a", b"b"), (b"c",), False)
    spool.done(second)  # out of order: the former lines are not done
    assert [batch.lines for batch in spool.batches(5)] == [(b"a", b"b", b"c")]
    spool.done(first)
    assert [batch.lines for batch in spool.batches(5)] == [(b"c",)]
    spool.done(first)  # a second time changes nothing
    assert taken(spool) == [b"c"]
    spool.close()


def test_a_line_appended_while_batches_are_read_is_in_the_next(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "usage")
    spool.append([b"a"])
    seen: list[bytes] = []
    for batch in spool.batches():
        spool.append([b"b"])
        seen += batch.lines
        spool.done(batch)
    assert seen == [b"a"]
    assert taken(spool) == [b"b"]
    spool.close()


def test_a_segment_that_is_full_is_followed_by_another(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "usage", segment_bytes=10)
    for number in range(100):
        spool.append([b"%03d" % number])
    assert len(list(tmp_path.glob("*.lines"))) == 34
    assert taken(spool) == [b"%03d" % number for number in range(100)]
    spool.close()


@pytest.mark.parametrize("name", ["", "a-b", "../usage", "Usage", "a" * 41, "a\n"])
def test_a_name_that_could_be_a_path_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInputError):
        Spool(tmp_path, name)


def test_a_line_end_within_a_line_is_refused(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "usage")
    with pytest.raises(InvalidInputError):
        spool.append([b"a\nb"])
    assert taken(spool) == []
    spool.close()


def test_a_closed_spool_leaves_its_lines_to_the_next(tmp_path: Path) -> None:
    first = Spool(tmp_path, "usage")
    first.append([b"a"])
    first.close()
    first.close()
    assert taken(first) == []
    with pytest.raises(StoreClosedError):
        first.append([b"b"])
    second = Spool(tmp_path, "usage")
    assert taken(second) == [b"a"]
    second.close()
    assert list(tmp_path.iterdir()) == []


def test_spools_of_other_names_in_one_folder_leave_each_other_alone(tmp_path: Path) -> None:
    usage, audit = Spool(tmp_path, "usage"), Spool(tmp_path, "audit")
    usage.append([b"u"])
    audit.append([b"a"])
    usage.close()
    assert taken(audit) == [b"a"]
    assert len(list(tmp_path.glob("usage-*.lines"))) == 1
    audit.close()


def test_what_a_killed_process_wrote_is_handed_on(tmp_path: Path) -> None:
    dying = child(
        tmp_path,
        """
        number = 0
        while True:
            s.append([b"%d" % number])
            print(number, flush=True)
            number += 1
        """,
    )
    while int(said(dying)) < 500:
        pass
    dying.kill()
    assert dying.wait(timeout=20) == -signal.SIGKILL
    assert dying.stdout is not None
    acknowledged = [int(line) for line in dying.stdout.read().split()]
    dying.stdout.close()
    assert dying.stdin is not None
    dying.stdin.close()
    heir = Spool(tmp_path, "usage")
    lines = [int(line) for line in taken(heir)]
    assert lines == list(range(len(lines)))
    assert len(lines) > max([500, *acknowledged])
    heir.close()
    assert list(tmp_path.iterdir()) == []


def test_what_a_living_process_writes_is_not_taken(tmp_path: Path) -> None:
    living = child(
        tmp_path,
        """
        s.append([b"a"])
        list(s.batches())  # sealed, and not done: still its own
        s.append([b"b"])
        print("ready", flush=True)
        sys.stdin.readline()
        """,
    )
    assert said(living) == "ready"
    other = Spool(tmp_path, "usage")
    assert taken(other) == []
    ended(living)
    batches = list(other.batches())
    assert [(batch.lines, batch.inherited) for batch in batches] == [
        ((b"a",), True),
        ((b"b",), True),
    ]
    other.close()


def test_two_heirs_never_take_the_same(tmp_path: Path) -> None:
    first = Spool(tmp_path, "usage")
    first.append([b"a"])
    first.close()
    one, two = Spool(tmp_path, "usage"), Spool(tmp_path, "usage")
    mine = list(one.batches())
    assert len(mine) == 1
    assert list(two.batches()) == []
    one.close()  # not done: the other may have it
    assert taken(two) == [b"a"]
    two.close()


def test_half_a_line_of_the_dead_is_skipped_and_counted(tmp_path: Path) -> None:
    first = Spool(tmp_path, "usage")
    first.append([b"a", b"b"])
    first.close()
    (segment,) = tmp_path.glob("*.lines")
    segment.write_bytes(b"a\nb\nhalf a li")
    second = Spool(tmp_path, "usage")
    assert taken(second, limit=1) == [b"a", b"b"]
    assert second.torn == 1
    second.close()
    assert list(tmp_path.iterdir()) == []


def test_a_segment_of_nothing_but_half_a_line_goes(tmp_path: Path) -> None:
    (tmp_path / f"usage-{'0' * 24}-00000001.lines").write_bytes(b"half")
    spool = Spool(tmp_path, "usage")
    assert taken(spool) == []
    assert spool.torn == 1
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_files_of_others_stay(tmp_path: Path) -> None:
    (tmp_path / "usage-notes.txt").write_text("mine")
    (tmp_path / "usage-xyz-00000001.lines").write_text("mine\n")
    spool = Spool(tmp_path, "usage")
    assert taken(spool) == []
    spool.close()
    assert len(list(tmp_path.iterdir())) == 2


def test_a_full_disk_refuses_one_line_and_keeps_the_others(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "usage")
    spool.append([b"a" * 1000])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    former = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        # Files may grow to 1,500 bytes: the next line fits by half, as on a disk that runs full.
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_500, hard))
        for _ in range(3):
            with pytest.raises(OSError, match="no room"):
                spool.append([b"b" * 1000])
        spool.append([b"c" * 100])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, former)
    spool.append([b"d"])
    assert taken(spool) == [b"a" * 1000, b"c" * 100, b"d"]
    assert spool.torn == 0
    spool.close()


def test_a_folder_that_cannot_be_made_is_an_error_each_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    spool = Spool(tmp_path / "file" / "spool", "usage")
    for _ in range(2):
        with pytest.raises(OSError, match=os.strerror(errno.ENOTDIR)):
            spool.append([b"a"])
    (tmp_path / "file").unlink()
    spool.append([b"b"])
    assert taken(spool) == [b"b"]
    spool.close()


def test_a_segment_that_somebody_removed_blocks_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "usage")
    spool.append([b"a"])
    list(spool.batches())
    min(tmp_path.glob("*.lines")).unlink()
    spool.append([b"b"])
    assert taken(spool) == [b"b"]
    spool.close()


def test_a_forked_child_writes_for_itself_alone(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "usage")
    spool.append([b"parent"])
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:  # the child, which must not return into the test
        try:
            os.read(reader, 1)
            spool.append([b"child"])
        finally:
            os._exit(0)
    assert taken(spool) == [b"parent"]  # and with it goes the segment that the child had open
    os.write(writer, b".")
    os.close(writer)
    os.close(reader)
    assert os.waitpid(pid, 0)[1] == 0
    assert taken(spool) == [b"child"]
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_somebody_removed_before_it_was_held_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = fcntl.flock

    def overtaken(held: int, how: int) -> None:
        # Another process took the new file for that of a dead one, and cleared it away.
        monkeypatch.setattr(fcntl, "flock", flock)
        next(tmp_path.glob("*.lock")).unlink()
        flock(held, how)

    monkeypatch.setattr(fcntl, "flock", overtaken)
    spool = Spool(tmp_path, "usage")
    spool.append([b"a"])
    other = Spool(tmp_path, "usage")
    assert taken(other) == []
    assert taken(spool) == [b"a"]
    spool.close()
    other.close()


def test_many_threads_append_while_one_takes(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "usage", segment_bytes=500)

    def write(name: int) -> None:
        for number in range(1_000):
            spool.append([b"%d-%d" % (name, number)])

    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    lines: list[bytes] = []
    while any(thread.is_alive() for thread in threads):
        lines += taken(spool, limit=7)
    lines += taken(spool)
    for thread in threads:
        thread.join()
    assert len(lines) == 4_000
    for name in range(4):
        mine = [line for line in lines if line.startswith(b"%d-" % name)]
        assert mine == [b"%d-%d" % (name, n) for n in range(1_000)]
    spool.close()


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(
        st.one_of(
            st.lists(st.binary(max_size=8).filter(lambda line: b"\n" not in line), max_size=5),
            st.sampled_from(["take", "look", "reopen"]),
        ),
        max_size=20,
    ),
    limit=st.integers(1, 4),
    segment_bytes=st.integers(1, 40),
)
def test_whatever_happens_each_line_is_taken_once(
    steps: list[list[bytes] | str],
    limit: int,
    segment_bytes: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    spool = Spool(folder, "usage", segment_bytes=segment_bytes)
    given_lines: list[bytes] = []
    seen: list[bytes] = []
    for step in steps:
        if isinstance(step, list):
            spool.append(step)
            given_lines += step
        elif step == "take":
            seen += taken(spool, limit=limit)
        elif step == "look":
            list(spool.batches(limit))
        else:
            spool.close()
            spool = Spool(folder, "usage", segment_bytes=segment_bytes)
    seen += taken(spool, limit=limit)
    assert sorted(seen) == sorted(given_lines)
    # Of processes that began within one tick of the file system, either may come first.
    assert "reopen" in steps or seen == given_lines
    spool.close()
    assert list(folder.iterdir()) == []


@settings(max_examples=40, deadline=None)
@given(
    lines=st.lists(st.binary(max_size=5).filter(lambda line: b"\n" not in line), max_size=6),
    cut=st.integers(0, 40),
)
def test_a_segment_cut_anywhere_gives_its_whole_lines(
    lines: list[bytes], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    data = b"".join(line + b"\n" for line in lines)[:cut]
    (folder / f"usage-{'0' * 24}-00000001.lines").write_bytes(data)
    spool = Spool(folder, "usage")
    whole = data.count(b"\n")
    assert taken(spool, limit=2) == lines[:whole]
    assert spool.torn == (not data.endswith(b"\n") and data != b"")
    spool.close()
    assert list(folder.iterdir()) == []


WRITER = """
import random
rng = random.Random(int(sys.argv[1]))
number = 0
while True:
    lines = [b"%d-%d" % (os.getpid(), number + each) for each in range(rng.randint(1, 3))]
    s.append(lines)
    number += len(lines)
    print(number, flush=True)
    time.sleep(0.0005)
    if rng.random() < 0.1:
        for batch in s.batches(3):  # hands its own on as well, as a server does
            with open(sys.argv[2], "ab", buffering=0) as out:
                out.write(b"".join(line + b"\\n" for line in batch.lines))
            s.done(batch)
"""


def test_processes_that_die_and_take_over_all_the_time_lose_nothing(tmp_path: Path) -> None:
    folder, out = tmp_path / "spool", tmp_path / "out"
    folder.mkdir()
    program = (
        "import os, sys, time\nfrom pathlib import Path\n"
        "from engram_lab.serve.metering.spool import Spool\n"
        f"s = Spool(Path({str(folder)!r}), 'usage', segment_bytes=200)\n{WRITER}"
    )
    written: dict[int, int] = {}
    deaths = 0
    running: list[subprocess.Popen[str]] = []
    for seed in range(5):
        command = [sys.executable, "-c", program, str(seed), str(out)]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        assert said(running[-1])
        if len(running) > 2:
            deaths += killed(running.pop(0), written)
    while running:
        deaths += killed(running.pop(0), written)
    heir = Spool(folder, "usage")
    lines = out.read_bytes().split() + taken(heir)
    heir.close()
    assert deaths == 5
    assert list(folder.iterdir()) == []
    for pid, number in written.items():
        mine = [int(line.split(b"-")[1]) for line in lines if line.startswith(b"%d-" % pid)]
        assert set(mine) >= set(range(number))
    # A line comes twice only from a batch that was out and not done when its process died.
    assert len(lines) - len(set(lines)) <= 3 * deaths


def killed(process: subprocess.Popen[str], written: dict[int, int]) -> bool:
    process.kill()
    assert process.stdout is not None
    counts = [int(line) for line in process.stdout.read().split("\n")[:-1]]
    process.stdout.close()
    written[process.pid] = max(counts, default=0)
    return process.wait(timeout=20) == -signal.SIGKILL

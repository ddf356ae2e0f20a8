from __future__ import annotations

import io
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import BackupError
from engram_lab.serve.backups.key_file import BackupKey, KeyRing
from engram_lab.serve.backups.sealing import PIECE_BYTES, open_sealed, seal, sealed_size

LABEL = b'{"tenant_id":"one"}'
OLD = BackupKey.of(b"o" * 32, made_at="2026-01-01T00:00:00Z")
KEY = BackupKey.of(b"k" * 32, made_at="2026-02-01T00:00:00Z")
RING = KeyRing(keys=(OLD, KEY))
HEAD = sealed_size(0, LABEL) - 16
STEP = PIECE_BYTES + 16


def sealed(content: bytes, key: BackupKey = KEY, label: bytes = LABEL) -> bytes:
    return b"".join(seal(io.BytesIO(content), key, label))


def opened(text: bytes, ring: KeyRing = RING, cut: int = 50_000) -> bytes:
    parts = (text[at : at + cut] for at in range(0, len(text), cut))
    return b"".join(open_sealed(parts, ring))


def pieces(text: bytes) -> list[bytes]:
    return [text[at : at + STEP] for at in range(HEAD, len(text), STEP)]


SIZES = st.one_of(
    st.integers(0, 200),
    st.builds(
        lambda count, more: max(0, count * PIECE_BYTES + more),
        st.integers(1, 3),
        st.integers(-2, 2),
    ),
)


@given(size=SIZES, cut=st.integers(1, 200_000))
def test_what_was_sealed_opens_however_it_arrives(size: int, cut: int) -> None:
    content = bytes(number % 251 for number in range(size))
    text = sealed(content)

    assert opened(text, cut=max(cut, len(text) // 500)) == content
    assert len(text) == sealed_size(size, LABEL)


def test_the_label_and_the_key_are_told_and_the_content_is_not() -> None:
    text = sealed(b"a secret of the sea")
    whole = open_sealed([text], RING)

    assert (whole.label, whole.key_id) == (LABEL, KEY.id)
    assert LABEL in text
    assert b"secret" not in text


def test_the_same_file_is_never_sealed_to_the_same_bytes() -> None:
    first, second = sealed(b"same"), sealed(b"same")
    assert first[HEAD:] != second[HEAD:]


def test_every_bit_of_a_small_sealed_file_counts() -> None:
    text = sealed(b"of the sea")
    for place in range(len(text) * 8):
        changed = bytearray(text)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(BackupError):
            opened(bytes(changed))


@given(data=st.data())
def test_any_bit_of_a_large_sealed_file_counts(data: st.DataObject) -> None:
    text = bytearray(sealed(b"x" * (2 * PIECE_BYTES + 77)))
    place = data.draw(st.integers(0, len(text) * 8 - 1))
    text[place // 8] ^= 1 << place % 8
    with pytest.raises(BackupError):
        opened(bytes(text))


@given(data=st.data())
def test_a_file_that_ends_too_soon_or_too_late_does_not_open(data: st.DataObject) -> None:
    text = sealed(b"x" * (2 * PIECE_BYTES))
    length = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(BackupError):
        opened(text[:length])
    with pytest.raises(BackupError):
        opened(text + data.draw(st.binary(min_size=1, max_size=100)))


def test_pieces_left_out_swapped_repeated_or_taken_from_another_file_do_not_open() -> None:
    content = b"".join(bytes([letter]) * PIECE_BYTES for letter in b"abcd")
    text, other = sealed(content), sealed(content)
    head, (a, b, c, d) = text[:HEAD], pieces(text)
    mixtures = {
        "without the last": [a, b, c],
        "without the first": [b, c, d],
        "without the second": [a, c, d],
        "swapped": [a, c, b, d],
        "repeated": [a, b, b, c, d],
        "the last twice": [a, b, c, d, d],
        "nothing": [],
        "one of another": [a, pieces(other)[1], c, d],
    }
    for name, mixture in mixtures.items():
        with pytest.raises(BackupError):
            pytest.fail(f"{name}: {len(opened(head + b''.join(mixture)))} bytes")
    with pytest.raises(BackupError):
        opened(other[:HEAD] + text[HEAD:])


def test_a_cut_at_the_end_of_a_piece_is_found_before_the_end_is_believed() -> None:
    text = sealed(b"x" * (3 * PIECE_BYTES))
    with pytest.raises(BackupError, match="damaged or was changed"):
        opened(text[:-STEP])


def test_a_key_that_was_rotated_away_still_opens_and_a_foreign_one_is_named() -> None:
    text = sealed(b"old", OLD)
    assert opened(text) == b"old"
    with pytest.raises(BackupError, match=f"sealed with key {OLD.id}.*has {KEY.id}"):
        opened(text, KeyRing(keys=(KEY,)))


def test_a_key_under_a_false_id_does_not_open() -> None:
    false = BackupKey(id=KEY.id, made_at="", secret=b"z" * 32)
    with pytest.raises(BackupError, match="does not open"):
        opened(sealed(b"x"), KeyRing(keys=(false,)))


@pytest.mark.parametrize("text", [b"", b"SQLite format 3\0" * 10, b"ENGRAMBK"])
def test_another_programs_file_is_called_that(text: bytes) -> None:
    with pytest.raises(BackupError, match="no sealed backup"):
        opened(text)


def test_a_format_of_the_future_is_called_that() -> None:
    text = bytearray(sealed(b"x"))
    text[8] = 2
    with pytest.raises(BackupError, match="has format 2"):
        opened(bytes(text))


def test_a_forged_length_takes_no_memory() -> None:
    text = sealed(b"x")
    forged = text[:49] + b"\xff\xff\xff\xff" + text[53:]
    with pytest.raises(BackupError, match="no sealed backup"):
        opened(forged)


LARGE = r"""
import resource, sys
from engram_lab.serve.backups.key_file import BackupKey, KeyRing
from engram_lab.serve.backups.sealing import open_sealed, seal

class Zeros:
    def __init__(self, left):
        self.left = left
    def read(self, count):
        count = min(count, self.left)
        self.left -= count
        return bytes(count)

key = BackupKey.of(b"k" * 32, made_at="now")
def run(size):
    whole = open_sealed(seal(Zeros(size), key, b"{}"), KeyRing(keys=(key,)))
    return sum(len(piece) for piece in whole)

run(1 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert run(256 << 20) == 256 << 20
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_does_not_grow_with_the_file() -> None:
    done = subprocess.run([sys.executable, "-c", LARGE], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 2_048  # kilobytes, for 256 megabytes sealed and opened

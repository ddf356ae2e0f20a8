"""What the retrieval benchmark searches: texts of a Zipf vocabulary, clustered vectors, questions.

    python evals/bench/retrieval_workload.py FOLDER 100000

All of it follows from one seed, chunk by chunk: the first 10,000 rows of a million are the very
rows of a workload of 10,000, and the questions are the same at every size.

- Texts have 6 to 18 words (12 on average) of a vocabulary of 50,000, by the Zipf-Mandelbrot law
  p(r) ∝ 1 / (r + q); q is such that the commonest word stands in 58 % of the texts, as "the" does
  in English. The words are of syllables that no stemmer alters and no list of stop words holds;
  every tenth is a name, with a capital.
- Vectors are of a mixture of 2,000 Gaussians in 24 dimensions, turned into 384 and blurred there,
  of unit length: the nearest stand at a cosine of about .7, as those of sentence embeddings do.
- A question is asked about one of the first 10,000 rows: two to six words, one to three of its
  rarer ones, the others as common as they come; its vector is at a cosine of .8 to that of the row.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.format import open_memmap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SEED = 20261121
VERSION = 1
CHUNK = 10_000
DIM = 384
VOCABULARY = 50_000
TOP_SHARE = 0.58
SHORTEST, LONGEST = 6, 18
CENTRES, INTRINSIC = 2_000, 24
SPREAD, BLUR = 0.55, 0.6
QUESTIONS = 200
QUESTION_BLUR = 0.75
SYLLABLES = tuple(first + second for first in "bdfgklmnprtvz" for second in "aou")


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question: its text, the number of its vector, and the row that it is asked about."""

    text: str
    about: int


@dataclass(frozen=True, kw_only=True)
class Workload:
    """The files of a workload, and its questions.

    Attributes:
        folder: Holds `vectors.npy`, `texts.jsonl`, `questions.npy` and `questions.jsonl`.
        rows: How many texts and vectors there are; the files may hold more, which are not meant.
        questions: 200 of them.
    """

    folder: Path
    rows: int
    questions: tuple[Question, ...]

    @property
    def vectors(self) -> NDArray[np.float32]:
        """float32 [rows, 384], unit rows, mapped from the file."""
        return np.load(self.folder / "vectors.npy", mmap_mode="r")[: self.rows]  # type: ignore[no-any-return]

    @property
    def question_vectors(self) -> NDArray[np.float32]:
        """float32 [200, 384], unit rows."""
        return np.load(self.folder / "questions.npy")  # type: ignore[no-any-return]

    def texts(self) -> Iterator[str]:
        """Yield the texts."""
        with (self.folder / "texts.jsonl").open(encoding="utf-8") as lines:
            for _, line in zip(range(self.rows), lines, strict=False):
                yield json.loads(line)


@cache
def words() -> tuple[str, ...]:
    """Return the vocabulary, commonest first: two syllables, then three."""
    two = [first + second for first in SYLLABLES for second in SYLLABLES]
    three = [first + rest for first in SYLLABLES for rest in two]
    np.random.default_rng([SEED, 1]).shuffle(two)
    np.random.default_rng([SEED, 2]).shuffle(three)
    chosen = [*two, *three][:VOCABULARY]
    return tuple(word.title() if rank % 10 == 9 else word for rank, word in enumerate(chosen))  # noqa: PLR2004


@cache
def chances() -> NDArray[np.float64]:
    """Return the cumulated chance of each word: float64 [50000], its shift q by bisection."""
    ranks = np.arange(1, VOCABULARY + 1, dtype=np.float64)
    lengths = np.arange(SHORTEST, LONGEST + 1)
    low, high = 0.0, 100.0
    for _ in range(60):
        shift = (low + high) / 2
        weights = 1 / (ranks + shift)
        top = weights[0] / weights.sum()
        share = 1 - ((1 - top) ** lengths).mean()
        low, high = (shift, high) if share > TOP_SHARE else (low, shift)
    cumulated = np.cumsum(weights)
    return cumulated / cumulated[-1]  # type: ignore[no-any-return]


def drawn(rng: np.random.Generator, count: int) -> NDArray[np.int64]:
    """Return the ranks of words as a text holds them: int64 [count]."""
    return np.searchsorted(chances(), rng.random(count), side="right").astype(np.int64)


def chunk_texts(number: int) -> list[list[str]]:
    """Return the words of 10,000 texts."""
    rng = np.random.default_rng([SEED, 3, number])
    lengths = rng.integers(SHORTEST, LONGEST + 1, CHUNK)
    known = words()
    every = [known[rank] for rank in drawn(rng, int(lengths.sum())).tolist()]
    ends = np.cumsum(lengths).tolist()
    return [every[start:end] for start, end in zip([0, *ends], ends, strict=False)]


@cache
def mixture() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the centres, float32 [2000, 24], and what turns them into 384 dimensions."""
    rng = np.random.default_rng([SEED, 4])
    centres = rng.standard_normal((CENTRES, INTRINSIC), dtype=np.float32)
    # Some directions carry more than others, as in every space that was learned.
    scale = np.linspace(1.5, 0.5, INTRINSIC, dtype=np.float32)[:, None]
    turn = rng.standard_normal((INTRINSIC, DIM), dtype=np.float32) / np.float32(DIM**0.5)
    return centres, scale * turn


def unit(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows of length 1."""
    return values / np.linalg.norm(values, axis=1, keepdims=True)  # type: ignore[no-any-return]


def blurred(
    rng: np.random.Generator, values: NDArray[np.float32], amount: float
) -> NDArray[np.float32]:
    """Return unit rows with noise of a length of about `amount` added, of unit length again."""
    noise = rng.standard_normal(values.shape, dtype=np.float32)
    return unit(values + noise * np.float32(amount / DIM**0.5))


def chunk_vectors(number: int) -> NDArray[np.float32]:
    """Return the vectors of 10,000 texts: float32 [10000, 384]."""
    rng = np.random.default_rng([SEED, 5, number])
    centres, turn = mixture()
    # Clusters differ in size, as topics do.
    chosen = (CENTRES * rng.random(CHUNK) ** 2).astype(np.int64)
    near = rng.standard_normal((CHUNK, INTRINSIC), dtype=np.float32) * np.float32(SPREAD)
    return blurred(rng, unit((centres[chosen] + near) @ turn), BLUR)


def make_questions(folder: Path) -> None:
    """Write the questions; they are asked about rows of the first chunk."""
    rng = np.random.default_rng([SEED, 6])
    known = words()
    rank = {word: number for number, word in enumerate(known)}
    about = rng.choice(CHUNK, QUESTIONS, replace=False)
    texts, lines = chunk_texts(0), []
    for row in about.tolist():
        held = sorted(set(texts[row]), key=rank.__getitem__, reverse=True)
        own = held[: int(rng.integers(1, 4))]
        others = [known[each] for each in drawn(rng, int(rng.integers(1, 4))).tolist()]
        asked = list(dict.fromkeys([*own, *others]))
        if len(asked) == 1:
            asked.append(known[0])
        rng.shuffle(asked)
        lines.append(json.dumps({"text": " ".join(asked), "about": row}) + "\n")
    values = blurred(rng, chunk_vectors(0)[about], QUESTION_BLUR)
    np.save(folder / "questions.npy", values)
    (folder / "questions.jsonl").write_text("".join(lines), encoding="utf-8")


def make(folder: Path, rows: int) -> None:
    """Write a workload of at least so many rows: whole chunks."""
    chunks = -(-rows // CHUNK)
    new_vectors, new_texts = folder / "vectors.new", folder / "texts.new"
    values = open_memmap(new_vectors, mode="w+", dtype=np.float32, shape=(chunks * CHUNK, DIM))
    with new_texts.open("w", encoding="utf-8") as file:
        for number in range(chunks):
            values[number * CHUNK : (number + 1) * CHUNK] = chunk_vectors(number)
            file.writelines(f'"{" ".join(each)}"\n' for each in chunk_texts(number))
    values.flush()
    # In place of smaller ones at once: another run may be reading those.
    new_vectors.replace(folder / "vectors.npy")
    new_texts.replace(folder / "texts.jsonl")
    make_questions(folder)


def workload(cache_folder: Path, rows: int) -> Workload:
    """Return the workload of so many rows, made where it is missing or too small."""
    folder = cache_folder / f"workload-{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "rows"
    if not done.exists() or int(done.read_text()) < rows:
        make(folder, rows)
        done.write_text(str(rows))
    lines = (folder / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    questions = tuple(Question(**json.loads(line)) for line in lines)
    return Workload(folder=folder, rows=rows, questions=questions)


def common_queries(count: int, *, terms: int = 4) -> list[str]:
    """Return questions of so many different words, drawn as the words of the texts are."""
    rng = np.random.default_rng([SEED, 7])
    known = words()
    found: list[str] = []
    while len(found) < count:
        ranks = list(dict.fromkeys(drawn(rng, 4 * terms).tolist()))[:terms]
        found.append(" ".join(known[rank] for rank in ranks))
    return found


def queries_by_rank(rank: int, count: int, *, terms: int = 4) -> list[str]:
    """Return questions whose commonest word has a rank, from 0; the others are rarer."""
    rng = np.random.default_rng([SEED, 8, rank])
    known = words()
    found: list[str] = []
    while len(found) < count:
        rarer = [each for each in dict.fromkeys(drawn(rng, 200).tolist()) if each > rank]
        found.append(" ".join(known[each] for each in [rank, *rarer[: terms - 1]]))
    return found


def main() -> int:
    """Write a workload and tell how long it took."""
    start = time.perf_counter()
    made = workload(Path(sys.argv[1]), int(sys.argv[2]))
    print(f"{made.rows:,} rows in {made.folder}: {time.perf_counter() - start:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""One peer, in the peers' own environment: builds its index, then answers as it is asked.

    python evals/bench/retrieval_peer_worker.py txtai WORKLOAD ROWS FOLDER

Started by `retrieval_peers.py`; nothing of Engram Lab is imported here. Each line on standard input
is `{"ways": [...], "question": 3, "k": 10}`; the answer tells for each way the nanoseconds that the
peer itself took, so that the pipe costs nothing, and the rows that it found.

Each peer gets what its own documentation recommends at these sizes, and vectors that are ready:

- txtai: `hybrid`, with content; its IVF index and `nprobe` by its own rule. Its BM25 adds a word of
  more than 10 % of the texts only to texts that a rarer word found: quicker, not exact.
- LanceDB: a full-text index, hybrid by reciprocal ranks; without a vector index (which it calls
  unneeded up to about 100,000 rows) and with IVF_HNSW_SQ of one partition, which it recommends.
- Chroma: local Chroma fuses nothing (`Collection.search` is for its cloud), so what it offers: the
  vectors alone, and the vectors of texts that contain the question's rarest word.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

BATCH = 5_000


class Peer(Protocol):
    """A library that is given rows, and then searched in one or more ways."""

    @property
    def ways(self) -> tuple[str, ...]:
        """The ways it can be asked."""
        ...

    def prepare(self, texts: list[str], vectors: NDArray[np.float32], folder: Path) -> None:
        """Build the index of texts and float32 [n, dim]."""
        ...

    def ask(self, way: str, text: str, vector: NDArray[np.float32], k: int) -> Any:
        """Return the best k with their texts, as the library gives them."""
        ...

    def found(self, answer: Any) -> list[int]:
        """Return the rows of an answer."""
        ...


class Txtai:
    """txtai: vectors by a function of ours that looks them up."""

    ways = ("hybrid",)

    def prepare(self, texts: list[str], vectors: NDArray[np.float32], folder: Path) -> None:
        """Build it in this process; txtai keeps its files in a temporary folder of its own."""
        del folder
        number = {text: row for row, text in enumerate(texts)}
        self.asked: dict[str, NDArray[np.float32]] = {}
        asked = self.asked

        def transform(given: list[str]) -> NDArray[np.float32]:
            if given[0] in asked:
                return np.stack([asked[text] for text in given])
            return np.asarray(vectors[[number[text] for text in given]])

        self.embeddings = import_module("txtai").Embeddings(
            method="external", transform=transform, hybrid=True, content=True
        )
        self.embeddings.index((row, text, None) for row, text in enumerate(texts))

    def ask(self, way: str, text: str, vector: NDArray[np.float32], k: int) -> Any:
        """Return `[{"id", "text", "score"}]`."""
        del way
        self.asked[text] = vector
        return self.embeddings.search(text, k)

    def found(self, answer: Any) -> list[int]:
        """Return the rows of an answer."""
        return [int(each["id"]) for each in answer]


class Lance:
    """LanceDB: an embedded database on disk."""

    ways = ("hybrid, no vector index", "hybrid, IVF_HNSW_SQ")

    def prepare(self, texts: list[str], vectors: NDArray[np.float32], folder: Path) -> None:
        """Write the table and both indexes."""
        pa, lancedb = import_module("pyarrow"), import_module("lancedb")
        indexes = import_module("lancedb.index")
        dim = vectors.shape[1]
        schema = pa.schema(
            [("id", pa.int64()), ("text", pa.string()), ("vector", pa.list_(pa.float32(), dim))]
        )

        def batches() -> Iterator[Any]:
            for start in range(0, len(texts), BATCH):
                some = np.ascontiguousarray(vectors[start : start + BATCH])
                values = pa.FixedSizeListArray.from_arrays(pa.array(some.ravel()), dim)
                numbers = pa.array(range(start, start + len(some)))
                rows = [numbers, pa.array(texts[start : start + BATCH]), values]
                yield pa.record_batch(rows, schema=schema)

        self.table = lancedb.connect(folder).create_table("rows", batches(), schema=schema)
        self.table.create_index("text", config=indexes.FTS())
        self.table.create_index(
            "vector", config=indexes.HnswSq(distance_type="cosine", num_partitions=1)
        )
        self.table.optimize()

    def ask(self, way: str, text: str, vector: NDArray[np.float32], k: int) -> Any:
        """Return the rows as dicts; reciprocal ranks are how it fuses by default."""
        query = self.table.search(query_type="hybrid").vector(vector).text(text).limit(k)
        query = query.distance_type("cosine").select(["id", "text"])
        if way == self.ways[0]:
            query = query.bypass_vector_index()
        return query.to_list()

    def found(self, answer: Any) -> list[int]:
        """Return the rows of an answer."""
        return [int(each["id"]) for each in answer]


class Chroma:
    """Chroma, local and on disk."""

    ways = ("vectors only", "vectors, $contains rarest word")

    def prepare(self, texts: list[str], vectors: NDArray[np.float32], folder: Path) -> None:
        """Fill a collection with its default HNSW parameters."""
        chroma = import_module("chromadb")
        settings = chroma.config.Settings(anonymized_telemetry=False)
        client = chroma.PersistentClient(str(folder), settings=settings)
        self.collection = client.create_collection(
            "rows", embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )
        for start in range(0, len(texts), BATCH):
            some = texts[start : start + BATCH]
            self.collection.add(
                ids=[str(row) for row in range(start, start + len(some))],
                embeddings=np.asarray(vectors[start : start + BATCH]),
                documents=some,
            )
        self.share: dict[str, int] = {}
        for each in itertools.chain.from_iterable(set(text.split()) for text in texts):
            self.share[each] = self.share.get(each, 0) + 1

    def ask(self, way: str, text: str, vector: NDArray[np.float32], k: int) -> Any:
        """Return the columns that `query` gives."""
        chosen: dict[str, Any] = {}
        if way == self.ways[1]:
            known = [word for word in text.split() if word in self.share]
            chosen["where_document"] = {"$contains": min(known, key=self.share.__getitem__)}
        return self.collection.query(
            query_embeddings=[vector], n_results=k, include=["documents", "distances"], **chosen
        )

    def found(self, answer: Any) -> list[int]:
        """Return the rows of an answer."""
        return [int(each) for each in answer["ids"][0]]


PEERS: dict[str, type[Peer]] = {"txtai": Txtai, "lancedb": Lance, "chromadb": Chroma}


def resident_mib() -> float:
    """Return what this process has in memory, files it maps left out, in MiB."""
    status = Path("/proc/self/status").read_text()
    return int(re.findall(r"RssAnon:\s+(\d+) kB", status)[0]) / 1024


def main() -> int:
    """Build, say so, and answer until standard input ends."""
    name, data, rows, place = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    # Libraries print; the answers go where nobody else writes.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    with (data / "texts.jsonl").open(encoding="utf-8") as lines:
        texts = [json.loads(line) for line in itertools.islice(lines, rows)]
    vectors = np.load(data / "vectors.npy", mmap_mode="r")[:rows]
    asked = np.load(data / "questions.npy")
    lines_of_questions = (data / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line)["text"] for line in lines_of_questions]
    peer = PEERS[name]()
    version = import_module("importlib.metadata").version(name)
    before, start = resident_mib(), time.perf_counter()
    peer.prepare(texts, vectors, place)
    built = time.perf_counter() - start
    del texts
    ready = {
        "version": version,
        "ways": peer.ways,
        "build_s": built,
        "resident_mib": resident_mib() - before,
    }
    print(json.dumps(ready), file=answers, flush=True)
    for line in sys.stdin:
        wanted = json.loads(line)
        number, told = int(wanted["question"]), {}
        for way in wanted["ways"]:
            begin = time.perf_counter_ns()
            answer = peer.ask(way, questions[number], asked[number], wanted["k"])
            told[way] = {"ns": time.perf_counter_ns() - begin, "found": peer.found(answer)}
        print(json.dumps(told), file=answers, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

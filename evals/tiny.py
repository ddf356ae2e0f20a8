"""Writes the bundled corpus and its card from the seed.

python evals/tiny.py                 write datasets/tiny
python evals/tiny.py --check         exit code 1 where a file is not what would be written
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from engram_lab.evaluation.datasets.fiction.card import card_of
from engram_lab.evaluation.datasets.fictional import TINY_SEED, generate
from engram_lab.evaluation.datasets.tiny import files_of
from engram_lab.evaluation.shipped import shipped


def main() -> int:
    """Write, or compare, and say which files differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    parser.add_argument("--out", type=Path, default=shipped("datasets") / "tiny", metavar="DIR")
    chosen = parser.parse_args()
    dataset = generate(TINY_SEED)
    differing = []
    for name, text in {**files_of(dataset), "README.md": card_of(dataset)}.items():
        path, wanted = chosen.out / name, text.encode()
        if not path.exists() or path.read_bytes() != wanted:
            differing.append(name)
            if not chosen.check:
                chosen.out.mkdir(parents=True, exist_ok=True)
                path.write_bytes(wanted)
    if differing:
        verb = "differ from what the seed gives" if chosen.check else "written"
        print(f"{verb}: {', '.join(differing)}", file=sys.stderr)
    return 1 if chosen.check and differing else 0


if __name__ == "__main__":
    sys.exit(main())

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from engram_lab.retrieval.embedders import torchvision_shim

CALL = (
    "from engram_lab.retrieval.embedders.torchvision_shim import prepare_torchvision\n"
    "library = prepare_torchvision()\n"
)
ROOT = Path(torchvision_shim.__file__).parents[3]


def run(program: str, *folders: Path) -> str:
    """Run a program in a new process, these folders before all others."""
    before = f"import sys; sys.path[:0] = {[str(each) for each in (*folders, ROOT)]!r}\n"
    done = subprocess.run(
        [sys.executable, "-c", before + program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def built_apart(tmp_path: Path) -> Path:
    """A torch, and a torchvision that fails to import until its operators are declared."""
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").touch()
    (tmp_path / "torch" / "library.py").write_text(
        "DEFINED = []\n"
        "class Library:\n"
        "    def __init__(self, namespace, kind):\n"
        "        self.namespace, self.kind = namespace, kind\n"
        "    def define(self, schema):\n"
        "        DEFINED.append((self.namespace, self.kind, schema))\n",
        encoding="utf-8",
    )
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "part.py").touch()
    (tmp_path / "torchvision" / "__init__.py").write_text(
        "import torchvision.part\n"
        "from torch.library import DEFINED\n"
        "if not any('nms(' in each[2] for each in DEFINED):\n"
        "    raise RuntimeError('operator torchvision::nms does not exist')\n",
        encoding="utf-8",
    )
    return tmp_path


def test_the_operators_are_declared_where_the_builds_differ(built_apart: Path) -> None:
    printed = run(
        f"{CALL}import torch.library, torchvision\n"
        "assert prepare_torchvision() is library\n"
        "print(*torch.library.DEFINED, sep='\\n')",
        built_apart,
    )
    schema = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
    assert printed.splitlines() == [
        f"('torchvision', 'FRAGMENT', 'nms{schema}')",
        f"('torchvision', 'FRAGMENT', 'qnms{schema}')",
    ]


def test_nothing_happens_where_it_imports_as_it_is(built_apart: Path) -> None:
    (built_apart / "torchvision" / "__init__.py").write_text("", encoding="utf-8")
    printed = run(f"{CALL}print(library, 'torch' in sys.modules)", built_apart)
    assert printed == "None False"


def test_nothing_happens_where_it_is_absent() -> None:
    printed = run(f"sys.modules['torchvision'] = None\n{CALL}print(library)")
    assert printed == "None"


def test_another_failure_is_not_hidden(built_apart: Path) -> None:
    (built_apart / "torchvision" / "__init__.py").write_text(
        "raise RuntimeError('no disk')", encoding="utf-8"
    )
    printed = run(
        CALL.replace("library =", "try:\n    library =")
        + "except RuntimeError as error:\n    print(error)",
        built_apart,
    )
    assert printed == "no disk"


def test_the_torchvision_that_is_installed_imports() -> None:
    if find_spec("torch") is None or find_spec("torchvision") is None:
        pytest.skip("torch and torchvision come with the extra clip")
    printed = run(f"{CALL}from torchvision.transforms import Resize; print(Resize.__name__)")
    assert printed == "Resize"

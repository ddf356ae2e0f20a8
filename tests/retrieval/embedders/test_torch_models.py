"""What the embedders that run on torch have in common, where it needs no torch."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING

import pytest

from engram_lab.core.errors import MissingDependencyError
from engram_lab.retrieval.embedders.torch_models import import_on_torch

if TYPE_CHECKING:
    from pathlib import Path

OF_TQDM = "IProgress not found. Please update jupyter and ipywidgets."


def test_a_complaint_about_bars_that_nobody_sees_is_kept_quiet_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "stands_on_torch.py").write_text(
        f"import warnings\nwarnings.warn({OF_TQDM!r})\nwarnings.warn('the weights are old')\n",
        encoding="utf-8",
    )
    with pytest.warns(UserWarning, match="the weights") as said:
        import_on_torch("stands_on_torch", package="any", feature="this test", extra="clip")
    monkeypatch.delitem(sys.modules, "stands_on_torch")
    assert [str(each.message) for each in said] == ["the weights are old"]

    with pytest.warns(UserWarning, match="IProgress"):
        warnings.warn(OF_TQDM, stacklevel=1)  # said by somebody else, it is heard as before


def test_a_package_that_is_absent_is_missed_with_its_extra() -> None:
    with pytest.raises(MissingDependencyError, match=r'pip install "\.\[clip\]"'):
        import_on_torch("no_such_module", package="none", feature="this test", extra="clip")

"""Makes `import torchvision` work where its build and that of torch differ.

A torchvision built for CUDA beside a torch built for the processor fails to import: its own code
describes the operators `nms` and `qnms`, which its missing library would have declared. They are
declared here instead, and never called: they serve object detection.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from typing import Any, Final

__all__ = ["prepare_torchvision"]

_SCHEMA: Final = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


@cache
def prepare_torchvision() -> Any:
    """Import torchvision before anything that stands on it does.

    Where it is absent or imports as it is, nothing else happens.

    Returns:
        The library of declarations where one was needed, else None. It is kept for as long as the
        process lives: the declarations end with it.
    """
    try:
        import_module("torchvision")
    except ImportError:
        return None
    except RuntimeError:
        for name in [each for each in sys.modules if each.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
    else:
        return None
    library = import_module("torch.library").Library("torchvision", "FRAGMENT")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}{_SCHEMA}")
    import_module("torchvision")
    return library

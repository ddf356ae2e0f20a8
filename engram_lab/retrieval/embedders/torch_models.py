"""What the embedders that run on torch have in common."""

from __future__ import annotations

import hashlib
import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from engram_lab.core.packages import optional
from engram_lab.retrieval.embedders.torchvision_shim import prepare_torchvision

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["import_on_torch", "parameters_hash", "use_threads"]


def import_on_torch(module: str, *, package: str, feature: str, extra: str) -> Any:
    """Return a module that stands on torch; see `optional`.

    Raises:
        MissingDependencyError: The package is absent.
    """
    if find_spec(module) is not None and find_spec("torch") is not None:
        prepare_torchvision()
    with warnings.catch_warnings():
        # Of tqdm in a notebook without ipywidgets, once it is imported: no bar of it is shown.
        warnings.filterwarnings("ignore", message="IProgress not found")
        return optional(module, package=package, feature=feature, extra=extra)


def use_threads(threads: int) -> None:
    """Let torch compute with so many threads.

    Torch knows only one number for the whole process, and the last one set holds: more than one
    thread makes a query slower as soon as the cores are busy with anything else.
    """
    torch = optional("torch", package="torch", feature="this embedder", extra="clip")
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)


def parameters_hash(model: Any, settings: Iterable[object]) -> str:
    """Return 16 hexadecimal digits that change with any parameter of a model, or any setting.

    Wherever it was loaded from: the same model gives the same digits.

    Args:
        model: A `torch.nn.Module`.
        settings: What else its vectors depend on; each is told apart by its text.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        plain = tensor.detach().cpu().contiguous()
        digest.update(f"{name} {plain.dtype} {tuple(plain.shape)}\n".encode())
        # As bytes, because NumPy lacks some of the types that torch has, such as bfloat16.
        if plain.numel():
            digest.update(plain.flatten().view(_bytes_type()).numpy().data)
    for each in settings:
        digest.update(f"{each}\n".encode())
    return digest.hexdigest()[:16]


def _bytes_type() -> Any:
    return optional("torch", package="torch", feature="this embedder", extra="clip").uint8

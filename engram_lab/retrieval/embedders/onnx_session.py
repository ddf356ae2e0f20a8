"""ONNX Runtime, set up so that a query is quick and leaves the other cores alone."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.errors import EmbedderError
from engram_lab.core.packages import optional

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["onnx_package", "open_session", "run", "run_all"]

onnx_package = partial(optional, feature="an embedder that runs on ONNX", extra="onnx")
"""Imports what the extra `onnx` brings; see `optional`."""

_FATAL_ONLY: Final = 3  # severity: the runtime tells its errors by raising them too


def open_session(
    model: bytes | Path, *, threads: int, weights: Mapping[str, NDArray[np.float32]] | None = None
) -> Any:
    """Return an `onnxruntime.InferenceSession` that computes on the processor.

    It may be shared by threads: each call of `run` computes on the thread of its caller, and on
    `threads` - 1 more.

    Args:
        model: The model as ONNX bytes, or the file that holds it.
        threads: How many threads compute one call.
        weights: Tensors that the model names as external. They are used where they lie, so they
            must outlive the session.

    Raises:
        EmbedderError: The runtime refuses the model.
        MissingDependencyError: The runtime is absent.
    """
    ort = onnx_package("onnxruntime", package="onnxruntime")
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL_ONLY
    # Threads that spin while they wait take the cores from everybody else.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    try:
        if weights:
            values = [ort.OrtValue.ortvalue_from_numpy(each) for each in weights.values()]
            options.add_external_initializers(list(weights), values)
        source = model if isinstance(model, bytes) else str(model)
        return ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        what = "the model" if isinstance(model, bytes) else f"the model {str(model)!r}"
        raise EmbedderError(
            f"{what} cannot be opened by ONNX Runtime ({_first_line(error)}): "
            "give a complete ONNX model"
        ) from error


def run(session: Any, output: str, inputs: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
    """Return one output of a model.

    Raises:
        EmbedderError: The runtime failed.
    """
    return run_all(session, [output], inputs)[0]


def run_all(
    session: Any, outputs: Sequence[str], inputs: Mapping[str, NDArray[np.int64]]
) -> list[NDArray[np.float32]]:
    """Return several outputs of a model, computed once; see `run`."""
    try:
        values: list[NDArray[np.float32]] = session.run(list(outputs), dict(inputs))
    except Exception as error:
        raise EmbedderError(
            f"ONNX Runtime failed to compute {', '.join(map(repr, outputs))}: {_first_line(error)}"
        ) from error
    return values


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)

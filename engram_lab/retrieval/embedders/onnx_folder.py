"""Any sentence encoder that was exported to ONNX, from the folder it lies in."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import orjson

from engram_lab.core.checks import check_limit
from engram_lab.core.checksums import file_sha256
from engram_lab.core.errors import EmbedderError, InvalidInputError
from engram_lab.retrieval.embedders.onnx_session import open_session, run
from engram_lab.retrieval.embedders.tokenizing import (
    TokenBatch,
    batches_of_like_length,
    encode,
    load_tokenizer,
)
from engram_lab.retrieval.embedders.vectors import check_kind, check_texts, unit_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from engram_lab.retrieval.embedders.protocol import Kind
    from engram_lab.retrieval.embedders.registry import EmbedderOptions

__all__ = ["OnnxFolderEmbedder", "Pooling", "from_options"]

Pooling = Literal["model", "mean", "cls"]
"""What makes one vector of a text's tokens: the model itself, their mean, or the first of them."""

_VARIABLE: Final = "ENGRAM_ONNX_MODEL_DIR"
_MODELS: Final = ("model.onnx", "onnx/model.onnx")
_READY: Final = "sentence_embedding"
_LAYERS: Final = ("last_hidden_state", "token_embeddings")
_INPUTS: Final = frozenset({"input_ids", "attention_mask", "token_type_ids"})
_PROMPT_NAMES: Final[dict[Kind, tuple[str, ...]]] = {
    "query": ("query",),
    "document": ("document", "passage", "corpus"),
}
_USUAL_LENGTH: Final = 512
_UNBOUNDED: Final = 1_000_000  # tokenizer files say 10^30 where they mean "no bound"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Settings:
    """What the files around a model say about it."""

    pooling: Literal["mean", "cls"]
    max_length: int
    pad_id: int | None
    prefixes: Mapping[Kind, str]
    unsupported: str | None


class OnnxFolderEmbedder:
    """A sentence encoder from a folder as the Hugging Face hub keeps them.

    The folder holds `model.onnx` or `onnx/model.onnx`, and `tokenizer.json`. Where the model gives
    no `sentence_embedding`, its last layer is pooled as `1_Pooling/config.json` says, by the mean
    unless told. Prefixes for questions and documents are those of
    `config_sentence_transformers.json`. One embedder may be shared by threads.

    Args:
        path: The folder; None for what the variable `ENGRAM_ONNX_MODEL_DIR` says.
        batch: How many texts are computed at a time.
        threads: How many threads compute.

    Raises:
        EmbedderError: A file is missing or broken, or the model is none that can be run so.
        MissingDependencyError: A package of the extra `onnx` is absent.

    Source: Reimers & Gurevych 2019, "Sentence-BERT", section 3 (the kinds of pooling).
    """

    def __init__(
        self, path: str | os.PathLike[str] | None = None, *, batch: int = 32, threads: int = 1
    ) -> None:
        self._batch = check_limit(batch, field="batch")
        check_limit(threads, field="threads")
        folder = _folder(path)
        model = _file(folder, *_MODELS)
        vocabulary = _file(folder, "tokenizer.json")
        told = _read_settings(folder)
        self._prefixes = told.prefixes
        self._tokenizer = load_tokenizer(vocabulary, max_length=told.max_length)
        self._pad_id = _pad_id(self._tokenizer, told)
        self._session = open_session(model, threads=threads)
        self._inputs = frozenset(each.name for each in self._session.get_inputs())
        if unknown := self._inputs - _INPUTS:
            raise EmbedderError(
                f"the model {str(model)!r} wants the inputs {', '.join(sorted(unknown))}: "
                f"those that can be given are {', '.join(sorted(_INPUTS))}"
            )
        self._output, self._pooling = _output(self._session, told, model)
        self._dim: int = self._computed(next(self._batches(["a"]))).shape[1]
        self._fingerprint = "/".join(
            [
                "onnx",
                hashlib.sha256("".join(map(file_sha256, _parts(model))).encode()).hexdigest()[:16],
                f"tokenizer={file_sha256(vocabulary)[:16]}",
                f"{self._output}={self._pooling}",
                str(told.max_length),
                orjson.dumps(told.prefixes, option=orjson.OPT_SORT_KEYS).decode(),
            ]
        )

    @property
    def fingerprint(self) -> str:
        """The files of model and tokenizer, the pooling, the length and the prefixes."""
        return self._fingerprint

    @property
    def dim(self) -> int:
        """How many numbers a vector has."""
        return self._dim

    def embed(self, texts: Sequence[str], *, kind: Kind) -> NDArray[np.float32]:
        """Return float32 [n, dim]; see `Embedder.embed`."""
        prefix = self._prefixes[check_kind(kind)]
        rows = [prefix + text for text in check_texts(texts)]
        values = np.empty((len(rows), self._dim), np.float32)
        for each in self._batches(rows):
            values[each.rows] = unit_rows(self._computed(each), len(each.rows), self._dim)
        return values

    def _batches(self, rows: Sequence[str]) -> Any:
        return batches_of_like_length(
            encode(self._tokenizer, rows), batch=self._batch, pad_id=self._pad_id
        )

    def _computed(self, batch: TokenBatch) -> NDArray[np.float32]:
        """Return the vectors of a batch, float32 [n, dim], not normalised."""
        every = {
            "input_ids": batch.ids,
            "attention_mask": batch.mask,
            "token_type_ids": np.zeros_like(batch.ids),
        }
        inputs = {name: every[name] for name in self._inputs}
        values = run(self._session, self._output, inputs)
        if self._pooling == "model":
            return values
        if self._pooling == "cls":
            return values[:, 0]
        share = batch.mask / np.maximum(batch.mask.sum(axis=1, keepdims=True), 1)
        pooled: NDArray[np.float32] = np.einsum("ntd,nt->nd", values, share.astype(np.float32))
        return pooled


def _folder(path: str | os.PathLike[str] | None) -> Path:
    told = path or os.environ.get(_VARIABLE)
    if not told:
        raise EmbedderError(
            f"no folder with an ONNX model is set: give its path, or set {_VARIABLE}"
        )
    if not Path(told).is_dir():
        raise EmbedderError(f"there is no folder {str(told)!r}: give one with an ONNX model")
    return Path(told)


def _file(folder: Path, *names: str) -> Path:
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise EmbedderError(
        f"the folder {str(folder)!r} holds no {' and no '.join(names)}: give one that does"
    )


def _parts(model: Path) -> list[Path]:
    """Return the files of a model: weights too large for one lie beside it."""
    return sorted(each for each in model.parent.glob(f"{model.name}*") if each.is_file())


def _read_json(file: Path) -> dict[str, Any]:
    """Return what a file says, nothing where it is absent."""
    if not file.is_file():
        return {}
    try:
        content = orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as error:
        raise EmbedderError(f"{str(file)!r} is no JSON ({error}): repair or remove it") from error
    return content if isinstance(content, dict) else {"modules": content}


def _read_settings(folder: Path) -> _Settings:
    pooling = _read_json(folder / "1_Pooling" / "config.json")
    modes = [
        name for name, on in pooling.items() if name.startswith("pooling_mode_") and on is True
    ]
    config = _read_json(folder / "config.json")
    lengths = (
        _read_json(folder / "sentence_bert_config.json").get("max_seq_length"),
        _read_json(folder / "tokenizer_config.json").get("model_max_length"),
        config.get("max_position_embeddings"),
    )
    usable = (each for each in lengths if isinstance(each, int) and 0 < each < _UNBOUNDED)
    modules = _read_json(folder / "modules.json").get("modules", [])
    kinds = [str(each.get("type", "")).rpartition(".")[2] for each in modules]
    unsupported = [each for each in kinds if each not in {"Transformer", "Pooling", "Normalize"}]
    unsupported += [each for each in modes if each[13:] not in {"cls_token", "mean_tokens"}]
    if len(modes) > 1:
        unsupported.append(" with ".join(modes))
    prompts = _read_json(folder / "config_sentence_transformers.json")
    prefixes = {kind: _prefix(prompts, names) for kind, names in _PROMPT_NAMES.items()}
    if any(prefixes.values()) and pooling.get("include_prompt") is False:
        unsupported.append("pooling without the prompt")
    return _Settings(
        pooling="cls" if modes == ["pooling_mode_cls_token"] else "mean",
        max_length=next(usable, _USUAL_LENGTH),
        pad_id=config.get("pad_token_id"),
        prefixes=prefixes,
        unsupported=unsupported[0] if unsupported else None,
    )


def _prefix(config: Mapping[str, Any], names: Sequence[str]) -> str:
    """Return the prompt of the first of these names that there is, else the default one."""
    prompts = config.get("prompts") or {}
    for name in (*names, config.get("default_prompt_name")):
        if isinstance(prompts.get(name), str):
            return str(prompts[name])
    return ""


def _pad_id(tokenizer: Any, told: _Settings) -> int:
    """Return the number that fills a text up; some models tell places by it."""
    if isinstance(told.pad_id, int):
        return told.pad_id
    known = (tokenizer.token_to_id(each) for each in ("[PAD]", "<pad>"))
    return next((each for each in known if each is not None), 0)


def _output(session: Any, told: _Settings, model: Path) -> tuple[str, Pooling]:
    outputs = {each.name: len(each.shape) for each in session.get_outputs()}
    if _READY in outputs:
        return _READY, "model"
    for name in _LAYERS:
        if name in outputs:
            if told.unsupported:
                raise EmbedderError(
                    f"the model {str(model)!r} is followed by {told.unsupported}, which is not in "
                    f"its graph: export it with an output {_READY!r}"
                )
            return name, told.pooling
    raise EmbedderError(
        f"the model {str(model)!r} gives {', '.join(outputs)}: it must give {_READY!r} or one of "
        f"{', '.join(_LAYERS)}"
    )


def from_options(options: EmbedderOptions) -> OnnxFolderEmbedder:
    """Return the embedder that the options describe: of the folder `path`, or that after `onnx:`.

    Raises:
        InvalidInputError: Another dimension is wanted than the model has.
    """
    made = OnnxFolderEmbedder(
        options.path or options.model, batch=options.batch, threads=options.threads
    )
    if options.dim not in {None, made.dim}:
        raise InvalidInputError(
            f"this model has {made.dim} dimensions, not {options.dim}: set no dim"
        )
    return made

"""A BERT sentence encoder as an ONNX graph, built from its weights: no torch, no export.

Pooling and normalisation are part of the graph. The fused operators of ONNX Runtime (its domain
`com.microsoft`) are written down directly, so that nothing is left to optimise at load time. The
weights stay where they are in memory; the graph only names them.

Source: Devlin et al. 2019, "BERT: Pre-training of Deep Bidirectional Transformers for Language
    Understanding", section 3; Vaswani et al. 2017, "Attention Is All You Need", equation 1 (scaled
    dot-product attention) and section 3.3; Hendrycks & Gimpel 2016, "Gaussian Error Linear Units",
    section 2 (the exact GELU, by erf); Ba et al. 2016, "Layer Normalization", equation 4; Reimers &
    Gurevych 2019, "Sentence-BERT", section 3 (mean pooling).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engram_lab.core.errors import EmbedderError
from engram_lab.retrieval.embedders.onnx_session import onnx_package

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["SENTENCES", "TOKENS", "BertGraph", "bert_graph"]

SENTENCES: Final = "sentence_embedding"
"""Output float32 [n, dim]: the mean of a text's token vectors, of length 1."""

TOKENS: Final = "token_embeddings"
"""Output float32 [n, tokens, dim]: the last layer, not normalised, [CLS] and [SEP] included."""

_FUSED: Final = "com.microsoft"


@dataclass(frozen=True, slots=True)
class BertGraph:
    """A graph, and the weights that it names.

    Attributes:
        model: ONNX bytes, of some kilobytes. Inputs `input_ids` and `attention_mask`, int64
            [n, tokens]; outputs `SENTENCES` and `TOKENS`.
        weights: By name, what the graph says lies outside of it.
    """

    model: bytes
    weights: Mapping[str, NDArray[np.float32]]


@dataclass(slots=True)
class _Writer:
    """Writes the graph down: nodes in order, weights by name."""

    source: Mapping[str, NDArray[Any]]
    helper: Any
    epsilon: float
    nodes: list[Any] = field(default_factory=list)
    weights: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def read(self, name: str) -> NDArray[np.float32]:
        try:
            return np.asarray(self.source[name], np.float32)
        except KeyError:
            raise EmbedderError(
                f"the weights hold no tensor {name!r}: give those of a BERT encoder"
            ) from None

    def weight(self, name: str, value: NDArray[np.float32] | None = None) -> str:
        self.weights[name] = np.ascontiguousarray(self.read(name) if value is None else value)
        return name

    def transposed(self, name: str) -> str:
        return self.weight(name, self.read(name).T)

    def put(
        self, kind: str, inputs: list[str], output: str, domain: str = "", **attributes: Any
    ) -> str:
        node = self.helper.make_node(kind, inputs, [output], domain=domain, **attributes)
        self.nodes.append(node)
        return output

    def embeddings(self) -> str:
        """Words, positions and the first segment, summed and normalised."""
        base = "embeddings."
        words = self.weight(f"{base}word_embeddings.weight")
        segment = self.read(f"{base}token_type_embeddings.weight")[0]
        self.weight("positions", self.read(f"{base}position_embeddings.weight") + segment)
        self.put("Gather", [words, "input_ids"], "words")
        self.put("Shape", ["input_ids"], "length", start=1, end=2)
        self.put("Slice", ["positions", "zero", "length", "zero"], "places")
        self.put("Add", ["words", "places"], "embedded")
        scale = self.weight(f"{base}LayerNorm.weight")
        shift = self.weight(f"{base}LayerNorm.bias")
        return self.put(
            "LayerNormalization",
            ["embedded", scale, shift],
            "hidden",
            axis=-1,
            epsilon=self.epsilon,
        )

    def attention(self, layer: str, hidden: str, heads: int) -> str:
        """Every token looks at every other; the three projections are computed as one."""
        parts = [f"{layer}.attention.self.{part}" for part in ("query", "key", "value")]
        joined = np.concatenate([self.read(f"{part}.weight").T for part in parts], axis=1)
        shift = np.concatenate([self.read(f"{part}.bias") for part in parts])
        inputs = [
            hidden,
            self.weight(f"{layer}.qkv.weight", joined),
            self.weight(f"{layer}.qkv.bias", shift),
            "mask",
        ]
        seen = self.put("Attention", inputs, f"{layer}.seen", _FUSED, num_heads=heads)
        return self.added(f"{layer}.attention.output", seen, hidden)

    def added(self, block: str, values: str, hidden: str) -> str:
        """A linear map, then the sum with what came in, normalised."""
        mapped = self.put(
            "MatMul", [values, self.transposed(f"{block}.dense.weight")], f"{block}.mapped"
        )
        parts = ("LayerNorm.weight", "LayerNorm.bias", "dense.bias")
        inputs = [mapped, hidden, *(self.weight(f"{block}.{part}") for part in parts)]
        return self.put(
            "SkipLayerNormalization", inputs, f"{block}.sum", _FUSED, epsilon=self.epsilon
        )

    def feed_forward(self, layer: str, hidden: str) -> str:
        """Each token by itself: wider, the exact GELU, and narrow again."""
        block = f"{layer}.intermediate"
        wide = self.put(
            "MatMul", [hidden, self.transposed(f"{block}.dense.weight")], f"{block}.mapped"
        )
        shift = self.weight(f"{block}.dense.bias")
        bent = self.put("BiasGelu", [wide, shift], f"{block}.bent", _FUSED)
        return self.added(f"{layer}.output", bent, hidden)

    def pooled(self, tokens: str) -> None:
        """The sum over the tokens, of length 1: the mean points the same way."""
        self.put("Unsqueeze", ["share", "one"], "row")  # [n, 1, tokens]
        self.put("MatMul", ["row", tokens], "sums")  # [n, 1, dim]
        self.put("Squeeze", ["sums", "one"], "sum")
        self.put("LpNormalization", ["sum"], SENTENCES, axis=1, p=2)


def bert_graph(
    weights: Mapping[str, NDArray[Any]], *, layers: int, heads: int, epsilon: float
) -> BertGraph:
    """Return the graph of a BERT sentence encoder.

    Args:
        weights: By the names of the Hugging Face model `BertModel`; matrices are [out, in].
        layers: How many layers the encoder has.
        heads: How many heads its attention has.
        epsilon: What keeps its normalisation from dividing by zero.

    Raises:
        EmbedderError: A tensor is missing.
        MissingDependencyError: The package `onnx` is absent.
    """
    onnx = onnx_package("onnx", package="onnx")
    helper, types = onnx.helper, onnx.TensorProto
    writer = _Writer(weights, helper, epsilon)
    writer.put("Cast", ["attention_mask"], "mask", to=types.INT32)
    writer.put("Cast", ["attention_mask"], "share", to=types.FLOAT)
    hidden = writer.embeddings()
    for number in range(layers):
        layer = f"encoder.layer.{number}"
        hidden = writer.feed_forward(layer, writer.attention(layer, hidden, heads))
    writer.put("Identity", [hidden], TOKENS)
    writer.pooled(TOKENS)
    dim = len(writer.weights["embeddings.LayerNorm.bias"])
    graph = helper.make_graph(
        writer.nodes,
        "bert",
        [
            helper.make_tensor_value_info(name, types.INT64, ["texts", "tokens"])
            for name in ("input_ids", "attention_mask")
        ],
        [
            helper.make_tensor_value_info(SENTENCES, types.FLOAT, ["texts", dim]),
            helper.make_tensor_value_info(TOKENS, types.FLOAT, ["texts", "tokens", dim]),
        ],
        [
            helper.make_tensor("zero", types.INT64, [1], [0]),
            helper.make_tensor("one", types.INT64, [1], [1]),
            *(_outside(onnx, name, value) for name, value in writer.weights.items()),
        ],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(_FUSED, 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    return BertGraph(model.SerializeToString(), writer.weights)


def _outside(onnx: Any, name: str, value: NDArray[np.float32]) -> Any:
    """Declare a tensor that the session is given from memory; no file of that name is read."""
    tensor = onnx.TensorProto(name=name, data_type=onnx.TensorProto.FLOAT, dims=value.shape)
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="memory")
    return tensor

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pytest

from engram_lab import Engine, EngineConfig
from engram_lab.core.errors import EmbedderError, InvalidInputError, MissingDependencyError
from engram_lab.retrieval.embedders.open_clip import OpenClipEmbedder
from engram_lab.retrieval.embedders.protocol import ImageEmbedder, TokenEmbedder
from engram_lab.retrieval.embedders.registry import EmbedderOptions, resolve
from engram_lab.retrieval.embedders.torchvision_shim import prepare_torchvision
from engram_lab.testing import check_embedder

if TYPE_CHECKING:
    from pathlib import Path

needs_it = pytest.mark.skipif(
    find_spec("open_clip") is None, reason="open-clip-torch belongs to the extra clip"
)
# Those of torch and timm are not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")

CONFIG = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {
        "context_length": 77,
        "vocab_size": 49408,
        "width": 32,
        "heads": 2,
        "layers": 2,
    },
}


def make_model(folder: Path, seed: int) -> Path:
    """Save a tiny model with random weights, as a folder that OpenCLIP loads."""
    prepare_torchvision()
    torch: Any = import_module("torch")
    torch.manual_seed(seed)
    model = import_module("open_clip.model").CLIP(**CONFIG)
    # As made, its words are all but alike: a random model must be told to see a difference.
    with torch.no_grad():
        model.token_embedding.weight.mul_(40)
    folder.mkdir()
    import_module("safetensors.torch").save_file(
        {name: each.contiguous() for name, each in model.state_dict().items()},
        folder / "open_clip_model.safetensors",
    )
    preprocess = {"mean": [0.5] * 3, "std": [0.25] * 3, "interpolation": "bicubic"}
    (folder / "open_clip_config.json").write_bytes(
        orjson.dumps({"model_cfg": CONFIG, "preprocess_cfg": preprocess})
    )
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("models") / "tiny", seed=3)


@pytest.fixture(scope="module")
def embedder(model: Path) -> OpenClipEmbedder:
    return OpenClipEmbedder(f"local-dir:{model}", batch=3)


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    images = pytest.importorskip("PIL.Image", reason="pillow belongs to the extra clip")
    rng = np.random.default_rng(2)
    paths = []
    for number, (mode, suffix) in enumerate(
        [("RGB", "png"), ("L", "png"), ("RGBA", "png"), ("RGB", "jpg"), ("P", "gif")]
    ):
        pixels = rng.integers(0, 255, (40, 50, 3), np.uint8)
        path = tmp_path / f"{number}.{suffix}"
        images.fromarray(pixels).convert(mode).save(path)
        paths.append(path)
    return paths


@needs_it
def test_it_is_an_embedder_of_texts_and_images(embedder: OpenClipEmbedder) -> None:
    check_embedder(embedder)
    assert isinstance(embedder, ImageEmbedder)
    assert not isinstance(embedder, TokenEmbedder)
    assert embedder.dim == 24


@needs_it
def test_texts_give_what_the_library_gives(model: Path, embedder: OpenClipEmbedder) -> None:
    open_clip: Any = import_module("open_clip")
    torch: Any = import_module("torch")
    genuine, _ = open_clip.create_model_from_pretrained(f"local-dir:{model}")
    tokens = open_clip.get_tokenizer(f"local-dir:{model}")(["a blue door", "a violin"])
    with torch.inference_mode():
        wanted = genuine.encode_text(tokens, normalize=True).numpy()

    found = embedder.embed(["a blue door", "a violin"], kind="query")

    np.testing.assert_allclose(found, wanted, atol=1e-6)


@needs_it
def test_images_of_every_mode_give_unit_rows_in_order(
    embedder: OpenClipEmbedder, pictures: list[Path]
) -> None:
    rows = embedder.embed_images(pictures)

    assert rows.shape == (5, 24)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    for row, path in zip(rows, pictures, strict=True):
        np.testing.assert_allclose(embedder.embed_images([str(path)])[0], row, atol=1e-6)
    assert len({tuple(row) for row in rows.round(3).tolist()}) == 5


@needs_it
def test_a_file_that_is_no_image_is_named(
    embedder: OpenClipEmbedder, pictures: list[Path], tmp_path: Path
) -> None:
    text = tmp_path / "notes.png"
    text.write_text("not an image", encoding="utf-8")
    with pytest.raises(InvalidInputError, match=r"row 2: the file '.*notes\.png' is no image"):
        embedder.embed_images([*pictures[:2], text])
    with pytest.raises(InvalidInputError, match=r"row 0: there is no file '.*gone\.png'"):
        embedder.embed_images([tmp_path / "gone.png"])
    with pytest.raises(InvalidInputError, match=r"row 0: the file '.*' is no image"):
        embedder.embed_images([tmp_path])
    with pytest.raises(InvalidInputError, match=r"paths is the single path .*: give a list"):
        embedder.embed_images(text)  # type: ignore[arg-type]


@needs_it
def test_the_fingerprint_follows_the_weights_and_not_the_folder(
    embedder: OpenClipEmbedder, tmp_path: Path
) -> None:
    (tmp_path / "again").mkdir()
    (tmp_path / "other").mkdir()
    again = make_model(tmp_path / "again" / "tiny", seed=3)
    other = make_model(tmp_path / "other" / "tiny", seed=4)
    assert OpenClipEmbedder(f"local-dir:{again}").fingerprint == embedder.fingerprint
    assert OpenClipEmbedder(f"local-dir:{other}").fingerprint != embedder.fingerprint
    assert embedder.fingerprint.startswith("clip/tiny/own/")


@needs_it
def test_options_describe_it(model: Path, embedder: OpenClipEmbedder) -> None:
    assert resolve(f"clip:local-dir:{model}").fingerprint == embedder.fingerprint
    assert resolve("clip", EmbedderOptions(path=str(model))).fingerprint == embedder.fingerprint
    with pytest.raises(InvalidInputError, match="has 24 dimensions, not 25: set no dim"):
        resolve("clip", EmbedderOptions(path=str(model), dim=25))


@needs_it
@pytest.mark.parametrize("cached", [False, True])
def test_an_engine_recalls_an_image_by_its_look(
    model: Path,
    pictures: list[Path],
    tmp_path: Path,
    cached: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    told = {"model": f"clip:local-dir:{model}", "cache": str(tmp_path / "c") if cached else None}
    config = EngineConfig.from_dict({"embedding": told})
    with Engine.open(":memory:", config=config) as engine:
        assert isinstance(engine.embedder, ImageEmbedder)
        looks = engine.embedder.embed_images(pictures)
        with engine.store.transaction():
            rows = [{"content": path.name} for path in pictures]
            ids = engine.store.memories.remember_many(rows).ids
            engine.store.vectors.put(engine.embedder.fingerprint, ids, looks)
        assert engine.embed().complete == len(pictures)
        for id_, look in zip(ids, looks, strict=True):
            best = engine.recall("a look", k=1, strategy="semantic", vector=look)[0]
            assert best.id == id_
            assert best.score == pytest.approx(1, abs=1e-5)


@needs_it
@pytest.mark.parametrize("name", ["local-dir:nowhere", "ViT-B-32:no-such-weights", "NoSuch:tag"])
def test_a_model_that_cannot_be_loaded_is_refused(name: str) -> None:
    with pytest.raises(EmbedderError, match="cannot be loaded by OpenCLIP"):
        resolve(f"clip:{name}")


def test_random_weights_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="'ViT-B-32' has no weights: say which, as in"):
        resolve("clip:ViT-B-32")


def test_without_a_model_it_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="say clip:NAME:WEIGHTS, or set the path of one"):
        resolve("clip")


def test_the_missing_package_comes_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "\.\[clip\]"'):
        resolve("clip:ViT-B-32:any")

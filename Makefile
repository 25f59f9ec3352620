# Every target sets up what it needs; none needs root, and only the Docker tests need an engine.
VENV ?= .venv
INSTALL ?= -e .
BIN := $(CURDIR)/$(VENV)/bin
EXAMPLE := examples/stdlib-docs
RUNTIME ?= process

.PHONY: help demo demo-runpod test check wheel bench setup-run setup-dev

help:
	@echo "make demo    train a small language model on the documentation inside Python itself"
	@echo "make demo-runpod   play a RunPod here and deploy to it (needs Docker)"
	@echo "make test    run all tests (the Docker ones when an engine answers)"
	@echo "make check   lint, format, types, layers"
	@echo "make bench   the benchmarks, as tables"

demo: setup-run
	$(BIN)/python $(EXAMPLE)/prepare.py
	cd $(EXAMPLE) && $(BIN)/deploy -f pretrain.yaml --runtime $(RUNTIME)
	cd $(EXAMPLE) && $(BIN)/deploy -f adapt.yaml --runtime $(RUNTIME)
	cd $(EXAMPLE) && $(BIN)/longshore report
	$(BIN)/longshore gc

demo-runpod: setup-dev
	scripts/demo-runpod.sh $(BIN)

test: setup-dev
	$(BIN)/python -m pytest $(ARGS)

check: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup-dev
	for name in cli_start build_image train_overhead deploy_overhead pod_overhead sync poll_loop; do $(BIN)/python -m benchmarks.$$name || exit 1; done

wheel: setup-dev
	$(BIN)/python -m build --wheel --outdir dist .

setup-run:
	@scripts/setup.sh $(VENV) "$(INSTALL)"

setup-dev:
	@scripts/setup.sh $(VENV) "$(INSTALL)" --group dev

# Paquebot's daily commands. `make` alone lists them.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
# Processes that share the tests of `make test`, which wait much; 0: one alone, as pytest by hand.
WORKERS ?= 3
# Services are started by the hundred: without byte code each would compile itself again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo up test chaos kube helm cluster cluster-test strangers lint protos docs bench soak fuzz clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The lock file decides: same hashes, same installation, whatever index it comes from.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	@echo "Setting up $(VENV) (once) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY) ## real mail through all services to a small internet on loopback [MAIL=your.mbox]
	@$(BIN)/paquebot demo $(if $(MAIL),--mail "$(MAIL)")

up: $(READY) ## the platform on this machine, from examples/, with the sandbox, until Ctrl-C
	@$(BIN)/paquebot up -f examples --sandbox

test: $(READY) lint ## everything but the cluster: lint, types, import contracts, generated files, all tests
	@$(BIN)/python hack/nats_server.py
	@$(BIN)/python -m pytest --ignore=tests/cluster -n $(WORKERS) --dist loadfile --no-loadscope-reorder

chaos: $(READY) ## mail under load while everything breaks, seeded; an account at the end [SEED=7 MINUTES=2 SERVERS=3 RATE=30 GAP=4 ONLY=nats]
	@$(BIN)/python hack/nats_server.py
	@PYTHONPATH=tests $(BIN)/python -m chaos --seed $(or $(SEED),0) --minutes $(or $(MINUTES),2) \
		--servers $(or $(SERVERS),1) --rate $(or $(RATE),30) --gap $(or $(GAP),4) $(if $(ONLY),--only "$(ONLY)")

kube: ## build what the tests of operator and chart need: etcd, a Kubernetes control plane, Helm (once; needs Go)
	@$(PYTHON) hack/kube_assets.py
	@$(PYTHON) hack/helm.py

cluster: $(READY) ## Paquebot from its chart on a cluster on this machine, and a shell with its kubectl; as root, after `make kube`
	@$(BIN)/python hack/nats_server.py
	@$(BIN)/python hack/in_namespace.py $(BIN)/python hack/cluster.py

cluster-test: $(READY) ## tests/cluster: whole stories on a cluster of processes; as root, after `make kube`
	@$(BIN)/python hack/nats_server.py
	@$(BIN)/python hack/in_namespace.py $(BIN)/python -m pytest -o cache_dir=.pytest_cache/cluster tests/cluster

helm: ## build Helm 4, which tests/chart and the cluster need (once; needs Go)
	@$(PYTHON) hack/helm.py

strangers: $(READY) ## all cells of docs/strangers.md; as root, with what hack/strangers.py gets
	@$(BIN)/python hack/strangers.py
	@STRANGERS_FULL=1 CI=true $(BIN)/python -m pytest tests/strangers

lint: $(READY) ## ruff, mypy, import contracts, generated files unchanged
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python hack/protos.py --check
	@$(BIN)/python hack/metrics.py --check
	@$(BIN)/python hack/api_docs.py --check
	@$(BIN)/python hack/scaling_picture.py --check
	@$(BIN)/python hack/chart.py --check
	@$(BIN)/python hack/dashboards.py --check

protos: $(READY) ## generate services/paquebot/pb from protos/
	@$(BIN)/python hack/protos.py

docs: $(READY) ## generate docs/api.md, the tables of docs/metrics.md and docs/scaling.md, its picture, and the chart's generated files from the code
	@$(BIN)/python hack/metrics.py
	@$(BIN)/python hack/api_docs.py
	@$(BIN)/python hack/scaling_picture.py
	@$(BIN)/python hack/chart.py
	@$(BIN)/python hack/dashboards.py

bench: $(READY) ## messages/s, latencies, CPU and memory by process, some 5 minutes [QUICK=1 ONLY=2k] (docs/performance.md)
	@$(BIN)/python bench/throughput.py $(if $(QUICK),--quick) $(addprefix --only ,$(ONLY))

soak: $(READY) ## a long queue: memory, restarts, looks, other mail beside it (docs/performance.md) [MESSAGES=1000000 DOMAINS=20000]
	@$(BIN)/python bench/soak.py --messages $(or $(MESSAGES),1000000) --domains $(or $(DOMAINS),20000)

# An optional tool, by pinned hash: it has wheels for Linux on x86-64 only.
fuzz: $(READY) ## look for inputs that break a parser, target by target [TARGET=server SECONDS=60]
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r fuzz/requirements.txt
	@set -e; for each in $(or $(TARGET),$(patsubst fuzz/target_%.py,%,$(sort $(wildcard fuzz/target_*.py)))); do \
		echo "== $$each"; $(BIN)/python fuzz/run.py $$each $(or $(SECONDS),60); done

clean: ## forget the environment and local state
	rm -rf $(VENV) .paquebot .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

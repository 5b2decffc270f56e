# The verbs of this project. `make` alone lists them.
#
# `make build` compiles into build/gcc; other builds (clang, san, plant, fuzz, arm64, fast) lie
# beside it: `make build KIND=clang`. tools/build knows them all.

KIND    ?= gcc
SEEDS   ?= 50
FIRST   ?= 1
SECONDS ?= 20
RETURNS ?= 500
IMAGE   ?= asg4img

# A shell exports its own SECONDS (its age) only if somebody asked it to; what counts here is the
# command line or the default.
ifneq ($(origin SECONDS),command line)
SECONDS := 20
endif

.PHONY: help setup build fmt clean test check sim negative fuzz bench soak image

help:
	@echo 'make setup      install what is missing (Debian packages; WHAT=test, check or bench)'
	@echo 'make build      compile everything (KIND=gcc, clang, san, plant, fuzz, arm64, fast)'
	@echo 'make fmt        lay the C files out as .clang-format says'
	@echo 'make clean      remove what was built'
	@echo 'make test       unit, corpora, scenarios, 50 seeds, six real nodes    (5 minutes)'
	@echo 'make check      all that must hold before a change lands              (25 minutes)'
	@echo 'make sim        the simulator: SEEDS=n seeds from FIRST=s on'
	@echo 'make negative   the planted bugs: each must be caught'
	@echo 'make fuzz       every fuzz target for SECONDS=n'
	@echo 'make bench      figures: requests, memory, recovery'
	@echo 'make soak       20000 seeds, 500 kills, resumable, into docs/soak.md (SEEDS JOBS RETURNS'
	@echo '                STORMS FUZZ)'
	@echo 'make image      the container image (IMAGE=name)'

setup:
	@tools/setup $(or $(WHAT),check)

build:
	@tools/build $(KIND)

fmt:
	@tools/format-check --fix

clean:
	rm -rf build

test:
	@tools/stages test

check:
	@tools/stages check

sim: build
	@tools/need build/$(KIND)/bin/thence-sim 'the simulator'
	@build/$(KIND)/bin/thence-sim --seeds $(SEEDS) --first $(FIRST)

negative:
	@tools/need tests/negative/run 'the suite of planted bugs'
	@tests/negative/run

fuzz:
	@tools/fuzz $(SECONDS)

bench:
	@tools/need bench/run 'the benchmark'
	@bench/run

soak:
	@tools/need tests/soak/run 'the long run'
	@tests/soak/run $(if $(filter-out file,$(origin SEEDS)),--seeds $(SEEDS)) \
	    $(if $(filter-out file,$(origin FIRST)),--first $(FIRST)) $(if $(JOBS),--jobs $(JOBS)) \
	    --returns $(RETURNS) $(if $(STORMS),--storms $(STORMS)) $(if $(FUZZ),--fuzz $(FUZZ))

image:
	docker build -t $(IMAGE) .

# Entry points for people and CI; CMake presets (CMakePresets.json) do the work. Every build lives in build/<preset>/.
#
#   make            lists the targets
#   make test       the first thing to run after a clone

JOBS ?= $(shell nproc)
# Many tests wait more than they compute: twice as many at a time as there are processors.
CTEST_JOBS ?= $(shell expr 2 \* $(JOBS))
# Extra arguments of ctest, for example: make test TESTS='-R http2 --repeat until-fail:10'
TESTS ?=
# What a sanitizer or gcc run builds, for example: make tsan TARGETS=coro_test TESTS='-R coro'; what make fuzz runs
TARGETS ?= all
# How long `make soak` goes on (300 s) and `make fuzz` spends on each target (60 s)
SECONDS ?=
# Which build `make soak` takes, and which random choices it makes (empty: others each time)
BUILD ?= dev
SEED ?=
DEPS := scripts/deps.sh

.DEFAULT_GOAL := help
.PHONY: help build demo test unit check package-test bench soak fuzz asan tsan ubsan gcc format format-check tidy clean deps

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo:  ## Build a release and show a small cluster at work (ONCE=1: end after the show, non-zero if a step went wrong)
	@$(DEPS) build demo
	@$(MAKE) --no-print-directory release-build
	scripts/demo.sh

test:  ## Install what the tests need, build everything, run all tests (again those only whose inputs changed; ALL=1: all of them)
	@$(DEPS) build test
	cmake --preset dev
	cmake --build --preset dev -j $(JOBS) --target all all_verify_interface_header_sets
	python3 -B test/changed.py --build build/dev $(if $(ALL),--all) -j $(CTEST_JOBS) $(TESTS)

unit:  ## Build everything, then what takes seconds only: unit tests, static checks, inputs of the fuzzers
	@$(DEPS) build test
	cmake --preset dev
	cmake --build --preset dev -j $(JOBS) --target all all_verify_interface_header_sets
	ctest --preset dev -j $(CTEST_JOBS) -L 'unit|check|fuzz' $(TESTS)

build:  ## Build the release: greeter, micro and protoc-gen-micro in build/release/bin
	@$(DEPS) build
	@$(MAKE) --no-print-directory release-build

.PHONY: release-build
release-build:
	cmake --preset release
	cmake --build --preset release -j $(JOBS)

check:  ## Static checks alone: layers, headers, third-party leaks, coroutine lint, folder shape
	@$(DEPS) build test
	cmake --preset dev
	cmake --build --preset dev -j $(JOBS) --target all_verify_interface_header_sets
	ctest --preset dev -j $(CTEST_JOBS) -L check $(TESTS)

package-test: ## Install into a scratch prefix and build programs against it with find_package and add_subdirectory
	@$(DEPS) build test
	cmake --preset dev
	cmake --build --preset dev -j $(JOBS)
	ctest --preset dev -L package $(TESTS)

bench:  ## Build the benchmarks and their peers, run them side by side
	@$(DEPS) build bench
	cmake --preset bench
	cmake --build --preset bench -j $(JOBS)
	bench/run.sh

soak: ## Calls under random faults for SECONDS=300, with the programs of BUILD=dev (or asan, tsan, gcc)
	@$(DEPS) build test
	cmake --preset $(BUILD)
	cmake --build --preset $(BUILD) -j $(JOBS) --target soak_programs
	python3 -B test/soak/run.py --bin build/$(BUILD)/bin --seconds $(or $(SECONDS),300) $(if $(SEED),--seed $(SEED)) \
	  $(if $(filter asan tsan ubsan,$(BUILD)),--slow 10)

# A sanitizer or another compiler: configure, build and test that preset.
asan: ## The tests under the address and undefined-behaviour sanitizers
tsan: ## The tests under the thread sanitizer
ubsan: ## The tests under the undefined-behaviour sanitizer alone
gcc: ## The tests built by GCC
asan tsan ubsan gcc:
	@$(DEPS) build test dev
	cmake --preset $@
	cmake --build --preset $@ -j $(JOBS) --target $(TARGETS)
	ctest --preset $@ -j $(CTEST_JOBS) -LE 'check|package' $(TESTS)

# Seconds for each target.
fuzz: ## Fuzz every parser (SECONDS=60 for each target; TARGETS='http1_request uri' some of them)
	@$(DEPS) build test dev
	cmake --preset fuzz
	cmake --build --preset fuzz -j $(JOBS) --target $(if $(filter all,$(TARGETS)),fuzz_programs,$(addprefix fuzz_,$(TARGETS)))
	python3 test/fuzz/run.py --bin build/fuzz/bin --work build/fuzz/fuzz --seconds $(or $(SECONDS),60) $(filter-out all,$(TARGETS))

format: ## Format all C++ sources with clang-format-19
	@$(DEPS) dev
	git ls-files -co --exclude-standard '*.cpp' '*.hpp' | xargs clang-format-19 -i

format-check: ## Say which sources clang-format-19 would change
	@$(DEPS) dev
	git ls-files -co --exclude-standard '*.cpp' '*.hpp' | xargs clang-format-19 --dry-run -Werror

tidy: ## clang-tidy-19 over what differs from the last commit (all of it: make tidy ALL=1)
	@$(DEPS) build test dev
	cmake --preset dev
	scripts/tidy.sh build/dev $(if $(ALL),--all)

deps: ## Install the packages of every target
	@$(DEPS) build demo test bench dev

clean: ## Remove all build directories
	rm -rf build

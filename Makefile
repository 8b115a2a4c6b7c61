.PHONY: help demo test build setup check clean bench conformance fuzz soak tsan bench-core

help: ## what there is to make
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' $(MAKEFILE_LIST)

demo: ## a canary moved under load through a real Envoy (SOURCE=consul: with a real Consul; KEEP=1: stays up)
	@Scripts/setup $(if $(filter consul,$(SOURCE)),demo-consul,demo)
	@Scripts/build release
	@Examples/demo/demo

test: ## everything that CI runs
	@Scripts/setup test
	@Scripts/check

build: ## .build/debug/signalbox
	@Scripts/build debug

setup: ## install what the others need
	@Scripts/setup test

check: ## like test, without installing anything
	@Scripts/check

bench: ## Signalbox beside go-control-plane, into docs/performance.md
	@Scripts/build release
	@Benchmarks/peers/build
	@Benchmarks/run

bench-core: ## the pure core against Benchmarks/core-thresholds.json
	@Scripts/build release
	@.build/release/signalbox bench core --thresholds Benchmarks/core-thresholds.json

conformance: ## the black-box tests of the xDS protocol, with a release build
	@Scripts/setup test
	@Scripts/build release
	@SIGNALBOX_BIN=$(CURDIR)/.build/release/signalbox Tests/Conformance/run

fuzz: ## random and hostile input for ten minutes
	@SIGNALBOX_FUZZ_SECONDS=150 swift test --filter FuzzTests

soak: ## the system tests in their full sizes, with a release build
	@Scripts/setup test
	@Scripts/build release
	@SIGNALBOX_SOAK=1 SIGNALBOX_BIN=$(CURDIR)/.build/release/signalbox Tests/System/run

tsan: ## the unit tests under the thread sanitizer
	@Scripts/tsan

clean: ## remove what was built and installed here
	rm -rf .build .tools

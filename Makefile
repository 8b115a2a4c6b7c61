.PHONY: help demo test build setup check clean

help: ## what there is to make
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' $(MAKEFILE_LIST)

demo: ## a canary moved under load through a real Envoy (KEEP=1 stays up)
	@Scripts/setup demo
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

clean: ## remove what was built and installed here
	rm -rf .build .tools

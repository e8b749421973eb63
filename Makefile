# What there is to do here. `make` alone lists it; CI runs `make test`.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
HELPER  := internal/sandbox/linuxsandbox/embedded/lamina-init
FUZZTIME ?= 20s

.DEFAULT_GOAL := help
.PHONY: help build helper test check nightly lint generate demo bench fuzz setup clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: helper ## build bin/lamina, one static program
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags="-s -w -X github.com/laminadev/lamina/internal/daemon.version=$(VERSION)" -o bin/lamina ./cmd/lamina

helper: # the sandbox's PID 1, embedded into bin/lamina
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags="-s -w -E github.com/laminadev/lamina/internal/sandbox/helper.entry" -o $(HELPER) ./cmd/lamina-init

test: ## install what the tests need, run the linters, then all tests (as CI does)
	@scripts/test.sh

check: test ## the same as make test

nightly: build ## what takes too long for make test: 500 sandboxes through their whole life, root and not; 300 kills; every fail point; an hour of hostile zips; version 2 of the AWS CLI; a real S3 store
	LAMINA_TEST_MANY=500 $(GO) test -count=1 -v -timeout 20m ./internal/sandbox/linuxsandbox -run '^TestSandbox$$/many'
	LAMINA_TEST_MANY=500 $(GO) test -count=1 -v -timeout 20m ./internal/sandbox/linuxsandbox -run '^TestSandboxRootless$$'
	LAMINA_TEST_KILLS=50 $(GO) test -count=6 -v -timeout 60m ./test/e2e -run '^TestKill$$'
	LAMINA_TEST_FAILPOINTS=all $(GO) test -count=1 -timeout 60m ./internal/control -run 'FailPoint'
	$(GO) test -count=1 -timeout 90m ./internal/layerstore -run '^$$' -fuzz '^FuzzPublish$$' -fuzztime 60m
	LAMINA_JOURNEY_AWS=$$(bash -c '. scripts/lib.sh && aws2') $(GO) test -count=1 -v -timeout 20m ./test/journeys -run '^TestJourneys$$/cli'
	LAMINA_TEST_AWS_CLIENT=all $(GO) test -count=1 -timeout 20m ./internal/runtimes/node -run '^TestRecordsOfAWS$$'
	@scripts/real-s3.sh

lint: ## run the linters: gofmt, go vet, staticcheck, the floors of the house
	@scripts/lint.sh

demo: ## do the main job on real input, step by step (YES=1: ask nothing, KEEP=1: leave the server running)
	@scripts/demo.sh

bench: build ## measure cold start, warm calls, publish and start against their floors
	@scripts/bench.sh

fuzz: helper ## run each fuzz target for FUZZTIME (20s)
	@scripts/fuzz.sh $(FUZZTIME)

setup: ## install only what the tests need
	@scripts/setup.sh

clean: ## remove what was built and installed here
	chmod -R u+w .tools 2>/dev/null || true
	rm -rf bin .tools $(HELPER)

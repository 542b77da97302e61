# Postern. `make help` lists the targets; docs/development.md explains them.

IMG ?= ghcr.io/postern-dev/postern:v0.1.0
REDIS_IMG ?=
PLATFORM ?= linux/$(shell go env GOARCH)
BENCHTIME ?= 2s
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

SHELL = /usr/bin/env bash -o pipefail
.SHELLFLAGS = -ec
MAKEFLAGS += --no-print-directory

# One set of build flags for programs, tests and tools: with others the Go
# toolchain would compile every dependency again. Only the race detector needs C.
export CGO_ENABLED = 0
export GOFLAGS := $(filter-out -trimpath,$(GOFLAGS)) -trimpath

# Tools are pinned in modules of their own and built by the Go toolchain: no
# tool's requirements reach the operator's go.mod, and nothing is installed.
TOOL = go tool -modfile=hack/tools/go.mod
CONTROLLER_GEN = $(TOOL) controller-gen
KUSTOMIZE = $(TOOL) kustomize
KUBECTL ?= $(shell command -v kubectl || echo '$$(hack/controlplane/assets)/kubectl')
LDFLAGS = -s -w -X github.com/postern-dev/postern/cli/version.Version=$(VERSION)
TARGET = GOOS=$(word 1,$(subst /, ,$(PLATFORM))) GOARCH=$(word 2,$(subst /, ,$(PLATFORM)))
GENERATED = api/v1alpha1/zz_generated.deepcopy.go config/crd/bases config/rbac/role.yaml docs charts

.DEFAULT_GOAL := build

##@ General

.PHONY: help
help: ## Show this help.
	@awk 'BEGIN {FS = ":.*##"; print "Usage: make <target> [VARIABLE=value]"} \
	  /^[a-z0-9-]+:.*?##/ {printf "  \033[36m%-14s\033[0m %s\n", $$1, $$2} \
	  /^##@/ {printf "\n\033[1m%s\033[0m\n", substr($$0, 5)}' $(MAKEFILE_LIST)

.PHONY: demo
demo: build installer ## Show the whole path on this machine; Ctrl-C ends it (DEMO_EXIT=1: check every step and exit).
	@hack/redis
	@go build -o bin/demo ./hack/demo
	@assets=$$(hack/controlplane/assets) && KUBEBUILDER_ASSETS=$$assets DEMO_EXIT=$(DEMO_EXIT) \
	  exec bin/demo -postern bin/postern -install dist/install.yaml

##@ Development

.PHONY: generate
generate: ## Generate DeepCopy methods.
	$(CONTROLLER_GEN) object paths=./api/...

.PHONY: manifests
manifests: ## Generate CRDs and the manager's ClusterRole.
	$(CONTROLLER_GEN) crd paths=./api/... output:crd:dir=config/crd/bases
	$(CONTROLLER_GEN) rbac:roleName=postern-manager paths=./controllers/... output:rbac:dir=config/rbac

.PHONY: docs
docs: manifests ## Generate the field tables of the kinds' pages from the CRDs.
	go run ./hack/docs

.PHONY: chart
chart: manifests ## Generate what the Helm chart repeats: CRDs, rules, schema and table of the values.
	go run ./hack/chart
	go run ./hack/dashboards

.PHONY: fmt
fmt: ## Format the code.
	gofmt -w $$(git ls-files '*.go')

.PHONY: vet
vet: ## Run go vet.
	go vet ./...
	go vet -tags e2e ./test/e2e/...

.PHONY: lint
lint: bin/lint ## Run golangci-lint with the Kubernetes API linter; the import rules are the architecture.
	bin/lint run ./...

.PHONY: lint-fix
lint-fix: bin/lint ## Run the linters and repair what they can repair.
	bin/lint run --fix ./...

.PHONY: vulncheck
vulncheck: ## Look for known vulnerabilities that the code reaches; needs vuln.go.dev.
	$(TOOL) govulncheck ./...

.PHONY: verify
verify: generate manifests docs chart ## Regenerate everything and fail when something differs from what is committed.
	@hack/verify $(GENERATED)

.PHONY: helm-lint
helm-lint: bin/helm ## Lint the Helm chart with its default values; `make test` lints it with all of the tests' values.
	bin/helm lint --strict --quiet charts/postern

.PHONY: tidy
tidy: ## Tidy every module.
	@for module in . hack/controlplane hack/lint hack/tools hack/tools/helm; do (cd $$module && go mod tidy); done

##@ Tests

.PHONY: test
test: bin/helm ## Run all tests: unit, golden, fuzz seeds, real Redis, real API server; the receiver with the race detector.
	@hack/redis
	@hack/prometheus || echo "test: without prometheus the tests of alerts and dashboards are skipped" >&2
	@assets=$$(hack/controlplane/assets) && KUBEBUILDER_ASSETS=$$assets hack/test

QUICK = ./receiver/body ./receiver/event ./receiver/expr ./receiver/route/... ./receiver/table ./receiver/verify/... \
	./controllers/compile ./controllers/resources ./controllers/status ./cli/...

.PHONY: quick
quick: ## Run the tests that need nothing but Go: schemes, routes, tables, compiled objects, commands.
	go test -short $(QUICK)

.PHONY: check-dashboards
check-dashboards: ## Run every query of the dashboards against a Prometheus and a receiver at work (UPDATE=1: draw their pictures).
	@hack/redis
	@hack/prometheus
	@assets=$$(hack/controlplane/assets) && KUBEBUILDER_ASSETS=$$assets \
	  go test ./test/dashboards -count 1 $(if $(UPDATE),-update)

CHAOS = hack/chaos $(if $(SEED),-seed $(SEED)) $(if $(OUT),-out $(OUT))

.PHONY: chaos
chaos: build installer ## Break everything while events flow and judge the history (SEED, DURATION=5m, SCENARIO, EVENTS, FAULTS, ROUNDS).
	@$(CHAOS) -duration $(or $(DURATION),5m) $(if $(SCENARIO),-scenario $(SCENARIO)) $(if $(ROUNDS),-rounds $(ROUNDS)) \
	  $(if $(EVENTS),-events $(EVENTS)) $(if $(FAULTS),-faults $(FAULTS))

.PHONY: chaos-mutants
chaos-mutants: build installer ## Run known-bad builds, every one of which the checker must catch (MUTANTS=all, SEED, ROUNDS, RATE).
	@$(CHAOS) -mutants $(or $(MUTANTS),all) $(if $(ROUNDS),-rounds $(ROUNDS)) $(if $(RATE),-rate $(RATE))

.PHONY: chaos-short
chaos-short: build installer ## The same in five minutes with fixed seeds: no fault, three seeds of faults, five mutants.
	@hack/chaos -seed 1 -duration 60s -scenario control,mix,replicas -rounds 3
	@hack/chaos -seed 1 -mutants ack-before-store,mark-first,everysec,pop-without-lease,no-fence

.PHONY: bench
bench: ## Run the benchmarks (BENCHTIME=2s).
	@hack/redis
	go test -run '^$$' -bench . -skip 'Isolation|Flood' -benchmem -benchtime $(BENCHTIME) ./receiver/...

.PHONY: bench-isolation
bench-isolation: ## Compare deliveries alone with those beside dead, slow and busy neighbours.
	@hack/redis
	go test -run '^$$' -bench Isolation -benchtime 1x ./receiver/deliver

.PHONY: bench-flood
bench-flood: ## Compare a client's answers alone with those beside another client's invalid requests at full speed.
	@hack/redis
	go test -run '^$$' -bench Flood -benchtime 1x ./receiver/server

.PHONY: bench-ack
bench-ack: ## Compare durable answers and deliveries with a server that only verifies (BENCH='-parts acks').
	@hack/redis
	@go build -o bin/bench ./test/bench && exec bin/bench $(BENCH)

.PHONY: bench-scale
bench-scale: build installer ## Measure thousands of endpoints on a local control plane (SCALE='-endpoints 1000 -namespaces 50').
	@hack/redis
	@go build -o bin/scale ./test/scale
	@assets=$$(hack/controlplane/assets) && KUBEBUILDER_ASSETS=$$assets exec bin/scale $(SCALE)

.PHONY: fuzz
fuzz: ## Fuzz every parser for a while each (FUZZTIME=30s).
	@hack/fuzz $(or $(FUZZTIME),30s)

.PHONY: e2e
e2e: bin/helm ## Test the deployment in the cluster of KUBECONFIG; needs the images IMG, REDIS_IMG and E2E_IMG in it.
	IMG=$(IMG) REDIS_IMG=$(REDIS_IMG) E2E_IMG=$(E2E_IMG) \
	  go test -tags e2e -count 1 -timeout 15m -v ./test/e2e/...

##@ Build

.PHONY: build
build: ## Build bin/postern.
	go build -ldflags "$(LDFLAGS)" -o bin/postern .

.PHONY: run
run: build ## Run the manager on this machine against the cluster of KUBECONFIG.
	bin/postern manager --metrics-bind-address 0

.PHONY: docker-build
docker-build: ## Build the image IMG with a container engine.
	docker build --build-arg VERSION=$(VERSION) -t $(IMG) .

.PHONY: image
image: ## Build the image IMG without a container engine: dist/postern.tar (docker-archive).
	$(TARGET) go build -ldflags "$(LDFLAGS)" -o dist/image/postern .
	go run ./hack/image -tag $(IMG) -platform $(PLATFORM) -version $(VERSION) -o dist/postern.tar dist/image/postern

.PHONY: e2e-image
e2e-image: ## Build the end-to-end tests' image E2E_IMG in the same way: dist/e2e.tar.
	$(TARGET) go build -ldflags "$(LDFLAGS)" -o dist/image/postern .
	$(TARGET) go build -o dist/image/e2e-agent ./test/e2e/agent
	go run ./hack/image -tag $(E2E_IMG) -platform $(PLATFORM) -o dist/e2e.tar dist/image/e2e-agent dist/image/postern

.PHONY: installer
installer: ## Write dist/install.yaml and dist/receiver.yaml for the images IMG and REDIS_IMG.
	@hack/installer "$(IMG)" "$(REDIS_IMG)"

.PHONY: chart-package
chart-package: bin/helm chart ## Write the chart's archive to dist (CHART_VERSION=, APP_VERSION=).
	bin/helm package --destination dist $(addprefix --version ,$(CHART_VERSION)) \
	  $(addprefix --app-version ,$(APP_VERSION)) charts/postern

.PHONY: clean
clean: ## Remove what make built in the tree.
	rm -rf bin dist

##@ Deployment

.PHONY: install
install: manifests ## Install the CRDs into the cluster of KUBECONFIG.
	$(KUBECTL) apply --server-side -k config/crd

.PHONY: uninstall
uninstall: ## Remove the CRDs, and with them every WebhookEndpoint and WebhookReceiver.
	$(KUBECTL) delete --ignore-not-found -k config/crd

.PHONY: deploy
deploy: installer ## Deploy manager and receiver, image IMG, to the cluster of KUBECONFIG.
	$(KUBECTL) apply --server-side -f dist/install.yaml
	$(KUBECTL) wait --for=condition=Established --timeout=60s -f config/crd/bases
	$(KUBECTL) apply --server-side -f dist/receiver.yaml

.PHONY: undeploy
undeploy: installer ## Remove everything that deploy made. Queued events go with it.
	$(KUBECTL) delete --ignore-not-found webhookendpoints,webhookreceivers --all --all-namespaces --timeout=120s
	$(KUBECTL) delete --ignore-not-found -f dist/install.yaml

bin/lint: hack/lint/go.mod hack/lint/go.sum hack/lint/main.go
	@echo "building golangci-lint: some minutes the first time"
	go build -C hack/lint -ldflags "-s -w" -o ../../bin/lint .

bin/helm: hack/helm hack/tools/helm/go.mod hack/tools/helm/go.sum
	@echo "building helm: some minutes the first time"
	@hack/helm

tool = go tool -modfile=$(CURDIR)/tools/go.mod
fuzztime = 30s

test: ## run the tests
	go test ./...

lint: ## check the code and its formatting
	$(tool) golangci-lint run ./...
	for module in examples/export examples/integrations examples/sync internal/contract/check; do (cd $$module && $(tool) golangci-lint run ./...) || exit; done

fuzz: ## fuzz each target for fuzztime
	set -e; targets=$$(go test -list '^Fuzz' ./internal/conformance | grep '^Fuzz'); for target in $$targets; do go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(fuzztime) ./internal/conformance; done

contract: ## compare the SDK with the newest schema of authentik; needs npm
	set -e; work=$$(mktemp -d); npm pack --silent --pack-destination $$work @goauthentik/api@latest; \
	tar -xzOf $$work/*.tgz package/schema.yml >$$work/schema.yml; \
	go run -C internal/contract/check . $$work/schema.yml

bench: ## measure against generated clients: renews bench/go1.26.md and bench/go1.27.md
	cd bench && go generate ./rivals
	set -e; cd bench; for go in 1.26.8 1.27.4; do export GOTOOLCHAIN=go$$go; (go run . -build; go run ./cost -rounds 3) >go$${go%.*}.md; done

ci: ## run all that has to pass before a change lands
	.ci/run

.PHONY: test lint fuzz contract bench ci

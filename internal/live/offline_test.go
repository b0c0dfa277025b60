package live

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/contract"
	"github.com/authentik-go/authentik/internal/contract/sdk"
)

// TestTablesNameWhatThereIs finds entries of the tables that are about nothing. It
// asks no server.
func TestTablesNameWhatThereIs(t *testing.T) {
	t.Parallel()
	facts, err := contract.ReadFacts()
	if err != nil {
		t.Fatal(err)
	}
	client, err := authentik.NewClient("http://authentik", "x")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{client: client, facts: facts, newest: facts, rules: &contract.Server{}}
	resources, members := s.resources(), map[string]bool{}
	for _, r := range resources {
		if r.request == nil {
			continue
		}
		for name := range sdk.FieldsByTag(r.request, "json") {
			members[name], members[r.path+" "+name] = true, true
		}
	}
	check := func(table, key string) {
		path, isList := strings.CutPrefix(key, "GET ")
		path, option, hasOption := strings.Cut(path, " ")
		_, known := resources[path]
		if isList && hasOption {
			known = known && parameter(facts, path, option) != nil
		}
		if !known && !members[key] {
			t.Errorf("%s: there is no %s", table, key)
		}
	}
	for key := range samples {
		check("samples", key)
	}
	for _, table := range []map[string]string{untried, refused} {
		for key := range table {
			check("untried or refused", key)
		}
	}
	for path, names := range needs {
		for _, name := range names {
			check("needs", path+" "+name)
		}
	}
	for path, values := range copies {
		for name := range values {
			check("copies", path+" "+name)
		}
	}
	for path, options := range always {
		for name := range options {
			check("always", "GET "+path+" "+name)
		}
	}
	for _, path := range slices.Concat(slices.Concat(slices.Collect(maps.Values(concrete))...), slices.Collect(maps.Keys(madeAt)), slices.Collect(maps.Values(madeAt))) {
		check("concrete or madeAt", path)
	}
}

// TestWorkflowRunsEveryRelease looks for the newest patch of each recorded release in
// the workflow.
func TestWorkflowRunsEveryRelease(t *testing.T) {
	t.Parallel()
	facts, err := contract.ReadFacts()
	if err != nil {
		t.Fatal(err)
	}
	workflow, err := os.ReadFile("../../.github/workflows/live.yml")
	if err != nil {
		t.Fatal(err)
	}
	minor := func(version string) string { return version[:strings.LastIndexByte(version, '.')] }
	for i, version := range facts.Versions {
		isNewest := i == len(facts.Versions)-1 || minor(facts.Versions[i+1]) != minor(version)
		if strings.Contains(string(workflow), "- "+version+"\n") != isNewest {
			t.Errorf("the workflow and the facts differ in %s", version)
		}
	}
}

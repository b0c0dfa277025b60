package authentiktest_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"go.yaml.in/yaml/v3"
)

const sampleFlow = "sample-enrollment"

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// importTo imports a blueprint by what the release has for it.
func importTo(t *testing.T, server *authentiktest.Server, release string, blueprint []byte) error {
	t.Helper()
	client := newClient(t, server, 0)
	file := bytes.NewReader(blueprint)
	if release == "" || release == "2026.5" {
		_, err := client.ManagedBlueprints.Import(t.Context(), &authentik.BlueprintUploadRequest{File: file})
		return err
	}
	_, err := client.FlowsInstances.Import(t.Context(), &authentik.FlowUploadRequest{File: file}) //nolint:staticcheck // older releases have no other
	return err
}

// exported are the entries that a server exports: see entries.
func exported(t *testing.T, server *authentiktest.Server) []entry {
	t.Helper()
	text, err := newClient(t, server, 0).FlowsInstances.Export(t.Context(), sampleFlow)
	if err != nil {
		t.Fatal(err)
	}
	return entries(t, string(text))
}

// entry is an entry of a blueprint.
type entry struct {
	Model       string
	State       string
	Identifiers map[string]any
	Attrs       map[string]any
	Conditions  []any
	Permissions []any
}

func (e entry) name() string { // which two servers have in common
	return fmt.Sprint(e.Model, e.Identifiers["slug"], e.Identifiers["name"], e.Identifiers["order"], e.Attrs["name"])
}

// entries are those of a blueprint, in an order that says nothing, as that of a
// server's policies does not, and with names instead of pks.
func entries(t *testing.T, text string) []entry {
	t.Helper()
	var blueprint struct{ Entries []entry }
	for range 2 {
		blueprint.Entries = nil
		if err := yaml.Unmarshal([]byte(text), &blueprint); err != nil {
			t.Fatal(err)
		}
		for _, e := range blueprint.Entries {
			text = strings.ReplaceAll(text, fmt.Sprint(e.Identifiers["pk"]), e.name())
		}
	}
	slices.SortFunc(blueprint.Entries, func(a, b entry) int { return strings.Compare(a.name(), b.name()) })
	return blueprint.Entries
}

// TestExportImports imports a blueprint with all tags, exports the flow that it makes,
// and has the export make the same flow in another server.
func TestExportImports(t *testing.T) {
	t.Parallel()
	for _, release := range []string{"", "2026.5", "2025.10"} {
		first, second := newServer(t), newServer(t)
		for _, server := range []*authentiktest.Server{first, second} {
			if release != "" {
				server.SetRelease(release)
			}
		}
		if err := importTo(t, first, release, readFile(t, "blueprint.yaml")); err != nil {
			t.Fatal(release, err)
		}
		want := exported(t, first)
		second.CoreGroups.Add(authentik.Group{PK: first.CoreGroups.All()[0].PK, Name: "sample-members"})
		export, err := newClient(t, first, 0).FlowsInstances.Export(t.Context(), sampleFlow)
		if err != nil {
			t.Fatal(release, err)
		}
		if err := importTo(t, second, release, export); err != nil {
			t.Fatal(release, err)
		}
		if diff := cmp.Diff(want, exported(t, second)); diff != "" {
			t.Errorf("%s: export and import (-first +second):\n%s", release, diff)
		}
		if err := importTo(t, first, release, readFile(t, "blueprint.yaml")); err != nil { // all is there
			t.Fatal(release, err)
		}
		if diff := cmp.Diff(want, exported(t, first)); diff != "" {
			t.Errorf("%s: a second import (-once +twice):\n%s", release, diff)
		}
		if got := len(second.FlowsBindings.All()); got != 2 {
			t.Errorf("%s: %d bindings", release, got)
		}
	}
}

// TestImportOfServersExport imports what running servers exported, and exports it as
// they do.
func TestImportOfServersExport(t *testing.T) {
	t.Parallel()
	for _, release := range []string{"2026.5", "2025.10"} {
		server := newServer(t)
		server.SetRelease(release)
		recorded := readFile(t, "flow-"+release+".yaml")
		var failed *authentik.FailedError
		err := importTo(t, server, release, recorded)
		if !errors.As(err, &failed) || !strings.Contains(err.Error(), `'create_users_group': [ErrorDetail(string='Invalid pk`) {
			t.Errorf("%s: without the group: %v", release, err)
		}
		if flows := server.FlowsInstances.All(); len(flows) != 0 {
			t.Errorf("%s: a failed import left %d flows", release, len(flows))
		}
		group := regexp.MustCompile(`create_users_group: (\S+)`).FindSubmatch(recorded)
		server.CoreGroups.Add(authentik.Group{PK: uuid.MustParse(string(group[1])), Name: "sample-members"})
		if err := importTo(t, server, release, recorded); err != nil {
			t.Fatal(release, err)
		}
		if diff := cmp.Diff(entries(t, string(recorded)), exported(t, server)); diff != "" {
			t.Errorf("%s: exports (-authentik's +fake's):\n%s", release, diff)
		}
	}
}

// TestRefusedBlueprints has what a running 2026.5 said of each.
func TestRefusedBlueprints(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	server.CoreGroups.Add(authentik.Group{Name: "there"})
	const one = "version: 1\nentries:\n- model: "
	for blueprint, want := range map[string]string{
		"version: 2": "Invalid blueprint version",
		one + "nope.nope\n  identifiers: {name: x}":                                            "App or Model does not exist",
		one + "authentik_core.group\n  attrs: {name: x}":                                       "Entry invalid: No or invalid identifiers",
		one + "authentik_core.group\n  identifiers: {nope: x}":                                 "Cannot resolve keyword 'nope' into field.",
		one + "authentik_core.group\n  identifiers: {name: x}\n  attrs: {is_superuser: maybe}": "Serializer errors {'is_superuser': [ErrorDetail(string='Must be a valid boolean.', code='invalid')]}",
		one + "authentik_core.group\n  state: must_created\n  identifiers: {name: there}":      "{'name': [ErrorDetail(string='State is set to must_created and object exists already', code='unique')]}",
		one + "authentik_core.token\n  identifiers: {identifier: x}":                           "[ErrorDetail(string='Missing user', code='invalid')]",
		one + "authentik_flows.stage\n  identifiers: {name: x}":                                "not allowed",
		one + "authentik_blueprints.metaapplyblueprint\n  attrs: {identifiers: {name: x}}":     "Required blueprint does not exist",
		"a: b: c":                    "405",
		`version: "1"`:               "405",
		"version: 1\nentries: 3":     "405",
		one + "!KeyOf x":             "405",
		one + "x\n  id: !Nope x":     "405",
		"a: &a [*a]\nversion: *a":    "405",
		"- a list lacks all members": "",
	} {
		err := importTo(t, server, "", []byte(blueprint))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s:\n\t%v, want %s", blueprint, err, want)
		}
	}
	if groups := server.CoreGroups.All(); len(groups) != 1 {
		t.Errorf("refused blueprints made %d groups", len(groups)-1)
	}
}

// TestRefusedOnOlder has a tag in an entry that is refused: newer releases fail as they
// log it.
func TestRefusedOnOlder(t *testing.T) {
	t.Parallel()
	for release, want := range map[string]string{"2023.10": "entry invalid: Serializer errors {'is_superuser'", "2025.10": "405"} {
		server := newServer(t)
		server.SetRelease(release)
		blueprint := "version: 1\nentries:\n- {model: authentik_core.group, id: g, identifiers: {name: g}}\n" +
			"- {model: authentik_core.group, identifiers: {name: h}, attrs: {is_superuser: maybe, attributes: {g: !KeyOf g}}}\n"
		if err := importTo(t, server, release, []byte(blueprint)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", release, err, want)
		}
	}
}

// TestBlueprintInstances applies an instance, and has a blueprint apply another one.
func TestBlueprintInstances(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	client := newClient(t, server, 0)
	create := func(name, content string) *authentik.BlueprintInstance {
		made, err := client.ManagedBlueprints.Create(t.Context(), &authentik.BlueprintInstanceRequest{
			Name: name, Content: &content, Context: map[string]any{"name": "by context"},
		})
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	create("group", "version: 1\nmetadata: {name: Group}\nentries:\n- model: authentik_core.group\n  identifiers: {name: !Context [name, by default]}\n")
	other := create("other", "version: 1\nmetadata: {name: Other}\nentries:\n- model: authentik_blueprints.metaapplyblueprint\n  attrs:\n    identifiers: {name: group}\n")
	if groups := server.CoreGroups.All(); len(groups) != 0 {
		t.Fatalf("%d groups before the blueprint is applied", len(groups))
	}
	if _, err := client.ManagedBlueprints.Apply(t.Context(), other.PK); err != nil {
		t.Fatal(err)
	}
	if groups := server.CoreGroups.All(); len(groups) != 1 || groups[0].Name != "by context" {
		t.Errorf("groups %+v", groups)
	}
	applied, err := client.ManagedBlueprints.Retrieve(t.Context(), other.PK)
	if err != nil || applied.Status != authentik.BlueprintInstanceStatusSuccessful || applied.Metadata["name"] != "Other" || len(applied.LastAppliedHash) != 128 {
		t.Errorf("%+v, %v", applied, err)
	}
	bad := "version: 1\nentries:\n- model: nope.nope\n"
	_, err = client.ManagedBlueprints.Create(t.Context(), &authentik.BlueprintInstanceRequest{Name: "bad", Content: &bad})
	if err == nil || !strings.Contains(err.Error(), "- App or Model does not exist") {
		t.Errorf("a bad blueprint: %v", err)
	}
}

// TestTasksOfBlueprints looks in the tasks for why a blueprint failed.
func TestTasksOfBlueprints(t *testing.T) {
	t.Parallel()
	for release, status := range map[string]authentik.TaskAggregatedStatus{"2025.6": "", "2025.8": "warning", "2026.5": "done"} {
		server := newServer(t)
		server.SetRelease(release)
		client := newClient(t, server, 0)
		server.CoreGroups.Add(authentik.Group{Name: "taken"})
		pk := server.ManagedBlueprints.Add(authentik.BlueprintInstance{
			Name: "My groups", Enabled: true, Context: map[string]any{"name": "taken"},
			Content: "version: 1\nentries:\n- model: authentik_core.group\n  identifiers: {pk: 77df7ee3-8b45-4a0a-a70c-cb0e3ac0ea2f}\n  attrs: {name: !Context name}\n",
		}).PK
		for _, want := range []authentik.BlueprintInstanceStatus{"error", "successful", "successful"} { // disabled at last
			before, err := client.ManagedBlueprints.Apply(t.Context(), pk)
			if err != nil {
				t.Fatal(err)
			}
			after, err := client.ManagedBlueprints.Retrieve(t.Context(), pk)
			if err != nil || after.Status != want || !after.LastApplied.After(before.LastApplied) {
				t.Errorf("%s: %+v, %v", release, after, err)
			}
			server.ManagedBlueprints.Update(pk, func(b *authentik.BlueprintInstance) {
				b.Enabled = b.Context["name"] == "taken"
				b.Context = map[string]any{"name": "free"}
			})
		}
		if status == "" {
			continue
		}
		tasks, err := authentik.Collect(client.TasksTasks.All(t.Context(), &authentik.TasksTasksListOptions{RelObjID: pk.String(), ListOptions: authentik.ListOptions{Ordering: "mtime"}}))
		if err != nil || len(tasks) != 3 {
			t.Fatalf("%s: %d tasks, %v", release, len(tasks), err)
		}
		if done, err := tasks[0].Done(); !done || err != nil || tasks[0].AggregatedStatus != status || !strings.Contains(tasks[0].Reason(), "unique") {
			t.Errorf("%s: %+v, %v", release, tasks[0], err)
		}
		if tasks[1].Reason() != "" {
			t.Errorf("%s: %s", release, tasks[1].Reason())
		}
	}
}

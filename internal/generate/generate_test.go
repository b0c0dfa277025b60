package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authentik-go/authentik/internal/contract"
	"github.com/google/go-cmp/cmp"
)

// groups are the facts of a list with a bit of everything.
const groups = `version 2030.2.1
version 2030.4.0

GET core/groups/ core_groups_list
  query is_superuser boolean
  query members_by_pk []integer explode
  query attributes []string @2030.4.0
  query ordering string
  query page integer
  query page_size integer
  query search string
  200 page Group

POST core/groups/ core_groups_create
  body GroupRequest!
  201 Group

GET core/groups/{group_uuid}/ core_groups_retrieve
  path group_uuid uuid!
  200 Group

object Group
  pk uuid! readonly
  name string!
  is_superuser boolean
  parent uuid? @2030.4.0
  attributes object
  users_obj []PartialUser! readonly

object GroupRequest
  name string! min=1
  parent uuid? @2030.4.0

object PartialUser
  pk integer! readonly
  last_login date-time?

enum ModelEnum
  authentik_core.group
`

// planOf plans the facts, and returns the errors but those for the words that so
// few facts do not need.
func planOf(t *testing.T, text string, reserved ...string) (*plan, []string) {
	t.Helper()
	facts, err := contract.ParseFacts(text)
	if err != nil {
		t.Fatal(err)
	}
	result, err := newPlan(facts, new(contract.Servers), reserved, map[string]string{})
	if err == nil {
		t.Fatal("words that match nothing are no error")
	}
	var messages []string
	for _, err := range err.(interface{ Unwrap() []error }).Unwrap() {
		if message := err.Error(); !strings.HasPrefix(message, "overrides.go: ") && !strings.HasPrefix(message, "companions.go: ") {
			messages = append(messages, message)
		}
	}
	return result, messages
}

var renew = flag.Bool("renew", false, "write the file that TestGeneratedFile wants")

func TestGeneratedFile(t *testing.T) {
	t.Parallel()
	result, messages := planOf(t, groups)
	if len(messages) > 0 {
		t.Fatalf("%q", messages)
	}
	var err error
	if result.Facts, err = contract.ReadFacts(); err != nil { // the words of the fake are for all lists
		t.Fatal(err)
	}
	files, err := result.write()
	if err != nil {
		t.Fatal(err)
	}
	if *renew {
		if err := os.WriteFile("testdata/core_groups.go.txt", files["core_groups.go"], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/core_groups.go.txt")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(files["core_groups.go"])); diff != "" {
		t.Errorf("core_groups.go (-want +got):\n%s", diff)
	}
	for name, line := range map[string]string{
		"zz_services.go":                 "CoreGroups *CoreGroupsService // core/groups/",
		"docs/services.md":               "| GET core/groups/ | `CoreGroups.List`, `Pages`, `All` |",
		"internal/contract/sdk/types.go": `"GET core/groups/": reflect.TypeFor[authentik.CoreGroupsListOptions](),`,
		"zz_go126.go":                    "type plainPartialUser PartialUser",
	} {
		if !strings.Contains(string(files[name]), line) {
			t.Errorf("%s lacks %s:\n%s", name, line, files[name])
		}
	}
}

// TestGeneratorAsks finds what the generator cannot decide. Each case changes the
// facts in one place.
func TestGeneratorAsks(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ old, new, want string }{
		"a list without pk": {
			"  pk uuid! readonly\n  name", "  name", "Group: which member tells its objects apart? Decide in identities",
		},
		"a member's type changed": {
			"  is_superuser boolean\n  parent", "  is_superuser boolean @2030.4.0\n  is_superuser string @2030.2.1\n  parent",
			"Group.is_superuser is boolean, and was string until 2030.2: write a type that reads both and name it in lenientTypes",
		},
		"a filter's type changed": {
			"  query is_superuser boolean\n", "  query is_superuser boolean @2030.4.0\n  query is_superuser uuid @2030.2.1\n",
			"GET core/groups/: the parameter is_superuser is boolean, and was uuid: decide in options",
		},
		"an answer's type changed": {
			"_retrieve\n  path group_uuid uuid!\n  200 Group\n", "_retrieve\n  path group_uuid uuid!\n  200 Group @2030.4.0\n  200 []Group @2030.2.1\n",
			"GET core/groups/{group_uuid}/ answers with 200 Group, and did with 200 []Group: decide in addAnswer",
		},
		"two fields of one name": {
			"  attributes object\n", "  attributes object\n  Attributes object\n",
			"Group: two fields would be called Attributes: decide in fieldNames",
		},
		"a type that Go does not have yet": {
			"  name string!\n", "  name binary!\n", "no Go type is known for binary: decide in goType",
		},
		"an object without a sentence": {
			"PartialUser", "NobodyKnows", "NobodyKnows: a sentence is missing in objects",
		},
		"a resource without a noun": {
			"core/groups/", "core/unknown/", "core/unknown/: what its objects are called is missing in nouns",
		},
		"a file for one platform": {
			"core/groups/", "core/linux/", "core_linux.go would not be compiled on every platform: decide on another name in fileName",
		},
		"a file of tests": {
			"core/groups/", "core/test/", "core_test.go would not be compiled on every platform: decide on another name in fileName",
		},
		"a member with the name of a secret": {
			"  attributes object\n", "  attributes object\n  api_token string\n", "Group.api_token: is it a secret? Decide in secrets",
		},
		"a secret that older releases answered": {
			"  name string! min=1\n", "  name string! writeonly min=1\n", "Group.name: is it a secret? Decide in secrets",
		},
		"an operation that is gone": {
			"core_groups_retrieve\n", "core_groups_retrieve @2030.2.1\n",
			"GET core/groups/{group_uuid}/: what newer servers have in its place is missing in successors",
		},
		"a list that is gone": {
			"core_groups_list\n", "core_groups_list @2030.2.1\n",
			"GET core/groups/: what newer servers have in its place is missing in successors",
		},
		"an action without a sentence": {
			"GET core/groups/{group_uuid}/ core_groups_retrieve", "GET core/groups/{group_uuid}/do/ core_groups_do",
			"GET core/groups/{group_uuid}/do/: a sentence is missing in operations",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changed := strings.ReplaceAll(groups, test.old, test.new)
			if changed == groups {
				t.Fatal("the facts have no such place")
			}
			_, messages := planOf(t, changed)
			if !strings.Contains(strings.Join(messages, "\n")+"\n", test.want+"\n") {
				t.Errorf("no %q in %q", test.want, messages)
			}
		})
	}
}

// TestNamesAreKept has authentik rename a schema: its Go name stays.
func TestNamesAreKept(t *testing.T) {
	t.Parallel()
	changed := strings.NewReplacer(
		"users_obj []PartialUser! readonly", "users_obj []PartialUser! readonly @2030.2.1\n  users_obj []ShortUser! readonly @2030.4.0",
		"object PartialUser\n", "object ShortUser @2030.4.0\n  pk integer! readonly\n  last_login date-time?\n\nobject PartialUser @2030.2.1\n",
	).Replace(groups)
	result, _ := planOf(t, changed)
	if got := result.Names["ShortUser"]; got != "ShortUser" {
		t.Errorf("without names.txt, it is called %q", got)
	}
	facts, err := contract.ParseFacts(changed)
	if err != nil {
		t.Fatal(err)
	}
	result, _ = newPlan(facts, new(contract.Servers), nil, readNames("PartialUser PartialUser\nGone Gone\n"))
	if got := result.Names["ShortUser"]; got != "PartialUser" {
		t.Errorf("with names.txt, it is called %q", got)
	}
	if text := string(writeNames(result.Names)); !strings.HasPrefix(text, "Gone Gone\n") || !strings.Contains(text, "\nShortUser PartialUser\n") {
		t.Errorf("names.txt would be\n%s", text)
	}
}

// TestMethodsGrow has a query come to an operation: a second method takes it.
func TestMethodsGrow(t *testing.T) {
	t.Parallel()
	for query, want := range map[string][]string{
		"":                                {"Retrieve(ctx context.Context, pk uuid.UUID)"},
		"  query all boolean\n":           {"Retrieve(ctx context.Context, pk uuid.UUID, opts *CoreGroupsRetrieveOptions)"},
		"  query all boolean @2030.4.0\n": {"Retrieve(ctx context.Context, pk uuid.UUID)", "RetrieveWith(ctx context.Context, pk uuid.UUID, opts *CoreGroupsRetrieveOptions)"},
	} {
		result, _ := planOf(t, strings.Replace(groups, "  path group_uuid uuid!\n", "  path group_uuid uuid!\n"+query, 1))
		var got []string
		for _, m := range result.Resources[0].Methods {
			if strings.HasPrefix(m.Name, "Retrieve") {
				got = append(got, m.Name+"("+m.Takes()+")")
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", query, diff)
		}
	}
}

func TestNameClash(t *testing.T) {
	t.Parallel()
	_, messages := planOf(t, groups, "Group")
	want := []string{"the Go name Group would be of code by hand and of Group: decide in typeNames"}
	if diff := cmp.Diff(want, messages); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOverrideThatMatchesNothing(t *testing.T) {
	t.Parallel()
	facts, err := contract.ParseFacts(groups)
	if err != nil {
		t.Fatal(err)
	}
	_, err = newPlan(facts, new(contract.Servers), nil, map[string]string{})
	for _, want := range []string{
		`overrides.go: nouns has "core/users/", which matches nothing`,
		`overrides.go: lenientTypes has "Device.pk", which matches nothing`,
		`overrides.go: leftOut has "GET schema/", which matches nothing`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q", want)
		}
	}
	if strings.Contains(err.Error(), `nouns has "core/groups/"`) {
		t.Error("a noun that is used is said to match nothing")
	}
}

// TestUpdate writes what is missing or differs, and removes what is stale.
func TestUpdate(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("same.go", "same")
	write("differs.go", "old")
	write("vain.go", mark)
	files := map[string][]byte{"same.go": []byte("same"), "differs.go": []byte("new"), "missing.go": []byte("x")}
	old := []string{"same.go", "differs.go", "vain.go"}
	err := update(root, files, old, true)
	const want = "run go run ./internal/generate: differs.go differs, missing.go is missing, vain.go is stale"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if content, err := os.ReadFile(filepath.Join(root, "differs.go")); err != nil || string(content) != "old" {
		t.Errorf("the check wrote %s, %v", content, err)
	}
	if err := update(root, files, old, false); err != nil {
		t.Fatal(err)
	}
	if err := update(root, files, old[:2], true); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(root, "vain.go")); !os.IsNotExist(err) {
		t.Errorf("vain.go is still there: %v", err)
	}
}

// TestDrafts writes the entries that are missing, which fail until they are replaced.
func TestDrafts(t *testing.T) {
	t.Parallel()
	result, _ := planOf(t, strings.ReplaceAll(groups, "core/groups/", "core/unknown/"))
	if diff := cmp.Diff([]string{"core/unknown/"}, result.drafts["nouns"]); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	file := filepath.Join(t.TempDir(), "overrides.go")
	if err := os.WriteFile(file, []byte("package main\n\nvar nouns = map[string]string{\n\t\"z/\": \"z\",\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := addDrafts(file, result.drafts); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(file)
	const want = "package main\n\nvar nouns = map[string]string{\n\t\"core/unknown/\": \"TODO\",\n\t\"z/\":            \"z\",\n}\n"
	if err != nil || string(content) != want {
		t.Errorf("%s, %v, want %s", content, err, want)
	}
	p := &planner{used: map[string]bool{}}
	override(p, "nouns", map[string]string{"core/unknown/": draft}, "core/unknown/")
	if len(p.errs) != 1 || p.errs[0].Error() != `overrides.go: nouns has a draft of "core/unknown/": write it` {
		t.Errorf("%v", p.errs)
	}
}

// TestNewestReleaseIsNamed finds the newest release that is recorded wherever the
// documentation says how far the SDK goes.
func TestNewestReleaseIsNamed(t *testing.T) {
	t.Parallel()
	facts, err := contract.ReadFacts()
	if err != nil {
		t.Fatal(err)
	}
	newest := facts.Release(len(facts.Versions) - 1)
	for file, line := range map[string]string{
		"README.md":               "serves every authentik from 2023.10 to " + newest,
		"doc.go":                  "2023.10 to " + newest,
		"CHANGELOG.md":            "authentik 2023.10 to " + newest,
		"docs/testing.md":         "answers as authentik " + newest + " does",
		"docs/migrating.md":       "2023.10 to " + newest + " and",
		"authentiktest/server.go": newest + " does",
	} {
		content, err := os.ReadFile(filepath.Join("../..", file))
		if err != nil || !strings.Contains(string(content), line) {
			t.Errorf("%s does not say %q: %v", file, line, err)
		}
	}
}

// TestSearchesThatCameLater holds the table to what running servers search.
func TestSearchesThatCameLater(t *testing.T) {
	t.Parallel()
	servers, err := contract.ReadServers()
	if err != nil {
		t.Fatal(err)
	}
	newest := servers.At(servers.Releases[len(servers.Releases)-1])
	searches := func(list *contract.ServerList) bool { return len(list.Search)+len(list.Queries) > 0 }
	for _, release := range servers.Releases {
		for path, list := range servers.At(release).Lists {
			first, ok := searchSince[path]
			later := newest.Lists[path] != nil && searches(newest.Lists[path]) && list.PageSize > 0 && !searches(list)
			if later != (ok && contract.CompareVersions(release, contract.ReleaseOf(first)) < 0) {
				t.Errorf("%s: %s searches: %t", release, path, searches(list))
			}
		}
	}
}

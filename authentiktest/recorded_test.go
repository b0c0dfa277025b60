package authentiktest

import (
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// recorded reads a file of testdata: what running authentiks answered.
func recorded[T any](t *testing.T, name string) (value T) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err == nil {
		err = json.Unmarshal(b, &value)
	}
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// TestRequired compares what a create misses with what running authentiks missed:
// 2023.10.7, 2025.10.4 and 2026.5.0-rc1, without the connections of sources, which
// changed between that and 2026.5.6.
func TestRequired(t *testing.T) {
	t.Parallel()
	for release, lists := range recorded[map[string]map[string][]string](t, "required.json") {
		for path, want := range lists {
			t.Run(release+"/"+path, func(t *testing.T) {
				t.Parallel()
				s := NewServer()
				t.Cleanup(s.Close)
				s.SetRelease(release)
				var got []string
				for name := range askFor(t, s, http.StatusBadRequest, http.MethodPost, path, map[string]any{}) {
					got = append(got, name)
				}
				slices.Sort(got)
				if diff := gocmp.Diff(want, got); diff != "" {
					t.Errorf("(-authentik +fake):\n%s", diff)
				}
			})
		}
	}
}

// TestKinds compares what objects say of their kind with those of a running
// 2026.5.0-rc1.
func TestKinds(t *testing.T) {
	t.Parallel()
	s := NewServer()
	t.Cleanup(s.Close)
	for path, want := range recorded[map[string]map[string]any](t, "kinds.json") {
		s.AddObjects(path, map[string]any{})
		object := results(t, s, path)[0].(map[string]any)
		for name, value := range want {
			if object[name] != value {
				t.Errorf("%s: %s is %v, want %v", path, name, object[name], value)
			}
		}
	}
}

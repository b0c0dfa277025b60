package main

import (
	"slices"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestExports(t *testing.T) {
	t.Parallel()
	folder := fstest.MapFS{
		"a.go": {Data: []byte(`package authentik

// Flow is documented.
type Flow struct {
	Listed
	Name, Slug string // words
	hidden     int
}

type hidden struct{ Name string }

func (hidden) Method() {}

// Kind is a text.
type Kind string

const (
	KindA Kind = "a"
	kindB Kind = "b"
)

var ErrGone = errors.New("gone")

func Make[T any](name string) (*T, error) { return nil, nil }

func (f *Flow) Rename(
	name string,
) error {
	return nil
}
`)},
		"a_test.go": {Data: []byte("package authentik\nfunc Exported() {}\n")},
		"go126.go":  {Data: []byte("// Words.\n\n//go:build !go1.27\n\npackage authentik\nfunc Old() {}\n")},
	}
	got, err := exports(folder)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"Flow.(embedded) Listed",
		"Flow.Name string",
		"Flow.Slug string",
		`const KindA Kind = "a"`,
		"func (f *Flow) Rename(name string) error",
		"func Make[T any](name string) (*T, error)",
		"type Flow struct",
		"type Kind string",
		"var ErrGone",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	got := compare([]string{"a", "b"}, []string{"b", "c"})
	if want := []string{"- a", "+ c"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

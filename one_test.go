package authentik_test

import (
	"errors"
	"iter"
	"testing"

	"github.com/authentik-go/authentik"
)

func TestOne(t *testing.T) {
	t.Parallel()
	failure := errors.New("the walk failed")
	for _, tt := range []struct {
		name  string
		yield []any // objects and errors
		want  string
		err   error
		read  int
	}{
		{"one", []any{"a"}, "a", nil, 1},
		{"none", nil, "", authentik.ErrNotFound, 0},
		{"two", []any{"a", "b", "c"}, "", authentik.ErrAmbiguous, 2},
		{"failure", []any{failure}, "", failure, 1},
		{"failure after an object", []any{"a", failure}, "", failure, 2},
	} {
		read := 0
		var seq iter.Seq2[*string, error] = func(yield func(*string, error) bool) {
			for _, v := range tt.yield {
				read++
				var goOn bool
				switch v := v.(type) {
				case string:
					goOn = yield(&v, nil)
				case error:
					goOn = yield(nil, v)
				}
				if !goOn {
					return
				}
			}
		}
		got, err := authentik.One(seq)
		if !errors.Is(err, tt.err) || (got == nil) != (tt.want == "") || got != nil && *got != tt.want {
			t.Errorf("%s: %v, error %v", tt.name, got, err)
		}
		if read != tt.read {
			t.Errorf("%s: %d objects read, want %d", tt.name, read, tt.read)
		}
	}
}

func TestOneByName(t *testing.T) {
	t.Parallel()
	server, client := fakeClient(t)
	for _, name := range []string{"a", "b", "bb"} {
		server.StagesPassword.Add(authentik.PasswordStage{Name: name})
	}
	one := func(name string) (*authentik.PasswordStage, error) {
		return authentik.One(client.StagesPassword.All(t.Context(), &authentik.StagesPasswordListOptions{Name: name}))
	}
	if stage, err := one("b"); err != nil || stage.Name != "b" {
		t.Errorf("stage %v, error %v", stage, err)
	}
	if _, err := one("c"); !errors.Is(err, authentik.ErrNotFound) {
		t.Errorf("no such stage: error %v", err)
	} else if got, want := err.Error(), "authentik: not found: no object of type authentik.PasswordStage"; got != want {
		t.Errorf("text %q, want %q", got, want)
	}
	if _, err := one(""); !errors.Is(err, authentik.ErrAmbiguous) {
		t.Errorf("three stages: error %v", err)
	}
}

// TestOneMatch finds an object by what no filter can say.
func TestOneMatch(t *testing.T) {
	t.Parallel()
	server, client := fakeClient(t)
	for _, name := range []string{"Ada", "ada", "ada lovelace"} {
		server.StagesPassword.Add(authentik.PasswordStage{Name: name, FailedAttemptsBeforeCancel: len(name)})
	}
	all := client.StagesPassword.All(t.Context(), &authentik.StagesPasswordListOptions{ListOptions: authentik.ListOptions{Search: "ada"}})
	named := func(name string) func(*authentik.PasswordStage) bool {
		return func(stage *authentik.PasswordStage) bool { return stage.Name == name }
	}
	short := func(stage *authentik.PasswordStage) bool { return stage.FailedAttemptsBeforeCancel == 3 }
	if stage, err := authentik.One(all, named("ada")); err != nil || stage.Name != "ada" {
		t.Errorf("by name: %v, error %v", stage, err)
	}
	if stage, err := authentik.One(all, short, named("ada")); err != nil || stage.Name != "ada" {
		t.Errorf("by both: %v, error %v", stage, err)
	}
	if _, err := authentik.One(all, short); !errors.Is(err, authentik.ErrAmbiguous) {
		t.Errorf("two of three: error %v", err)
	}
	if _, err := authentik.One(all, short, named("ada lovelace")); !errors.Is(err, authentik.ErrNotFound) {
		t.Errorf("each by one function alone: error %v", err)
	}
	failure := errors.New("the walk failed")
	if _, err := authentik.One(func(yield func(*authentik.PasswordStage, error) bool) { yield(nil, failure) }, short); !errors.Is(err, failure) {
		t.Errorf("of a walk that fails: error %v", err)
	}
}

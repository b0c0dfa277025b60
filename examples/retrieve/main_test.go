package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/authentik-go/authentik/examples/internal/connect"
	"github.com/google/uuid"
)

// TestMain keeps the tests away from a server that the environment names.
func TestMain(m *testing.M) {
	connect.UseFake()
	m.Run()
}

func newServer(t *testing.T) (*authentiktest.Server, *authentik.Client) {
	t.Helper()
	server := authentiktest.NewServer()
	t.Cleanup(server.Close)
	client, err := server.Client()
	if err != nil {
		t.Fatal(err)
	}
	return server, client
}

func TestFirstStage(t *testing.T) {
	t.Parallel()
	var stdout, stderr strings.Builder
	if err := run(t.Context(), nil, &stdout, &stderr); err != nil {
		t.Fatal(err)
	}
	var stage authentik.IdentificationStage
	if err := json.Unmarshal([]byte(stdout.String()), &stage); err != nil {
		t.Fatalf("%v in %s", err, stdout.String())
	}
	if stage.Name != "default-authentication-identification" || len(stage.UserFields) != 2 || stage.PK == uuid.Nil || stage.Extra != nil {
		t.Errorf("printed %+v", stage)
	}
}

func TestPKs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, pk string
		is       error // nil: any
		want     string
	}{
		{
			"unknown", uuid.NewString(), authentik.ErrNotFound,
			"there is no such identification stage, or the token's user may not see it\nauthentik: GET ",
		},
		{"no uuid", "login", nil, `"login" is no pk: `},
		{"zero", uuid.Nil.String(), nil, "authentik: GET /api/v3/stages/identification/: the id is uuid.Nil"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr strings.Builder
			err := run(t.Context(), []string{test.pk}, &stdout, &stderr)
			switch {
			case err == nil:
				t.Error("no error")
			case test.is != nil && !errors.Is(err, test.is):
				t.Errorf("got %v, want %v", err, test.is)
			case !strings.HasPrefix(err.Error(), test.want):
				t.Errorf("got %q, want it to begin with %q", err, test.want)
			}
			if stdout.Len() > 0 {
				t.Errorf("printed %q", stdout.String())
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, args := range [][]string{nil, {uuid.NewString()}} {
		var stdout, stderr strings.Builder
		if err := run(ctx, args, &stdout, &stderr); !errors.Is(err, context.Canceled) {
			t.Errorf("%v: got %v, want context.Canceled", args, err)
		}
		if stdout.Len() > 0 {
			t.Errorf("%v: printed %q", args, stdout.String())
		}
	}
}

func TestRetrieve(t *testing.T) {
	t.Parallel()
	server, client := newServer(t)
	if _, err := retrieve(t.Context(), client, ""); err == nil || err.Error() != "the server has no identification stage" {
		t.Errorf("no stage: %v", err)
	}
	second := server.StagesIdentification.Add(authentik.IdentificationStage{Name: "b"})
	first := server.StagesIdentification.Add(authentik.IdentificationStage{Name: "a"})
	for _, test := range []struct {
		pk   string
		want uuid.UUID
	}{
		{"", first.PK},
		{second.PK.String(), second.PK},
	} {
		got, err := retrieve(t.Context(), client, test.pk)
		if err != nil {
			t.Fatal(err)
		}
		if got.PK != test.want {
			t.Errorf("%q: retrieved %s", test.pk, got.Name)
		}
	}
}

func TestExplainForbidden(t *testing.T) {
	t.Parallel()
	for detail, want := range map[string]string{
		"Token invalid/expired":                              "the server refused the token; is AUTHENTIK_TOKEN right, and not expired?\nauthentik: GET ",
		"You do not have permission to perform this action.": "the token's user lacks the permission to view identification stages\nauthentik: GET ",
	} {
		t.Run(detail, func(t *testing.T) {
			t.Parallel()
			server, client := newServer(t)
			server.Fail(1, authentiktest.Failure{Status: http.StatusForbidden, Body: `{"detail":"` + detail + `"}`})
			_, err := retrieve(t.Context(), client, "")
			err = explain(err)
			if !errors.Is(err, authentik.ErrForbidden) || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), strings.TrimSuffix(detail, ".")) {
				t.Errorf("got %q, want it to begin with %q", err, want)
			}
		})
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"-h":      "flag: help requested",
		"one two": `unexpected argument "two"; see -h`,
		"one":     `"one" is no pk: invalid UUID length: 3`,
	} {
		var stdout, stderr strings.Builder
		err := run(t.Context(), strings.Fields(args), &stdout, &stderr)
		if err == nil || err.Error() != want || strings.HasPrefix(stderr.String(), "usage: retrieve [flags] [pk]\nPrints ") != (args == "-h") {
			t.Errorf("%s: %v; said %q", args, err, stderr.String())
		}
	}
}

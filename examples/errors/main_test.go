package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/authentik-go/authentik/examples/internal/connect"
)

// TestMain keeps the tests away from a server that the environment names.
func TestMain(m *testing.M) {
	connect.UseFake()
	m.Run()
}

func TestOutput(t *testing.T) {
	t.Parallel()
	var stdout, stderr strings.Builder
	if err := run(t.Context(), nil, &stdout, &stderr); err != nil {
		t.Fatal(err)
	}
	want := connect.IsFake + `A filter that the server refuses:
  configure_flow: “not-a-uuid” is not a valid UUID.
  failed_attempts_before_cancel: Enter a number.
A token that the server refuses:
  Token invalid/expired
  the token is to blame: true
`
	if stdout.String() != want {
		t.Errorf("printed:\n%s\nwant:\n%s", stdout.String(), want)
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr strings.Builder
	if err := run(ctx, nil, &stdout, &stderr); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if stdout.String() != connect.IsFake {
		t.Errorf("printed %q", stdout.String())
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	for _, arg := range []string{"-h", "more"} {
		var stdout, stderr strings.Builder
		if err := run(t.Context(), []string{arg}, &stdout, &stderr); err == nil || stdout.Len() > 0 {
			t.Errorf("%s: %v; printed %q", arg, err, stdout.String())
		}
	}
}

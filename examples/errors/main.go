// Command errors provokes a 400 and a 403, and prints what the typed errors say.
//
//	go run ./examples/errors
//
// It reads AUTHENTIK_URL and AUTHENTIK_TOKEN; where neither is set, it asks a fake
// server and says so.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/examples/internal/connect"
)

func main() { connect.Main(run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("errors", flag.ContinueOnError)
	if err := connect.Parse(flags, "Provokes a 400 and a 403, and prints what the typed errors tell.", args, stderr); err != nil {
		return err
	}
	client, stop, err := connect.Client(stdout)
	if err != nil {
		return err
	}
	defer stop()

	// The typed options hold a uuid.UUID, so only the generic functions can get
	// a filter wrong.
	_, err = authentik.List[authentik.PasswordStage](ctx, client, "stages/password/",
		url.Values{"configure_flow": {"not-a-uuid"}, "failed_attempts_before_cancel": {"many"}})
	invalid, ok := errors.AsType[*authentik.ValidationError](err)
	if !ok {
		return fmt.Errorf("expected a 400, got: %w", err)
	}
	fmt.Fprintln(stdout, "A filter that the server refuses:")
	for _, field := range slices.Sorted(maps.Keys(invalid.Fields)) {
		fmt.Fprintf(stdout, "  %s: %s\n", field, strings.Join(invalid.Fields[field], " "))
	}

	wrongToken := authentik.WithTokenSource(func(context.Context) (string, error) { return "wrong-token", nil })
	client, stopWrong, err := connect.Client(io.Discard, wrongToken)
	if err != nil {
		return err
	}
	defer stopWrong()
	_, err = client.StagesPassword.List(ctx, nil)
	forbidden, ok := errors.AsType[*authentik.ForbiddenError](err)
	if !ok {
		return fmt.Errorf("expected a 403, got: %w", err)
	}
	fmt.Fprintln(stdout, "A token that the server refuses:")
	fmt.Fprintf(stdout, "  %s\n  the token is to blame: %t\n", forbidden.Detail, forbidden.InvalidToken())
	return nil
}

// Command retrieve prints one identification stage as JSON: the one with the
// given pk, or the first of the list.
//
//	go run ./examples/retrieve [pk]
//
// It reads AUTHENTIK_URL and AUTHENTIK_TOKEN; where neither is set, it asks a fake
// server and says so on stderr.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/examples/internal/connect"
	"github.com/google/uuid"
)

func main() { connect.Main(run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("retrieve", flag.ContinueOnError)
	if err := connect.Parse(flags, "Prints the identification stage with the pk, or the first one, as JSON.", args, stderr, "pk"); err != nil {
		return err
	}
	client, stop, err := connect.Client(stderr)
	if err != nil {
		return err
	}
	defer stop()

	stage, err := retrieve(ctx, client, flags.Arg(0))
	if err != nil {
		return explain(err)
	}
	return connect.PrintJSON(stdout, stage)
}

func retrieve(ctx context.Context, client *authentik.Client, text string) (*authentik.IdentificationStage, error) {
	if text != "" {
		pk, err := uuid.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("%q is no pk: %w", text, err)
		}
		return client.StagesIdentification.Retrieve(ctx, pk)
	}
	for stage, err := range client.StagesIdentification.All(ctx, nil) {
		if err != nil {
			return nil, err
		}
		return client.StagesIdentification.Retrieve(ctx, stage.PK)
	}
	return nil, errors.New("the server has no identification stage")
}

// explain puts what can be done about the error before it.
func explain(err error) error {
	forbidden, isForbidden := errors.AsType[*authentik.ForbiddenError](err)
	switch {
	case isForbidden && forbidden.InvalidToken():
		return fmt.Errorf("the server refused the token; is AUTHENTIK_TOKEN right, and not expired?\n%w", err)
	case isForbidden:
		return fmt.Errorf("the token's user lacks the permission to view identification stages\n%w", err)
	case errors.Is(err, authentik.ErrNotFound):
		return fmt.Errorf("there is no such identification stage, or the token's user may not see it\n%w", err)
	}
	return err
}

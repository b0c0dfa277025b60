// Command retrieve prints one identification stage as JSON: the one with the
// given pk, or the first of the list.
//
//	go run ./examples/retrieve [pk]
//
// It reads AUTHENTIK_URL and AUTHENTIK_TOKEN; without a URL it asks a fake
// server.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/examples/internal/connect"
	"github.com/google/uuid"
)

func main() { connect.Main(run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	client, stop, err := connect.Client(stderr)
	if err != nil {
		return err
	}
	defer stop()

	stage, err := retrieve(ctx, client, args)
	if err != nil {
		return explain(err)
	}
	encoder := json.NewEncoder(stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(stage)
}

func retrieve(ctx context.Context, client *authentik.Client, args []string) (*authentik.IdentificationStage, error) {
	if len(args) > 0 {
		pk, err := uuid.Parse(args[0])
		if err != nil {
			return nil, fmt.Errorf("%q is no pk: %w", args[0], err)
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

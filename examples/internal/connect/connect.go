// Package connect gives the examples their client.
package connect

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
)

// Client returns a client for the server of AUTHENTIK_URL. Where that is not
// set, it starts a fake server with a few stages and says so. Call stop when
// done.
func Client(stderr io.Writer, opts ...authentik.Option) (client *authentik.Client, stop func(), err error) {
	if os.Getenv("AUTHENTIK_URL") != "" || os.Getenv("AUTHENTIK_HOST") != "" {
		client, err = authentik.NewClientFromEnv(opts...)
		return client, func() {}, err
	}
	fmt.Fprintln(stderr, "AUTHENTIK_URL is not set: this is a fake authentik with a few stages.")
	server := authentiktest.NewServer()
	server.AddDefaultStages()
	server.StagesSource.Add(authentik.SourceStage{
		Name:    "company-login",
		FlowSet: []authentik.FlowSet{{Slug: "company-login-flow"}},
	})
	client, err = server.Client(opts...)
	return client, server.Close, err
}

// Main runs an example until it is done or Ctrl-C is pressed, and exits.
func Main(run func(ctx context.Context, args []string, stdout, stderr io.Writer) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	interrupted := ctx.Err() != nil
	stop()
	switch {
	case interrupted:
		fmt.Fprintln(os.Stderr, "interrupted")
		os.Exit(130)
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

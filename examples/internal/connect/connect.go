// Package connect gives the examples their client.
package connect

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/google/uuid"
)

// Client returns a client for the server of AUTHENTIK_URL. Where that is not
// set, it starts a fake server with a few stages and says so. Call stop when
// done.
func Client(stderr io.Writer, opts ...authentik.Option) (client *authentik.Client, stop func(), err error) {
	return ClientOrFake(stderr, func(*authentiktest.Server) {}, opts...)
}

// ClientOrFake is [Client], but has setUp add to the fake server, if there is
// one, what the example is to show.
func ClientOrFake(
	stderr io.Writer, setUp func(*authentiktest.Server), opts ...authentik.Option,
) (client *authentik.Client, stop func(), err error) {
	if os.Getenv("AUTHENTIK_URL") != "" || os.Getenv("AUTHENTIK_HOST") != "" {
		client, err = authentik.NewClientFromEnv(opts...)
		return client, func() {}, err
	}
	fmt.Fprintln(stderr, "AUTHENTIK_URL is not set: this is a fake authentik with a few stages.")
	server := authentiktest.NewServer()
	server.AddDefaultStages()
	server.StagesSource.Add(authentik.SourceStage{
		PK:      uuid.NewSHA1(uuid.Nil, []byte("company-login")), // the same at each run
		Name:    "company-login",
		FlowSet: []authentik.FlowSet{{Slug: "company-login-flow"}},
	})
	setUp(server)
	client, err = server.Client(opts...)
	return client, server.Close, err
}

// UseFake keeps a process away from a server that its environment names: tests
// begin with it.
func UseFake() {
	for _, name := range []string{"AUTHENTIK_URL", "AUTHENTIK_HOST", "AUTHENTIK_TOKEN", "AUTHENTIK_INSECURE"} {
		os.Unsetenv(name)
	}
}

// Parse parses the arguments of an example, which may have the operands named.
// For -h it prints what the example is about and returns [flag.ErrHelp]; every
// other error is for [Main] to print.
func Parse(flags *flag.FlagSet, about string, args []string, stderr io.Writer, operands ...string) error {
	flags.SetOutput(io.Discard)
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(stderr, "usage: %s [flags]", flags.Name())
		for _, operand := range operands {
			fmt.Fprintf(stderr, " [%s]", operand)
		}
		fmt.Fprintf(stderr, "\n%s\n", about)
		flags.SetOutput(stderr)
		flags.PrintDefaults()
	case err == nil && flags.NArg() > len(operands):
		err = fmt.Errorf("unexpected argument %q; see -h", flags.Arg(len(operands)))
	}
	return err
}

// StatusError has [Main] exit with a status of the example's own.
type StatusError struct {
	Status  int
	Message string
}

func (e *StatusError) Error() string { return e.Message }

// Main runs an example until it is done or Ctrl-C is pressed, and exits: with 0
// after success, 1 after an error, 130 after Ctrl-C, or as a [StatusError] says.
func Main(run func(ctx context.Context, args []string, stdout, stderr io.Writer) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	interrupted := ctx.Err() != nil
	stop()
	status := 1
	if own, ok := errors.AsType[*StatusError](err); ok {
		status = own.Status
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
	case interrupted:
		fmt.Fprintln(os.Stderr, "interrupted")
		os.Exit(130)
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(status)
	}
}

// Package connect gives the examples their client, and what else they share.
package connect

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
)

// Client returns a client for the server of AUTHENTIK_URL. Where the environment
// has no variable of authentik's at all, it starts a fake server and says so on
// notes, see [Notes]. Call stop when done.
func Client(notes io.Writer, opts ...authentik.Option) (client *authentik.Client, stop func(), err error) {
	return ClientOrFake(notes, func(*authentiktest.Server) {}, opts...)
}

// ClientOrFake is [Client], but has setUp add to the fake server, if there is
// one, what the example is to show.
func ClientOrFake(
	notes io.Writer, setUp func(*authentiktest.Server), opts ...authentik.Option,
) (client *authentik.Client, stop func(), err error) {
	if len(variables()) > 0 {
		return fromEnv(opts)
	}
	fmt.Fprint(notes, IsFake)
	return fake(setUp, opts)
}

// ClientUnlessFake returns a client for the server of AUTHENTIK_URL, or for a
// fake one if the user asked for that. It is for examples that write files, where
// a forgotten variable must not put invented objects into a backup.
func ClientUnlessFake(asked bool, opts ...authentik.Option) (client *authentik.Client, stop func(), err error) {
	if asked {
		return fake(func(*authentiktest.Server) {}, opts)
	}
	client, stop, err = fromEnv(opts)
	if err != nil {
		err = fmt.Errorf("%w; -fake asks a fake server", err)
	}
	return client, stop, err
}

// IsFake says that a fake server answers.
const IsFake = "AUTHENTIK_URL is not set: this is a fake authentik with a few objects.\n"

func fromEnv(opts []authentik.Option) (client *authentik.Client, stop func(), err error) {
	client, err = authentik.NewClientFromEnv(opts...)
	if set := variables(); err != nil && len(set) > 0 { // one may be misspelt
		err = fmt.Errorf("%w (set are: %s)", err, strings.Join(set, ", "))
	}
	return client, func() {}, err
}

func fake(setUp func(*authentiktest.Server), opts []authentik.Option) (client *authentik.Client, stop func(), err error) {
	server := authentiktest.NewServer()
	fill(server)
	setUp(server)
	client, err = server.Client(opts...)
	return client, server.Close, err
}

// variables are the names of the environment's variables for authentik, a
// misspelt AUTHENTIK_ULR among them.
func variables() []string {
	const prefix = "AUTHENTIK_"
	var names []string
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		if value != "" && len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// UseFake keeps a process away from a server that its environment names: tests
// begin with it.
func UseFake() {
	for _, name := range variables() {
		os.Unsetenv(name)
	}
}

// Notes is where an example says what is no part of its output: stdout, or stderr
// where stdout is data.
func Notes(data bool, stdout, stderr io.Writer) io.Writer {
	if data {
		return stderr
	}
	return stdout
}

// Quoted returns a name as a table shows it: in quotes only if it has a space or comma, is
// empty or cannot be printed as it is.
func Quoted(name string) string {
	if quoted := strconv.Quote(name); name == "" || strings.ContainsAny(name, " ,") || quoted != `"`+name+`"` {
		return quoted
	}
	return name
}

// PrintJSON prints v as indented JSON.
func PrintJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
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

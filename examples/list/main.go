// Command list prints the identification, password and source stages of an
// authentik with the flows that use them.
//
//	go run ./examples/list [-search words] [-json]
//
// It reads AUTHENTIK_URL and AUTHENTIK_TOKEN; where neither is set, it lists the
// stages of a fake server and says so, on stderr with -json.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/examples/internal/connect"
	"github.com/google/uuid"
)

func main() { connect.Main(run) }

// stages is all that the example lists, and its JSON output.
type stages struct {
	Identification []*authentik.IdentificationStage `json:"identification"`
	Password       []*authentik.PasswordStage       `json:"password"`
	Source         []*authentik.SourceStage         `json:"source"`
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("list", flag.ContinueOnError)
	search := flags.String("search", "", "list only stages whose name holds these `words`")
	asJSON := flags.Bool("json", false, "print the stages as JSON")
	if err := connect.Parse(flags, "Prints the identification, password and source stages with the flows that use them.", args, stderr); err != nil {
		return err
	}
	client, stop, err := connect.Client(connect.Notes(*asJSON, stdout, stderr))
	if err != nil {
		return err
	}
	defer stop()

	found, err := list(ctx, client, authentik.ListOptions{Search: *search})
	if err != nil {
		return err
	}
	if *asJSON {
		return connect.PrintJSON(stdout, found)
	}
	return found.print(stdout)
}

func list(ctx context.Context, client *authentik.Client, options authentik.ListOptions) (found stages, err error) {
	found.Identification, err = authentik.Collect(client.StagesIdentification.All(ctx,
		&authentik.StagesIdentificationListOptions{ListOptions: options}))
	if err != nil {
		return found, err
	}
	found.Password, err = authentik.Collect(client.StagesPassword.All(ctx,
		&authentik.StagesPasswordListOptions{ListOptions: options}))
	if err != nil {
		return found, err
	}
	found.Source, err = authentik.Collect(client.StagesSource.All(ctx,
		&authentik.StagesSourceListOptions{ListOptions: options}))
	if errors.Is(err, authentik.ErrNoEndpoint) {
		found.Source, err = []*authentik.SourceStage{}, nil // a server before 2024.4 has none
	}
	return found, err
}

func (s stages) print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "KIND\tNAME\tFLOWS\tPK")
	row := func(kind, name string, flows []authentik.FlowSet, pk uuid.UUID) {
		slugs := make([]string, len(flows))
		for i, flow := range flows {
			slugs[i] = flow.Slug
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", kind, connect.Quoted(name), strings.Join(slugs, ", "), pk)
	}
	for _, stage := range s.Identification {
		row("identification", stage.Name, stage.FlowSet, stage.PK)
	}
	for _, stage := range s.Password {
		row("password", stage.Name, stage.FlowSet, stage.PK)
	}
	for _, stage := range s.Source {
		row("source", stage.Name, stage.FlowSet, stage.PK)
	}
	return table.Flush()
}

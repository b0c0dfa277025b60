// Command audit reports risky settings of an authentik's stages and sources,
// and the flows that use them.
//
//	go run ./examples/audit [-max-attempts 100] [-json]
//
// It reads AUTHENTIK_URL and AUTHENTIK_TOKEN; where neither is set, it audits a
// fake server that has some of everything and says so, on stderr with -json. The
// token's user must be able to view identification, password and source stages,
// and sources.
//
// It exits with 0 if it found nothing, with 1 after an error, and with 2 if it
// found something. go run turns each of these into 1, so a pipeline builds it first:
//
//	go build -o audit ./examples/audit && ./audit -json
//
// A list that cannot be read is an error, never a list without findings. The
// checks are:
//
// never-cancels: a password stage that lets one go on guessing.
// failed_attempts_before_cancel has no value for "never": with 0 and less the
// first failure cancels the flow. So what is reported is a number above
// -max-attempts, 100 by default, which is the most that NIST SP 800-63B allows;
// authentik's own default is 5. And a password stage that is embedded in an
// identification stage, since there authentik does not count at all:
// https://github.com/goauthentik/authentik/issues/25261.
//
// show-password: a password stage with allow_show_password, which puts the
// password on the screen at a click. Servers before 2024.8 cannot.
//
// reveals-users: an identification stage that tells whether a user exists.
// Without pretend_user_exists an unknown user is refused at once. With it, the
// next stage comes for everybody; but if show_matched_user is on, which is
// authentik's default, that stage shows the name and the avatar of users who
// exist, and what was typed for all others. Neither is reported of a stage that
// asks for the password at the same time, since it answers an unknown user and a
// wrong password alike, nor of one that asks for no user field. Servers before
// 2024.2 do not send pretend_user_exists: it is not judged then, and a line on
// stderr says so.
//
// source-without-stage: a source that is enabled, but neither offered by an
// identification stage nor used by a source stage. Nobody sees it, but its URL
// still logs users in. LDAP, Kerberos and SCIM sources and the built-in one need
// no stage, since they work through password backends and by themselves.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/authentik-go/authentik/examples/internal/connect"
	"github.com/google/uuid"
)

func main() { connect.Main(run) }

const statusFindings = 2

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("audit", flag.ContinueOnError)
	maxAttempts := flags.Int("max-attempts", 100, "report password stages that allow more than `n` failed attempts")
	asJSON := flags.Bool("json", false, "print the findings as JSON")
	if err := connect.Parse(flags, "Reports risky settings. It exits with 0 if it found nothing, 1 after an error, 2 if it found something.", args, stderr); err != nil {
		return err
	}
	client, stop, err := connect.ClientOrFake(connect.Notes(*asJSON, stdout, stderr), addRisks)
	if err != nil {
		return err
	}
	defer stop()

	found, err := read(ctx, client)
	if err != nil {
		return err
	}
	return report(found.audit(*maxAttempts, stderr), *asJSON, stdout)
}

// inventory is all that the checks look at.
type inventory struct {
	identification []*identificationStage
	password       []*authentik.PasswordStage
	sourceStages   []*authentik.SourceStage
	sources        []*authentik.Source
}

// identificationStage is read instead of [authentik.IdentificationStage] to tell
// a pretend_user_exists that was not sent from false.
type identificationStage struct {
	PK                uuid.UUID             `json:"pk"`
	Name              string                `json:"name"`
	FlowSet           []authentik.FlowSet   `json:"flow_set"`
	UserFields        []authentik.UserField `json:"user_fields"`
	PasswordStage     *uuid.UUID            `json:"password_stage"`
	Sources           []uuid.UUID           `json:"sources"`
	ShowMatchedUser   bool                  `json:"show_matched_user"`
	PretendUserExists *bool                 `json:"pretend_user_exists"` // nil before 2024.2
}

// componentsWithoutStage are those of the sources that no stage offers; the
// built-in one has none.
var componentsWithoutStage = []string{"", "ak-source-ldap-form", "ak-source-kerberos-form", "ak-source-scim-form"}

// finding is one setting that is risky. It is the JSON output.
type finding struct {
	Check string    `json:"check"`
	Kind  string    `json:"kind"`
	Name  string    `json:"name"`
	PK    uuid.UUID `json:"pk"`
	Flows []string  `json:"flows"` // by slug, sorted
	Why   string    `json:"why"`
}

func read(ctx context.Context, client *authentik.Client) (found inventory, err error) {
	found.identification, err = authentik.Collect(authentik.All[identificationStage](ctx, client, "stages/identification/", nil))
	if err != nil {
		return found, err
	}
	if found.password, err = authentik.Collect(client.StagesPassword.All(ctx, nil)); err != nil {
		return found, err
	}
	found.sourceStages, err = authentik.Collect(client.StagesSource.All(ctx, nil))
	if err != nil && !errors.Is(err, authentik.ErrNoEndpoint) { // a server before 2024.4 has none
		return found, err
	}
	found.sources, err = authentik.Collect(client.SourcesAll.All(ctx, nil))
	return found, err
}

func (inv inventory) audit(maxAttempts int, stderr io.Writer) []finding {
	findings := []finding{}
	add := func(check, kind, name string, pk uuid.UUID, flows []authentik.FlowSet, why []string) {
		if len(why) > 0 {
			findings = append(findings, finding{check, kind, name, pk, slugs(flows), strings.Join(why, "; ")})
		}
	}

	offered := map[uuid.UUID]bool{}
	embeddedIn := map[uuid.UUID][]*identificationStage{}
	pretendKnown := true
	for _, stage := range inv.identification {
		for _, pk := range stage.Sources {
			offered[pk] = true
		}
		pretendKnown = pretendKnown && stage.PretendUserExists != nil
		if stage.PasswordStage != nil {
			embeddedIn[*stage.PasswordStage] = append(embeddedIn[*stage.PasswordStage], stage)
			continue
		}
		var why []string
		if stage.PretendUserExists != nil && !*stage.PretendUserExists {
			why = append(why, "it refuses unknown users at once, as pretend_user_exists is off")
		}
		if stage.ShowMatchedUser {
			why = append(why, "name and avatar are shown of users who exist, as show_matched_user is on")
		}
		if len(stage.UserFields) > 0 {
			add("reveals-users", "identification stage", stage.Name, stage.PK, stage.FlowSet, why)
		}
	}
	if !pretendKnown {
		fmt.Fprintln(stderr, "The server does not send pretend_user_exists, which is not judged therefore.")
	}

	for _, stage := range inv.password {
		var why []string
		if stage.FailedAttemptsBeforeCancel > maxAttempts {
			why = append(why, fmt.Sprintf("only %d failed attempts cancel the flow", stage.FailedAttemptsBeforeCancel))
		}
		flows := slices.Clone(stage.FlowSet)
		for _, identification := range embeddedIn[stage.PK] {
			why = append(why, fmt.Sprintf("failed attempts do not count in identification stage %q", identification.Name))
			flows = append(flows, identification.FlowSet...)
		}
		add("never-cancels", "password stage", stage.Name, stage.PK, flows, why)
		if stage.AllowShowPassword {
			add("show-password", "password stage", stage.Name, stage.PK, flows, []string{"the password can be shown on the screen"})
		}
	}

	for _, stage := range inv.sourceStages {
		offered[stage.Source] = true
	}
	for _, source := range inv.sources {
		if source.Enabled && !offered[source.PK] && !slices.Contains(componentsWithoutStage, source.Component) {
			add("source-without-stage", "source", source.Name, source.PK, nil, []string{"it is enabled, but no stage offers it"})
		}
	}
	return findings
}

// slugs sorts, since the server does not, and a flow to which a stage is bound
// twice comes twice.
func slugs(flows []authentik.FlowSet) []string {
	slugs := make([]string, len(flows))
	for i, flow := range flows {
		slugs[i] = flow.Slug
	}
	slices.Sort(slugs)
	return slices.Compact(slugs)
}

// report prints the findings, and returns the error for the exit status if there
// are any.
func report(findings []finding, asJSON bool, stdout io.Writer) error {
	if asJSON {
		if err := connect.PrintJSON(stdout, findings); err != nil {
			return err
		}
	} else if err := printTable(findings, stdout); err != nil {
		return err
	}
	if len(findings) > 0 {
		return &connect.StatusError{Status: statusFindings, Message: fmt.Sprintf("findings: %d", len(findings))}
	}
	return nil
}

func printTable(findings []finding, stdout io.Writer) error {
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "CHECK\tKIND\tNAME\tFLOWS\tWHY")
	for _, f := range findings {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", f.Check, f.Kind, connect.Quoted(f.Name), strings.Join(f.Flows, ", "), f.Why)
	}
	return table.Flush()
}

// addRisks gives the fake server something to find.
func addRisks(server *authentiktest.Server) {
	flow := []authentik.FlowSet{{Slug: "partner-login"}}
	embedded := server.StagesPassword.Add(authentik.PasswordStage{Name: "partner-password", AllowShowPassword: true})
	server.StagesPassword.Add(authentik.PasswordStage{Name: "patient-password", FailedAttemptsBeforeCancel: 1_000_000, FlowSet: flow})
	server.StagesIdentification.Add(authentik.IdentificationStage{
		Name: "partner-identification", PasswordStage: &embedded.PK, FlowSet: flow,
		UserFields: []authentik.UserField{authentik.UserFieldEmail},
	})
	company := server.StagesSource.All()[0]
	server.SourcesAll.Add(authentik.Source{Name: "authentik Built-in", Slug: "authentik-built-in", Enabled: true})
	server.SourcesOAuth.Add(authentik.OAuthSource{PK: company.Source, Name: "Company", Enabled: true})
	server.SourcesSAML.Add(authentik.SAMLSource{Name: "Pilot", Enabled: true})
}

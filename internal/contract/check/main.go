// Command check reads official OpenAPI schemas of authentik, and compares them with
// the facts in internal/contract/facts.txt, and what the SDK's types have with them:
//
//	go run -C internal/contract/check . SCHEMA...
//
// A SCHEMA is a file, its path absolute or from this folder: schema.yml of the npm
// package @goauthentik/api, or what a server gives at /api/v3/schema/. Where none
// is named, that of the server at AUTHENTIK_URL is read, with AUTHENTIK_TOKEN.
//
// It exits with 1 if a schema has other facts than those recorded of its version, if
// the SDK's types lack any of them, or if the release is new. What is recorded of no
// version is compared with the closest one.
//
// With -read, it has the SDK's services read documents made from the schemas, and
// exits with 1 if any is refused, or a member lost.
//
// With -record, it writes the facts, those of the schemas' versions in place of
// what was recorded of these, and docs/releases.md. It compares nothing then.
package main

import (
	stdcmp "cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/contract"
	"github.com/authentik-go/authentik/internal/contract/sdk"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}

// heading is that of CONTRIBUTING.md which says what to do.
const heading = "Add a release of authentik, or a resource"

var errDifferent = fmt.Errorf("the SDK differs from authentik: see %q in CONTRIBUTING.md", heading)

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	root := flags.String("root", "../../..", "the `folder` of the SDK's repository")
	record := flags.Bool("record", false, "record the facts of the schemas")
	readAll := flags.Bool("read", false, "have the SDK read documents made from the schemas")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *readAll {
		schemas, err := read(ctx, flags.Args())
		for _, schema := range schemas {
			err = errors.Join(err, readDocuments(ctx, schema, stdout))
		}
		return err
	}
	types, err := sdk.Read(os.DirFS(*root))
	if err != nil {
		return err
	}
	file := filepath.Join(*root, "internal", "contract", "facts.txt")
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	recorded, err := contract.ParseFacts(string(text))
	if err != nil {
		return err
	}
	schemas, err := read(ctx, flags.Args())
	if err != nil {
		return err
	}
	parsed, err := parseAll(schemas, flags)
	if err != nil {
		return err
	}
	facts := recorded.Record(parsed...)
	if err := checkNames(facts); err != nil {
		return err
	}
	if *record {
		if err := os.WriteFile(file, []byte(facts.String()), 0o644); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(*root, "docs", "releases.md"), []byte(facts.ReleasesPage()), 0o644); err != nil {
			return err
		}
		fmt.Fprintln(stdout, "recorded; next: go run ./internal/generate")
		return nil
	}
	var result error
	for _, one := range parsed {
		if different(stdout, one.Versions[0], recorded, facts, types) {
			result = errDifferent
		}
	}
	return result
}

// parseAll returns the facts of each schema, which are of different versions.
func parseAll(schemas [][]byte, flags *flag.FlagSet) ([]*contract.Facts, error) {
	var all []*contract.Facts
	for i, schema := range schemas {
		facts, err := parse(schema)
		if err == nil && slices.ContainsFunc(all, func(other *contract.Facts) bool { return other.Versions[0] == facts.Versions[0] }) {
			err = fmt.Errorf("%s is there already", facts.Versions[0])
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", stdcmp.Or(flags.Arg(i), "the server's schema"), err)
		}
		all = append(all, facts)
	}
	return all, nil
}

// different says in what a version differs from what is recorded of it, and from
// the SDK's types. A patch of a release need not be recorded if it changed nothing.
func different(stdout io.Writer, version string, recorded, facts, sdk *contract.Facts) bool {
	older, newer := recorded.At(version), facts.At(version)
	isNew := false
	if older == nil {
		known := closest(recorded.Versions, version)
		isNew = contract.ReleaseOf(known) != contract.ReleaseOf(version)
		if older = recorded.At(known); older == nil {
			older = new(contract.Facts)
		}
		fmt.Fprintf(stdout, "%s: no facts of it are recorded; compared with %s\n", version, stdcmp.Or(known, "nothing"))
	}
	differences := contract.Differences(older, newer)
	for _, difference := range differences {
		fmt.Fprintf(stdout, "%s: %s\n", version, difference)
	}
	lacks := newer.Of(sdk).Beyond(sdk)
	for _, fact := range lacks {
		fmt.Fprintf(stdout, "%s: the SDK lacks %s\n", version, fact)
	}
	return isNew || len(differences)+len(lacks) > 0
}

// closest returns the last of the versions before the one given, but one of its
// own release if there is one. It is "" if there is neither.
func closest(versions []string, version string) string {
	var last string
	for _, other := range versions { // the oldest first
		same := contract.ReleaseOf(other) == contract.ReleaseOf(version)
		if contract.CompareVersions(other, version) < 0 || same && contract.ReleaseOf(last) != contract.ReleaseOf(version) {
			last = other
		}
	}
	return last
}

// read returns the schemas in the files, or the one of the server in the
// environment if there are none.
func read(ctx context.Context, files []string) ([][]byte, error) {
	if len(files) == 0 {
		client, err := authentik.NewClientFromEnv()
		if err != nil {
			return nil, err
		}
		schema, err := authentik.Get[json.RawMessage](ctx, client, "schema/", nil)
		if err != nil {
			return nil, err
		}
		return [][]byte{*schema}, nil
	}
	var schemas [][]byte
	for _, file := range files {
		schema, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		schemas = append(schemas, schema)
	}
	return schemas, nil
}

// Command check reads official OpenAPI schemas of authentik, and tells what the
// SDK's types lack of them or have beyond them: parameters, members, their types
// and whether they may be null, values of enums. It exits with 1 if they lack
// anything, or if the facts in testdata/releases.json are not those of the
// schema:
//
//	go run -C internal/contract/check . SCHEMA...
//
// A SCHEMA is a file, its path absolute or from this folder: schema.yml of the npm
// package @goauthentik/api, or what a server gives at /api/v3/schema/. Where none
// is named, that of the server at AUTHENTIK_URL is read, with AUTHENTIK_TOKEN.
//
// With -record, the facts are written to testdata/releases.json, and their
// history to the README.
package main

import (
	stdcmp "cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/contract"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}

var errDifferent = errors.New("the SDK differs from authentik: see \"A new release of authentik\" in CONTRIBUTING.md")

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	root := flags.String("root", "../../..", "the `folder` of the SDK's repository")
	record := flags.Bool("record", false, "record the facts of the schemas")
	if err := flags.Parse(args); err != nil {
		return err
	}
	sdk, err := contract.SDK(os.DirFS(*root))
	if err != nil {
		return err
	}
	releases, err := contract.Read(os.DirFS(*root))
	if err != nil {
		return err
	}
	schemas, err := read(ctx, flags.Args())
	if err != nil {
		return err
	}
	parsed := contract.Releases{}
	for i, schema := range schemas {
		name, release, err := parse(schema)
		if err == nil && parsed[name].Schema != "" {
			err = fmt.Errorf("%s is there already, with %s", name, parsed[name].Schema)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", stdcmp.Or(flags.Arg(i), "the server's schema"), err)
		}
		parsed[name] = release
	}
	if *record {
		if err := recordAll(releases, parsed); err != nil {
			return err
		}
		if err := writeFacts(releases, *root); err != nil {
			return err
		}
	}
	var result error
	for _, name := range parsed.Names() {
		release := parsed[name]
		lacks := release.Beyond(sdk)
		for _, fact := range lacks {
			fmt.Fprintf(stdout, "%s: the SDK lacks %s\n", name, fact)
		}
		fmt.Fprintf(stdout, "%s: beyond it, the SDK has %s\n", name, stdcmp.Or(sdk.Summary(release), "nothing"))
		recorded, known := releases[name]
		difference := cmp.Diff(recorded, release, cmpopts.IgnoreFields(contract.Release{}, "Schema"))
		if !known {
			fmt.Fprintf(stdout, "%s: no facts of it are recorded\n", name)
		} else if difference != "" {
			fmt.Fprintf(stdout, "%s: the facts recorded are others (-recorded +schema):\n%s", name, difference)
		}
		if len(lacks) > 0 || difference != "" {
			result = errDifferent
		}
	}
	return result
}

// recordAll adds what was parsed to the releases. A list or an object that is in
// none of them has to be recorded of all at once: else it would seem to have come
// with the first that is recorded anew.
func recordAll(releases, parsed contract.Releases) error {
	var known, left []string // left out of this recording
	for name, release := range releases {
		known = append(known, release.Owners()...)
		if _, again := parsed[name]; !again {
			left = append(left, name)
		}
	}
	for _, release := range parsed {
		for _, owner := range release.Owners() {
			if len(left) > 0 && !slices.Contains(known, owner) {
				return fmt.Errorf("no facts of %s are recorded: record those of %s as well", owner, strings.Join(left, ", "))
			}
		}
	}
	maps.Copy(releases, parsed)
	return nil
}

// read returns the schemas in the files, or the one of the server in the
// environment where there are none.
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

// writeFacts records the facts, and their history in the README.
func writeFacts(releases contract.Releases, root string) error {
	facts, err := json.MarshalIndent(releases, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, "testdata", "releases.json"), append(facts, '\n'), 0o644); err != nil {
		return err
	}
	name := filepath.Join(root, "README.md")
	readme, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	text, err := releases.SetHistory(string(readme))
	if err != nil {
		return err
	}
	return os.WriteFile(name, []byte(text), 0o644)
}

// Command servers records what running servers of authentik said of themselves, in
// internal/contract/servers.txt:
//
//	go run ./internal/contract/servers FILE...
//
// Each FILE is JSON with what one release has, as its introspection printed it. All
// releases are recorded anew; run it from the repository's root.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"

	"github.com/authentik-go/authentik/internal/contract"
)

func main() {
	out := flag.String("out", "internal/contract/servers.txt", "the `file` to write")
	flag.Parse()
	if err := run(*out, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(out string, files []string) error {
	var servers []*server
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		s := new(server)
		if err := json.Unmarshal(text, s); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		servers = append(servers, s)
	}
	slices.SortFunc(servers, func(a, b *server) int { return contract.CompareVersions(a.Release, b.Release) })
	var releases []string
	var trees [][]*contract.Line
	for _, s := range servers {
		releases, trees = append(releases, contract.ReleaseOf(s.Release)), append(trees, s.lines())
	}
	return os.WriteFile(out, []byte(contract.ServersText(releases, trees)), 0o644)
}

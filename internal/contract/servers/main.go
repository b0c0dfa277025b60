// Command servers records what running servers of authentik said of themselves, in
// internal/contract/servers.txt:
//
//	go run ./internal/contract/servers FILE...
//
// Each FILE is JSON with what one release has, as print.py beside this file prints it in
// a server. The releases that are recorded already stay as they are, unless a FILE is of
// one. Run it from the repository's root.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
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
	text, err := os.ReadFile(out)
	if err != nil {
		return err
	}
	recorded, err := contract.ParseServers(string(text))
	if err != nil {
		return err
	}
	lines := map[string][]*contract.Line{}
	for _, release := range recorded.Releases {
		lines[release] = recorded.Lines(release)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		s := new(server)
		if err := json.Unmarshal(text, s); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		lines[contract.ReleaseOf(s.Release)] = s.lines()
	}
	releases := slices.SortedFunc(maps.Keys(lines), contract.CompareVersions)
	trees := make([][]*contract.Line, len(releases))
	for i, release := range releases {
		trees[i] = lines[release]
	}
	return os.WriteFile(out, []byte(contract.ServersText(releases, trees)), 0o644)
}

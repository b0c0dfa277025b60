package main

import (
	"bytes"
	"fmt"
	"go/format"
	"maps"
	"os"
	"slices"
)

// draft is the value of an entry of overrides.go that is still to be written.
const draft = "TODO"

// addDrafts adds entries to the maps in a file, by the names of the maps.
func addDrafts(file string, drafts map[string][]string) error {
	source, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(drafts)) {
		begin := fmt.Appendf(nil, "var %s = map[string]string{\n", name)
		i := bytes.Index(source, begin)
		if i < 0 {
			return fmt.Errorf("%s has no map %s", file, name)
		}
		var entries []byte
		for _, key := range slices.Sorted(slices.Values(drafts[name])) {
			entries = fmt.Appendf(entries, "\t%q: %q,\n", key, draft)
		}
		source = slices.Insert(source, i+len(begin), entries...)
	}
	if source, err = format.Source(source); err != nil {
		return err
	}
	return os.WriteFile(file, source, 0o644)
}

package main

import (
	"os"
	"path"
	"strings"
	"testing"
)

// TestLeftOutIsSaid finds each operation that is left out in the package comment:
// its path, or its folder with its last part beside it or as a whole.
func TestLeftOutIsSaid(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../doc.go")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	for operation := range leftOut {
		_, endpoint, _ := strings.Cut(operation, " ")
		endpoint, _, _ = strings.Cut(endpoint, "{")
		folder, last := path.Split(strings.TrimSuffix(endpoint, "/"))
		if !strings.Contains(doc, endpoint) && (!strings.Contains(doc, folder) || !strings.Contains(doc, last+"/") && !strings.Contains(doc, folder+".")) {
			t.Errorf("doc.go does not say that %s is left out", operation)
		}
	}
}

package authentik_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestReadmeIsCompiled finds every snippet of the README in the examples, which
// the compiler and the tests check.
func TestReadmeIsCompiled(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	examples, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	snippets := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	if len(snippets) < 10 {
		t.Fatalf("only %d snippets", len(snippets))
	}
	for _, snippet := range snippets {
		code := snippet[1]
		if _, program, ok := strings.Cut(code, "func main() {\n"); ok {
			code = strings.TrimSuffix(program, "}\n")
		}
		if !strings.Contains(string(examples), code) {
			t.Errorf("no example has\n%s", code)
		}
	}
}

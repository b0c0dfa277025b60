package authentik_test

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// TestReadmeIsCompiled finds every snippet of the README in the examples, which
// the compiler and the tests check: those of this package, or those that need
// other libraries, in a module of their own.
func TestReadmeIsCompiled(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var examples string
	for _, path := range []string{"example_test.go", "examples/integrations/integrations_test.go"} {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		examples += string(b)
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
		if !strings.Contains(examples, code) {
			t.Errorf("no example has\n%s", code)
		}
	}
}

// TestLinks follows every link of the docs to a file or to a heading of one.
func TestLinks(t *testing.T) {
	t.Parallel()
	root := os.DirFS(".")
	code := regexp.MustCompile("(?s)```.*?```")
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading := regexp.MustCompile(`(?m)^#+ (.*)$`)
	noAnchor := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	links := 0
	err := fs.WalkDir(root, ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != ".md" {
			return err
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		for _, match := range link.FindAllStringSubmatch(code.ReplaceAllString(string(text), ""), -1) {
			file, anchor, hasAnchor := strings.Cut(match[1], "#")
			if strings.Contains(file, ":") {
				continue // what is elsewhere cannot be followed without a network
			}
			links++
			target := name
			if file != "" {
				target = path.Join(path.Dir(name), file)
			}
			if _, err := fs.Stat(root, target); err != nil {
				t.Errorf("%s: %s: %v", name, match[1], err)
				continue
			}
			if !hasAnchor {
				continue
			}
			text, err := fs.ReadFile(root, target)
			if err != nil {
				return err
			}
			found := false
			for _, match := range heading.FindAllStringSubmatch(string(text), -1) {
				words := noAnchor.ReplaceAllString(strings.ToLower(match[1]), "")
				found = found || strings.ReplaceAll(words, " ", "-") == anchor
			}
			if !found {
				t.Errorf("%s: %s: no such heading", name, match[1])
			}
		}
		return nil
	})
	if err != nil || links == 0 {
		t.Errorf("%d links: %v", links, err)
	}
}

// TestEveryModuleIsRenewed finds every go.mod in the rules of dependabot.
func TestEveryModuleIsRenewed(t *testing.T) {
	t.Parallel()
	rules, err := os.ReadFile(".github/dependabot.yml")
	if err != nil {
		t.Fatal(err)
	}
	err = fs.WalkDir(os.DirFS("."), ".", func(name string, _ fs.DirEntry, err error) error {
		if path.Base(name) != "go.mod" {
			return err
		}
		if folder := path.Join("/", path.Dir(name)); !strings.Contains(string(rules), "      - "+folder+"\n") {
			t.Errorf("the rules lack the module in %s", folder)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

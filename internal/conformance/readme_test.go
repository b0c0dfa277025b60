package conformance_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSnippets finds every snippet of the README and of docs/ in the examples,
// which the compiler and the tests check: those of the root, or those that
// need other libraries, in a module of their own. The tests of examples/migration
// do the same for docs/migrating.md.
func TestSnippets(t *testing.T) {
	t.Parallel()
	examples, err := fs.Glob(os.DirFS(root), "example*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var compiled string
	for _, name := range append(examples, "examples/integrations/integrations_test.go", "examples/integrations/cookbook_test.go") {
		compiled += readFile(t, name)
	}
	snippet := regexp.MustCompile("(?s)```go\n(.*?)```")
	for name, least := range map[string]int{"README.md": 10, "docs/integrations.md": 9, "docs/testing.md": 4, "docs/cookbook.md": 20} {
		snippets := snippet.FindAllStringSubmatch(readFile(t, name), -1)
		if len(snippets) < least {
			t.Errorf("%s: only %d snippets", name, len(snippets))
		}
		for _, snippet := range snippets {
			code := snippet[1]
			if lines := strings.Count(code, "\n"); name == "docs/cookbook.md" && lines > 25 {
				t.Errorf("%s: a recipe has %d lines, more than 25:\n%s", name, lines, code)
			}
			if _, program, ok := strings.Cut(code, "func main() {\n"); ok {
				code = strings.TrimSuffix(program, "}\n")
			}
			if !strings.Contains(compiled, code) {
				t.Errorf("%s: no example has\n%s", name, code)
			}
		}
	}
}

// TestReadmeIsShort keeps the README to what decides the first ten minutes, and
// finds each of its commands in what CI runs.
func TestReadmeIsShort(t *testing.T) {
	t.Parallel()
	readme := readFile(t, "README.md")
	if lines := strings.Count(readme, "\n"); lines > 200 {
		t.Errorf("it has %d lines, more than 200: move something to docs", lines)
	}
	ci := readFile(t, ".ci/run")
	commands := 0
	for _, match := range regexp.MustCompile("```sh\n(go (?:run|test) .*)\n```").FindAllStringSubmatch(readme, -1) {
		commands++
		if !strings.Contains(ci, "\n\t"+match[1]+"\n") {
			t.Errorf("CI does not run %s", match[1])
		}
	}
	if commands != 2 {
		t.Errorf("%d commands to try, not 2", commands)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestLinks follows every link of the docs to a file or to a heading of one.
func TestLinks(t *testing.T) {
	t.Parallel()
	files := os.DirFS(root)
	code := regexp.MustCompile("(?s)```.*?```")
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading := regexp.MustCompile(`(?m)^#+ (.*)$`)
	noAnchor := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	links := 0
	err := fs.WalkDir(files, ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != ".md" {
			return err
		}
		text, err := fs.ReadFile(files, name)
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
			if _, err := fs.Stat(files, target); err != nil {
				t.Errorf("%s: %s: %v", name, match[1], err)
				continue
			}
			if !hasAnchor {
				continue
			}
			text, err := fs.ReadFile(files, target)
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
	rules, err := os.ReadFile(filepath.Join(root, ".github/dependabot.yml"))
	if err != nil {
		t.Fatal(err)
	}
	err = fs.WalkDir(os.DirFS(root), ".", func(name string, _ fs.DirEntry, err error) error {
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

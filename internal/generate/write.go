package main

import (
	"embed"
	"strings"
	"text/template"

	"github.com/authentik-go/authentik/internal/generate/fake"
)

//go:embed *.tmpl
var templateFiles embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"isStruct": func(t any) bool { _, ok := t.(*structType); return ok },
}).ParseFS(templateFiles, "*.tmpl"))

// write returns all files that the plan makes, by name.
func (p *plan) write() (map[string][]byte, error) {
	files := map[string][]byte{namesFile: writeNames(p.Names)}
	goFile := func(name, pkg, tmpl string, data any) error {
		var code strings.Builder
		if err := templates.ExecuteTemplate(&code, tmpl, data); err != nil {
			return err
		}
		source, err := goSource(name, pkg, code.String())
		files[name] = source
		return err
	}
	all := p.Shared
	for _, r := range p.Resources {
		all = append(all, r.File)
	}
	for _, f := range all {
		if err := goFile(f.Name, "authentik", "resource.go.tmpl", f); err != nil {
			return nil, err
		}
	}
	for _, f := range []struct{ name, pkg, tmpl string }{
		{"zz_services.go", "authentik", "services.go.tmpl"},
		{"zz_go126.go", "authentik", "go126.go.tmpl"},
		{"zz_lists.go", "authentik", "lists.go.tmpl"},
		{"zz_operations.go", "authentik", "operations.go.tmpl"},
		{"zz_enums.go", "authentik", "enums.go.tmpl"},
		{"zz_companions.go", "authentik", "companions.go.tmpl"},
		{"zz_changes.go", "authentik", "changes.go.tmpl"},
		{"internal/contract/sdk/types.go", "sdk", "types.go.tmpl"},
		{"authentiktest/lists.go", "authentiktest", "fake.go.tmpl"},
	} {
		if err := goFile(f.name, f.pkg, f.tmpl, p); err != nil {
			return nil, err
		}
	}
	table, err := fake.Table(p.Facts, p.Identities)
	if err != nil {
		return nil, err
	}
	files["authentiktest/table.go"] = append([]byte(mark+"\n\n"), table...)
	var page strings.Builder
	err = templates.ExecuteTemplate(&page, "services.md.tmpl", p)
	files["docs/services.md"] = []byte(page.String())
	return files, err
}

// Command api writes what the SDK's packages export, one line each, to
// internal/api/api.txt. With -check it writes nothing and exits with 1 if the file
// differs: what users see never changes by accident.
//
//	go run ./internal/api
package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// packages are those that users import, by their folders.
var packages = []string{".", "authentiktest"}

const file = "internal/api/api.txt"

func main() {
	check := flag.Bool("check", false, "write nothing, and say what differs")
	root := flag.String("root", ".", "the `folder` of the repository")
	flag.Parse()
	if err := run(*root, *check); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(root string, check bool) error {
	var lines []string
	for _, folder := range packages {
		exported, err := exports(os.DirFS(filepath.Join(root, folder)))
		if err != nil {
			return err
		}
		lines = append(lines, exported...)
	}
	path := filepath.Join(root, file)
	if !check {
		return os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644)
	}
	recorded, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if differences := compare(strings.Split(strings.TrimSpace(string(recorded)), "\n"), lines); len(differences) > 0 {
		return fmt.Errorf("the exported API changed; if that is meant, run go run ./internal/api and name it in CHANGELOG.md:\n%s", strings.Join(differences, "\n"))
	}
	return nil
}

// compare returns the lines that are gone, and those that are new.
func compare(recorded, now []string) []string {
	var differences []string
	for _, line := range recorded {
		if !slices.Contains(now, line) {
			differences = append(differences, "- "+line)
		}
	}
	for _, line := range now {
		if !slices.Contains(recorded, line) {
			differences = append(differences, "+ "+line)
		}
	}
	return differences
}

// exports are the lines of one package, sorted.
func exports(folder fs.FS) ([]string, error) {
	names, err := fs.Glob(folder, "*.go")
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		if strings.Contains(string(source), "\n//go:build ") {
			continue // what one version of Go alone needs
		}
		ast.FileExports(parsed)
		for _, declaration := range parsed.Decls {
			pkg := parsed.Name.Name + " "
			lines = append(lines, declared(strings.TrimPrefix(pkg, "authentik "), declaration)...)
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines), nil
}

// declared are the lines of one declaration: a struct has one for each field.
func declared(pkg string, declaration ast.Decl) []string {
	if f, ok := declaration.(*ast.FuncDecl); ok {
		if f.Recv != nil && !ast.IsExported(strings.TrimLeft(text(f.Recv.List[0].Type), "*")) {
			return nil
		}
		f.Doc, f.Body = nil, nil
		return []string{pkg + "" + text(f)}
	}
	var lines []string
	for _, spec := range declaration.(*ast.GenDecl).Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			lines = append(lines, typeLines(pkg, spec)...)
		case *ast.ValueSpec:
			for i, name := range spec.Names {
				line := pkg + "" + declaration.(*ast.GenDecl).Tok.String() + " " + name.Name
				if spec.Type != nil {
					line += " " + text(spec.Type)
				}
				if literal, ok := at(spec.Values, i).(*ast.BasicLit); ok && name.Name != "Version" {
					line += " = " + literal.Value
				}
				lines = append(lines, line)
			}
		}
	}
	return lines
}

func typeLines(pkg string, spec *ast.TypeSpec) []string {
	structure, ok := spec.Type.(*ast.StructType)
	if !ok {
		spec.Doc, spec.Comment = nil, nil
		return []string{pkg + "type " + text(spec)}
	}
	lines := []string{pkg + "type " + spec.Name.Name + " struct"}
	for _, field := range structure.Fields.List {
		names := field.Names
		if len(names) == 0 {
			names = []*ast.Ident{{Name: "(embedded)"}}
		}
		for _, name := range names {
			lines = append(lines, fmt.Sprintf("%s%s.%s %s", pkg, spec.Name.Name, name.Name, text(field.Type)))
		}
	}
	return lines
}

func at(values []ast.Expr, i int) ast.Expr {
	if i < len(values) {
		return values[i]
	}
	return nil
}

// text prints a node on one line.
func text(node any) string {
	var b bytes.Buffer
	if err := printer.Fprint(&b, token.NewFileSet(), node); err != nil {
		panic(err) // a buffer takes all
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

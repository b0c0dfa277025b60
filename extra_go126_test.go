//go:build !go1.27 || !goexperiment.jsonv2

package authentik_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
)

// TestModelsHaveTheMethodsOfGo126 looks in the source for structs with Extra.
func TestModelsHaveTheMethodsOfGo126(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	models, methods := map[string]bool{}, map[string]bool{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.TypeSpec:
				structure, ok := node.Type.(*ast.StructType)
				if !ok {
					break
				}
				for _, field := range structure.Fields.List {
					if len(field.Names) == 1 && field.Names[0].Name == "Extra" {
						models[node.Name.Name] = true
					}
				}
			case *ast.FuncDecl:
				if node.Recv == nil {
					break
				}
				receiver := node.Recv.List[0].Type
				if pointer, ok := receiver.(*ast.StarExpr); ok {
					receiver = pointer.X
				}
				if receiver, ok := receiver.(*ast.Ident); ok {
					methods[receiver.Name+"."+node.Name.Name] = true
				}
			}
			return true
		})
	}
	if !models["PasswordStage"] {
		t.Error("PasswordStage was not found")
	}
	for model := range models {
		for _, method := range []string{"UnmarshalJSON", "UnmarshalJSONFrom", "MarshalJSON"} {
			if !methods[model+"."+method] {
				t.Errorf("%s lacks %s in extra_go126.go", model, method)
			}
		}
	}
}

// TestExtraIsACopy calls UnmarshalJSON itself, with the white space that
// encoding/json would not pass on.
func TestExtraIsACopy(t *testing.T) {
	t.Parallel()
	document := []byte("\n{\"new\":1}\n")
	var flow authentik.FlowSet
	if err := flow.UnmarshalJSON(document); err != nil {
		t.Fatal(err)
	}
	clear(document)
	if got := string(flow.Extra["new"]); got != "1" || len(flow.Extra) != 1 {
		t.Errorf("Extra has %q", flow.Extra)
	}
}

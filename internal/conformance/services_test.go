package conformance_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/contract"
	"github.com/authentik-go/authentik/internal/contract/sdk"
	"github.com/authentik-go/authentik/internal/testkit"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// method is a method of a service, and the operation that it asks for.
type method struct {
	sdk.Method

	asks *contract.Operation
}

// recordedFacts are those of all releases.
var recordedFacts = sync.OnceValue(func() *contract.Facts {
	facts, err := contract.ReadFacts()
	if err != nil {
		panic(err)
	}
	return facts
})

// methods are all of all services, with the operations that they ask for.
var methods = sync.OnceValue(func() []method {
	operations := map[string]*contract.Operation{}
	for _, o := range recordedFacts().Operations {
		path := o.Path
		for _, p := range o.Parameters {
			if p.In == "path" {
				path = strings.ReplaceAll(path, "{"+p.Name+"}", fmt.Sprint(sdk.IDs[goTypes[p.Type.Kind]]))
			}
		}
		if operations[o.Method+" "+path] == nil { // where the names of parameters changed, any will do
			operations[o.Method+" "+path] = o
		}
	}
	var all []method
	for _, m := range sdk.Methods() {
		asks := operations[m.HTTP+" "+m.Path]
		if asks == nil {
			panic(fmt.Sprintf("%v asks for %s %s, which authentik does not have", m, m.HTTP, m.Path))
		}
		all = append(all, method{m, asks})
	}
	return all
})

// goTypes are the types of the parameters that name objects, by authentik's kind.
var goTypes = map[string]reflect.Type{
	"uuid": reflect.TypeFor[uuid.UUID](), "integer": reflect.TypeFor[int](), "string": reflect.TypeFor[string](),
}

// pathParameter is one in a path: its name changed at times.
var pathParameter = regexp.MustCompile(`\{[^/]+\}`)

// TestEveryOperationIsReached finds an operation of any release that no method
// asks for, or a list without its three methods.
func TestEveryOperationIsReached(t *testing.T) {
	t.Parallel()
	facts := recordedFacts()
	reached := map[string][]string{}
	for _, m := range methods() {
		operation := m.asks.Method + " " + m.asks.Path
		reached[operation] = append(reached[operation], m.Name)
	}
	newest := facts.At(facts.Versions[len(facts.Versions)-1])
	for _, o := range facts.Operations {
		operation := o.Method + " " + o.Path
		names := reached[operation]
		isNewest := newest.Operation(o.Method, o.Path) != nil
		switch {
		case contract.LeftOut[operation] != "", o.Method == http.MethodPut && reached["PATCH "+o.Path] != nil:
			if names != nil {
				t.Errorf("%s is left out, and %q ask for it", operation, names)
			}
		case contract.Moved[operation] != "":
			if isNewest || reached[contract.Moved[operation]] == nil {
				t.Errorf("%s has not moved to %s", operation, contract.Moved[operation])
			}
		case len(o.Answers) > 0 && o.Answers[0].Page:
			if !slices.Equal(slices.Sorted(slices.Values(names)), []string{"All", "List", "Pages"}) {
				t.Errorf("%s has the methods %q", operation, names)
			}
		case len(names) == 2 && names[1] == names[0]+"With": // it grew
		case len(names) != 1:
			t.Errorf("%s has the methods %q", operation, names)
		}
	}
	for operation := range contract.LeftOut {
		method, path, _ := strings.Cut(operation, " ")
		if facts.Operation(method, path) == nil {
			t.Errorf("there is no %s to leave out", operation)
		}
	}
}

// TestEveryMethodIsInTheDocs finds each method in docs/services.md, beside the
// operation that it calls, and nothing else there.
func TestEveryMethodIsInTheDocs(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/services.md")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{} // operations, by the methods that call them
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, " | ")
		first, rest, isCall := strings.Cut(cells[min(1, len(cells)-1)], ", ")
		service, name, hasDot := strings.Cut(strings.Trim(first, "`"), ".")
		if !strings.HasPrefix(line, "| ") || !hasDot {
			continue
		}
		names := []string{name}
		if isCall {
			names = append(names, strings.Split(strings.ReplaceAll(rest, "`", ""), ", ")...)
		}
		for _, name := range names {
			said[service+"."+name] = strings.TrimPrefix(cells[0], "| ")
		}
	}
	for _, m := range methods() {
		want := pathParameter.ReplaceAllString(m.asks.Method+" "+m.asks.Path, "{}")
		if got := pathParameter.ReplaceAllString(said[m.String()], "{}"); got != want {
			t.Errorf("docs/services.md says that %v calls %q, not %q", m, got, want)
		}
		delete(said, m.String())
	}
	for call, operation := range said {
		t.Errorf("docs/services.md says that %s calls %s, and there is no such method", call, operation)
	}
}

// TestNamesOfMethods compares those that every resource has with what they ask
// for.
func TestNamesOfMethods(t *testing.T) {
	t.Parallel()
	for _, m := range methods() {
		want := map[string]string{
			"List": "GET", "Pages": "GET", "All": "GET", "Retrieve": "GET", "Create": "POST", "Update": "PATCH", "Delete": "DELETE", "UsedBy": "GET",
		}[m.Name]
		createsByPut := m.asks.Path == "core/transactional/applications/"
		if isPut := m.asks.Method == http.MethodPut && (m.Name == "Update" || createsByPut); want != "" && m.asks.Method != want && !isPut {
			t.Errorf("%v asks for %s %s", m, m.asks.Method, m.asks.Path)
		}
		if m.Name == "UsedBy" && !strings.HasSuffix(m.asks.Path, "/used_by/") {
			t.Errorf("%v asks for %s", m, m.asks.Path)
		}
	}
}

// TestBadIDs gives each method ids that no object can have.
func TestBadIDs(t *testing.T) {
	t.Parallel()
	bad := map[reflect.Type][]any{
		reflect.TypeFor[uuid.UUID](): {uuid.Nil},
		reflect.TypeFor[int]():       {0, -1},
		reflect.TypeFor[string]():    {"", "a/b", "..", ".", "a\nb"},
	}
	client, mock := mockClient(t)
	mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
		t.Errorf("%s %s was sent", r.Method, r.URL)
		return answer(http.StatusOK, nil, emptyPage)(r)
	})
	tried := map[reflect.Type]int{}
	for _, m := range methods() {
		f := m.Of(client)
		for i := range f.Type().NumIn() {
			for _, id := range bad[f.Type().In(i)] {
				args := sdk.Arguments(t.Context(), f.Type())
				args[i] = reflect.ValueOf(id)
				if result, err := sdk.Call(f, args); err == nil || result.IsValid() && !result.IsZero() {
					t.Errorf("%v(%#v): %v, %v", m, id, result, err)
				}
				tried[f.Type().In(i)]++
			}
		}
	}
	if len(tried) != len(bad) {
		t.Errorf("tried %v", tried)
	}
}

// filterValues are values of a filter of the type, with what authentik reads.
func filterValues(facts *contract.Facts, p *contract.Parameter, t contract.Type) (values []any, sent [][]string) {
	add := func(value any, text ...string) { values, sent = append(values, value), append(sent, text) }
	switch t.Kind {
	case "string", "uri", "email", "date":
		if p.Name == "attributes" {
			add(`{"a": "&, größe"}`, `{"a": "&, größe"}`)
			break
		}
		add("a&b, größe", "a&b, größe")
	case "enum":
		value := facts.Enum(t.Name).Values[0].Value
		add(value, value)
	case "boolean":
		add(true, "true")
		add(false, "false")
	case "integer", "int64", "number":
		add(-1, "-1")
		add(0, "0")
	case "double":
		add(0.5, "0.5")
	case "uuid":
		add(pk, pkText)
	case "date-time":
		add(time.Date(2026, 2, 3, 4, 5, 6, 789000, time.FixedZone("", 3600)), "2026-02-03T04:05:06.000789+01:00")
	case "array":
		elems, texts := filterValues(facts, p, *t.Elem)
		values, sent = nil, nil
		if t.Elem.Kind == "uuid" {
			elems, texts = append(elems, uuid.Max), append(texts, []string{uuid.Max.String()})
		} else {
			elems, texts = slices.Repeat(elems, 2), slices.Repeat(texts, 2)
		}
		list := slices.Concat(texts...)
		if !p.Explode {
			list = []string{strings.Join(list, ",")}
		}
		add(elems, list...)
	default:
		panic("no value of the filter " + p.String())
	}
	return values, sent
}

// set sets a field of options: one of its pointer's or its own type.
func set(field reflect.Value, value any) {
	if list, ok := value.([]any); ok {
		for _, elem := range list {
			e := reflect.New(field.Type().Elem()).Elem()
			set(e, elem)
			field.Set(reflect.Append(field, e))
		}
		return
	}
	if field.Kind() == reflect.Pointer {
		field.Set(reflect.New(field.Type().Elem()))
		field = field.Elem()
	}
	field.Set(reflect.ValueOf(value).Convert(field.Type()))
}

// TestEveryFilterIsSent sends each filter of each release by each method that has
// it, in the form that the server reads.
func TestEveryFilterIsSent(t *testing.T) {
	t.Parallel()
	facts := recordedFacts()
	count := 0
	for _, m := range methods() {
		client, mock := mockClient(t, authentik.WithRetries(0, 0, 0))
		var sent url.Values
		mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
			if !strings.HasSuffix(r.URL.Path, "/admin/version/") || m.asks.Path == "admin/version/" {
				sent = r.URL.Query()
			}
			return testkit.AnswerEmpty(r)
		})
		f := m.Of(client)
		options := sdk.OptionsOf(f.Type())
		isList := m.Name == "List" || m.Name == "Pages" || m.Name == "All"
		newest := newestFilters(m.asks)
		if options == nil {
			service := reflect.Indirect(reflect.ValueOf(client)).FieldByName(m.Service)
			if len(newest) > 0 && !service.MethodByName(m.Name+"With").IsValid() {
				t.Errorf("%v has no options, and %s %s has %v", m, m.asks.Method, m.asks.Path, newest)
			}
			continue
		}
		fields := sdk.FieldsByTag(options.Elem(), "url")
		for name := range fields {
			if newest[name] == nil {
				t.Errorf("%v has %s, which authentik has not", m, name)
			}
		}
		for name, p := range newest {
			field, has := fields[name]
			if !has {
				t.Errorf("%v lacks the filter %s", m, name)
				continue
			}
			values, texts := filterValues(facts, p, p.Type)
			for i, value := range values {
				text := texts[i]
				if (name == "page" || name == "page_size") && isList {
					value, text = 7, []string{"7"} // 0 and less are no filters
				}
				opts := reflect.New(options.Elem())
				set(opts.Elem().FieldByIndex(field.Index), value)
				args := sdk.Arguments(t.Context(), f.Type())
				args[len(args)-1] = opts
				sent = nil
				_, err := sdk.Call(f, args) // the answer is not the one for all
				if name == "search" && errors.Is(err, errors.ErrUnsupported) {
					count++
					continue // of a list that has none
				}
				want := url.Values{name: text}
				if isList {
					addOwn(want, sent, m)
				}
				if diff := cmp.Diff(want, sent); diff != "" {
					t.Errorf("%v with %s %v (-want +sent):\n%s", m, name, value, diff)
				}
				count++
			}
		}
	}
	if count < 3000 {
		t.Errorf("only %d filters were sent", count)
	}
}

// newestFilters are the operation's, each by the newest release that has it.
func newestFilters(asks *contract.Operation) map[string]*contract.Parameter {
	newest := map[string]*contract.Parameter{}
	for _, p := range asks.Parameters {
		if last := newest[p.Name]; p.In == "query" && !slices.Contains(contract.LeftOutOptions, p.Name) && (last == nil || p.Spans.Last() > last.Spans.Last()) {
			newest[p.Name] = p
		}
	}
	return newest
}

// addOwn adds what a list's method sends beside the one filter.
func addOwn(want, sent url.Values, m method) {
	if m.Name == "Pages" || m.Name == "All" {
		for name, value := range map[string]string{"page": "1", "page_size": "100"} {
			if !want.Has(name) {
				want.Set(name, value)
			}
		}
		// what decides between any two objects
		if ordering := sent.Get("ordering"); ordering != "" && (!want.Has("ordering") || strings.HasPrefix(ordering, want.Get("ordering")+",")) {
			want.Set("ordering", ordering)
		}
	}
	if m.asks.Path == "core/applications/" && sent.Get("search") == " " {
		want.Set("search", " ") // which passes a cache by
	}
}

// TestServicesBuildPathsSafely reads the source of the services: each method is one
// call of a function that checks what it puts into a path, with paths that are
// constants.
func TestServicesBuildPathsSafely(t *testing.T) {
	t.Parallel()
	safe := []string{"get", "below", "list", "pages", "all", "send", "act"}
	names, err := filepath.Glob(filepath.Join(root, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			f, isFunc := declaration.(*ast.FuncDecl)
			if !isFunc || f.Recv == nil || !strings.HasSuffix(types.ExprString(f.Recv.List[0].Type), "Service") {
				continue
			}
			count++
			call := onlyCall(f)
			if call == nil {
				t.Errorf("%s: %s is not one call", name, f.Name)
				continue
			}
			if called := types.ExprString(call.Fun); called == "items" && len(call.Args) == 1 {
				call, _ = call.Args[0].(*ast.CallExpr)
			}
			called, _, _ := strings.Cut(types.ExprString(call.Fun), "[")
			if !slices.Contains(safe, called) {
				t.Errorf("%s: %s calls %s", name, f.Name, called)
			}
			service := strings.TrimSuffix(strings.TrimPrefix(types.ExprString(f.Recv.List[0].Type), "*"), "Service")
			parameters := map[string]bool{"nil": true, "true": true}
			for _, field := range f.Type.Params.List {
				for _, parameter := range field.Names {
					parameters[parameter.Name] = true
				}
			}
			for i, arg := range call.Args {
				if text := types.ExprString(arg); i != 2 && text != "s.client" && !isSafe(arg, parameters) || i == 2 && !strings.HasPrefix(text, "op"+service) {
					t.Errorf("%s: %s gives %s the argument %s", name, f.Name, called, types.ExprString(arg))
				}
			}
		}
	}
	if count < 1400 {
		t.Errorf("only %d methods were found", count)
	}
}

// onlyCall is the call that a function returns, nil if it does more.
func onlyCall(f *ast.FuncDecl) *ast.CallExpr {
	if len(f.Body.List) != 1 {
		return nil
	}
	result, isReturn := f.Body.List[0].(*ast.ReturnStmt)
	if !isReturn || len(result.Results) != 1 {
		return nil
	}
	call, _ := result.Results[0].(*ast.CallExpr)
	return call
}

func isConstant(expr ast.Expr) bool {
	literal, ok := expr.(*ast.BasicLit)
	return ok && literal.Kind == token.STRING
}

// isSafe reports whether an argument is a constant, a parameter as it is, two of
// them as an id, or a write of such.
func isSafe(arg ast.Expr, parameters map[string]bool) bool {
	switch arg := arg.(type) {
	case *ast.BasicLit:
		return isConstant(arg)
	case *ast.Ident:
		return parameters[arg.Name]
	case *ast.CallExpr: // of the body
		return types.ExprString(arg.Fun) == "form" && isSafe(arg.Args[0], parameters)
	case *ast.CompositeLit:
		for _, element := range arg.Elts {
			value := element
			if pair, isPair := element.(*ast.KeyValueExpr); isPair {
				value = pair.Value
				if types.ExprString(pair.Key) == "object" { // how the answer is compared
					continue
				}
			}
			if !isSafe(value, parameters) {
				return false
			}
		}
		return types.ExprString(arg.Type) == "write" || types.ExprString(arg.Type) == "[2]string"
	}
	return false
}

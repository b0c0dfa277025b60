package flow

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/authentik-go/authentik/internal/contract"
)

// component returns the component of a challenge or of the answer to one, "" if the
// object is neither.
func component(o *contract.Object) string {
	for _, m := range o.Members {
		if m.Name == "component" && (strings.HasSuffix(o.Name, "Challenge") || strings.HasSuffix(o.Name, "ChallengeResponseRequest")) {
			return strings.Trim(m.Default, `"`)
		}
	}
	return ""
}

// nested are the types of objects that challenges and inspections have.
var nested = map[string]reflect.Type{
	"ConsentPermission": reflect.TypeFor[ConsentPermission](),
	"DeviceChallenge":   reflect.TypeFor[DeviceChallenge](),
	"FlowInspection":    reflect.TypeFor[Inspection](),
	"FlowInspectorPlan": reflect.TypeFor[InspectedPlan](),
	"LoginSource":       reflect.TypeFor[LoginSource](),
	"LogoutURL":         reflect.TypeFor[LogoutURL](),
	"SelectableStage":   reflect.TypeFor[SelectableStage](),
}

// TestTypes compares the types with the facts: each challenge and answer of each
// release has one, with all members, and their comments say since and until when.
func TestTypes(t *testing.T) {
	t.Parallel()
	facts, err := contract.ReadFacts()
	if err != nil {
		t.Fatal(err)
	}
	comments := readComments(t)
	challenges, replies := map[string]bool{}, map[string]bool{}
	for _, o := range facts.Objects {
		name := component(o)
		var have reflect.Type
		switch {
		case nested[o.Name] != nil:
			have = nested[o.Name]
		case name == "":
			continue
		case strings.HasSuffix(o.Name, "Request"):
			replies[name] = true
			i := slices.IndexFunc(answers, func(a Answer) bool { return a.component() == name })
			if i < 0 {
				t.Errorf("no answer for %s", name)
				continue
			}
			have = reflect.TypeOf(answers[i])
		default:
			challenges[name] = true
			if newChallenge[name] == nil {
				t.Errorf("no challenge for %s", name)
				continue
			}
			have = reflect.TypeOf(newChallenge[name]()).Elem()
			if have.Name() != o.Name {
				t.Errorf("%s is the type for %s", have, o.Name)
			}
		}
		checkType(t, facts, o, have, comments)
	}
	if len(challenges) != len(newChallenge) || len(replies) != len(answers) {
		t.Errorf("the facts have %d challenges and %d answers, not %d and %d", len(challenges), len(replies), len(newChallenge), len(answers))
	}
}

// goKinds are the types that a member may have.
var goKinds = map[string][]string{
	"array": {"slice"}, "boolean": {"bool"}, "integer": {"int"}, "object": {"slice", "map"}, "map": {"map"},
	"string": {"string"}, "uuid": {"string"}, "uri": {"string"}, "enum": {"string"}, "any": {"struct"},
	"ref": {"struct"}, "date-time": {"struct"},
}

func checkType(t *testing.T, facts *contract.Facts, o *contract.Object, have reflect.Type, comments map[string]string) {
	t.Helper()
	if have.Kind() != reflect.Struct { // a map
		return
	}
	fields := map[string]reflect.StructField{}
	for _, field := range reflect.VisibleFields(have) {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" && name != "-" {
			fields[name] = field
		}
	}
	spans := map[string]contract.Spans{}
	for _, m := range o.Members {
		spans[m.Name] = append(spans[m.Name], m.Spans...)
		field, has := fields[m.Name]
		switch {
		case m.Name == "component" && strings.HasSuffix(o.Name, "Request"):
			delete(spans, m.Name)
			continue
		case !has:
			t.Errorf("%s has no %s", have, m.Name)
			continue
		case m.Name == "code": // the servers that want a number take a text
			continue
		case m.Name == "response_errors" || m.Name == "flow_info" || m.Name == "component" || m.Name == "type" && o.Name != "StagePrompt":
			continue // of ChallengeBase
		}
		typ, nilable := field.Type, field.Type.Kind() == reflect.Slice || field.Type.Kind() == reflect.Map
		if typ.Kind() == reflect.Pointer {
			typ, nilable = typ.Elem(), true
		}
		if !slices.Contains(goKinds[m.Type.Kind], typ.Kind().String()) {
			t.Errorf("%s.%s is a %s, and %s is %s", have, field.Name, typ, m.Name, m.Type)
		}
		if m.Type.Nullable && !nilable && !strings.HasSuffix(o.Name, "Request") {
			t.Errorf("%s.%s cannot be nil, and %s can", have, field.Name, m.Name)
		}
	}
	for name, field := range fields {
		if spans[name] == nil {
			if name != "type" { // of ChallengeBase; it was gone when newer challenges came
				t.Errorf("%s.%s is no member of %s", have, field.Name, o.Name)
			}
			continue
		}
		owner := have.Name()
		if len(field.Index) > 1 {
			owner = "ChallengeBase"
		}
		if got, want := times(comments[owner+"."+field.Name]), history(facts, spans[name], o.Spans); got != want && owner != "ChallengeBase" {
			t.Errorf("%s.%s: the comment says %q, not %q", owner, field.Name, got, want)
		}
	}
	since := facts.Since(o.Spans)
	if got := times(comments[have.Name()]); since != "" && got != "since "+since || since == "" && got != "" {
		t.Errorf("%s: the comment says %q, not since %q", have.Name(), got, since)
	}
}

// history says since and until when a member is there of its object.
func history(facts *contract.Facts, part, whole contract.Spans) string {
	var words []string
	first, last := part[0].First, part[0].Last
	for _, span := range part {
		first, last = min(first, span.First), max(last, span.Last)
	}
	if facts.Release(first) != facts.Release(whole[0].First) {
		words = append(words, "since "+facts.Release(first))
	}
	if last < whole[len(whole)-1].Last {
		words = append(words, "until "+facts.Release(last))
	}
	return strings.Join(words, ", ")
}

var when = regexp.MustCompile(`(?i)\b(since|until) (\d{4}\.\d+)\b`)

// times are what a comment says of releases.
func times(comment string) string {
	var words []string
	for _, match := range when.FindAllStringSubmatch(comment, -1) {
		if !strings.Contains(comment, "required until "+match[2]) {
			words = append(words, strings.ToLower(match[1])+" "+match[2])
		}
	}
	return strings.Join(words, ", ")
}

// readComments returns the comments on the types and, by Type.Field, on their fields.
func readComments(t *testing.T) map[string]string {
	t.Helper()
	comments := map[string]string{}
	for _, name := range []string{"challenges.go", "answers.go", "inspect.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			d, ok := node.(*ast.GenDecl)
			if !ok || d.Tok != token.TYPE {
				return true
			}
			spec := d.Specs[0].(*ast.TypeSpec)
			comments[spec.Name.Name] = strings.ReplaceAll(d.Doc.Text(), "\n", " ")
			if s, ok := spec.Type.(*ast.StructType); ok {
				for _, field := range s.Fields.List {
					for _, name := range field.Names {
						comments[spec.Name.Name+"."+name.Name] = field.Comment.Text()
					}
				}
			}
			return true
		})
	}
	return comments
}

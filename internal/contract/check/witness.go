package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/contract/sdk"
	"github.com/getkin/kin-openapi/openapi3"
)

// This file is a second witness of what the SDK reads: it makes documents from
// the schemas themselves, not from the facts that the SDK is generated from, and
// has the services read them.

var errLost = errors.New("the SDK does not read all that the schemas say")

// readDocuments has each service read documents of each operation of a schema,
// and says what it refused or lost.
func readDocuments(ctx context.Context, schema []byte, stdout io.Writer) error {
	document, err := openapi3.NewLoader().LoadFromData(schema)
	if err != nil {
		return err
	}
	markUUIDs(document)
	w := &witness{version: document.Info.Version, stdout: stdout}
	if w.client, err = authentik.NewClient("http://authentik", "x", authentik.WithRetries(0, 0, 0),
		authentik.WithHTTPClient(&http.Client{Transport: w})); err != nil {
		return err
	}
	for _, path := range document.Paths.InMatchingOrder() {
		if get := document.Paths.Value(path).Get; get != nil {
			w.operation(ctx, strings.TrimPrefix(path, "/"), get)
		}
	}
	fmt.Fprintf(stdout, "%s: %d operations, %d documents read, %d refused, %d members lost, %d operations not reached\n",
		w.version, w.operations, w.documents, w.refused, w.lost, w.unreached)
	if w.operations == 0 || w.refused+w.lost+w.unreached > 0 {
		return errLost
	}
	return nil
}

// notRead are the ends of paths that the SDK does not ask for: those of other
// clients, and what newer servers have elsewhere.
var notRead = []string{
	"admin/workers/", "core/users/{id}/recovery/", "core/users/{id}/recovery_email/", "endpoints/agents/connectors/agent_config/",
	"enterprise/license/get_install_id/", "flows/executor/{flow_slug}/", "flows/inspector/{flow_slug}/", "schema/", "sync_status/", "tasks/workers",
}

type witness struct {
	version string
	client  *authentik.Client
	stdout  io.Writer
	answer  []byte // to whatever is asked for

	operations, documents, refused, lost, unreached int
}

func (w *witness) RoundTrip(r *http.Request) (*http.Response, error) {
	body := io.NopCloser(bytes.NewReader(w.answer))
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: body, Request: r}, nil
}

// operation has documents of an operation read by the method that asks for it.
func (w *witness) operation(ctx context.Context, path string, get *openapi3.Operation) {
	if slices.ContainsFunc(notRead, func(end string) bool { return strings.HasSuffix(path, end) }) {
		return
	}
	w.operations++
	asked := path
	for _, parameter := range get.Parameters {
		if p := parameter.Value; p.In == "path" {
			asked = strings.ReplaceAll(asked, "{"+p.Name+"}", idOf(p.Schema.Value))
		}
	}
	var content *openapi3.MediaType
	for code, response := range get.Responses.Map() {
		if strings.HasPrefix(code, "2") {
			content = response.Value.Content["application/json"]
		}
	}
	reached := false
	for _, m := range sdk.Methods() {
		if m.HTTP != http.MethodGet || m.Path != asked || m.Name == "Pages" || m.Name == "All" { // List has read it
			continue
		}
		reached = true
		if content != nil && content.Schema.Value.Format != "binary" {
			w.read(ctx, m, content.Schema)
		}
	}
	if !reached {
		w.unreached++
		fmt.Fprintf(w.stdout, "%s: no method asks for %s\n", w.version, path)
	}
}

// idOf is what sdk.IDs has for a parameter.
func idOf(schema *openapi3.Schema) string {
	for _, id := range sdk.IDs {
		text := fmt.Sprint(id)
		if _, isNumber := id.(int); isNumber == schema.Type.Is("integer") && (schema.Format == "uuid") == (len(text) == 36) {
			return text
		}
	}
	return ""
}

// read makes documents of a schema until each enum had each of its values, with
// all members, with those alone that are required, and with null for each that may be.
func (w *witness) read(ctx context.Context, m sdk.Method, schema *openapi3.SchemaRef) {
	for _, shape := range []string{"all", "required", "null"} {
		for round, most := 0, 1; round < most; round++ {
			d := &drafter{shape: shape, round: round}
			sent := d.value(schema, 0)
			most = max(1, d.most)
			if shape != "all" {
				most = 1
			}
			var err error
			if w.answer, err = json.Marshal(sent); err != nil {
				panic(err) // it is made of maps, lists and texts
			}
			w.documents++
			name := fmt.Sprintf("%s: %v, %s members, value %d", w.version, m, shape, round)
			f := m.Of(w.client)
			result, err := sdk.Call(f, sdk.Arguments(ctx, f.Type()))
			if err != nil {
				w.refused++
				fmt.Fprintf(w.stdout, "%s: %v\n", name, err)
				continue
			}
			written, err := json.Marshal(result.Interface())
			var got, want any
			if err == nil {
				err = errors.Join(json.Unmarshal(written, &got), json.Unmarshal(w.answer, &want))
			}
			if err != nil {
				w.refused++
				fmt.Fprintf(w.stdout, "%s: %v\n", name, err)
				continue
			}
			if page, ok := want.(map[string]any); ok && page["pagination"] != nil {
				got, want = got.(map[string]any)["results"], page["results"]
			}
			if list, ok := got.([]any); ok && len(list) == 1 { // newer servers send several
				if _, isOne := want.(map[string]any); isOne {
					got = list[0]
				}
			}
			for _, member := range lost(want, got, "") {
				w.lost++
				fmt.Fprintf(w.stdout, "%s: %s\n", name, member)
			}
		}
	}
}

// changed are the members that are written in another form than the one that
// older servers send.
var changed = []string{"choices", "digits", "last_m", "messages", "pk", "redirect_uris", "time", "token_expiry"}

func isChanged(place string) bool {
	return slices.Contains(changed, place[strings.LastIndexByte(place, '.')+1:])
}

// lost are the members of want that got lacks, or has other values of.
func lost(want, got any, place string) []string {
	switch want := want.(type) {
	case map[string]any:
		object, _ := got.(map[string]any)
		var all []string
		for _, name := range slices.Sorted(maps.Keys(want)) {
			value, has := object[name]
			if !has {
				all = append(all, place+"."+name+" is lost")
				continue
			}
			all = append(all, lost(want[name], value, place+"."+name)...)
		}
		return all
	case []any:
		list, _ := got.([]any)
		if len(list) != len(want) {
			return []string{place + " has another length"}
		}
		var all []string
		for i := range want {
			if _, isText := want[i].(string); isText && isChanged(place) {
				continue
			}
			all = append(all, lost(want[i], list[i], place)...)
		}
		return all
	case nil:
		return nil // it may have become zero
	}
	if want != got && !isChanged(place) {
		return []string{fmt.Sprintf("%s was %v and is %v", place, want, got)}
	}
	return nil
}

// drafter makes one document.
type drafter struct {
	shape string
	round int // which value of each enum
	most  int // how many values the largest enum has
}

// value makes a value of a schema.
func (d *drafter) value(ref *openapi3.SchemaRef, depth int) any {
	s := ref.Value
	switch {
	case depth > 12:
		panic("a schema has itself in it: " + ref.Ref)
	case len(s.AllOf) > 0:
		return d.value(s.AllOf[0], depth)
	case len(s.OneOf) > 0:
		return d.value(s.OneOf[0], depth)
	case len(s.Enum) > 0:
		d.most = max(d.most, len(s.Enum))
		return s.Enum[d.round%len(s.Enum)]
	case s.Type.Is("array"):
		return []any{d.value(s.Items, depth+1), d.value(s.Items, depth+1)}
	case len(s.Properties) > 0:
		object := map[string]any{}
		identity := sdk.IdentityOf(path.Base(ref.Ref))
		for name, member := range s.Properties {
			switch {
			case d.shape == "required" && !slices.Contains(s.Required, name) && name != identity:
			case d.shape == "null" && member.Value.Nullable:
				object[name] = nil
			default:
				object[name] = d.value(member, depth+1)
			}
		}
		return object
	case s.AdditionalProperties.Schema != nil && !s.AdditionalProperties.Schema.Value.IsEmpty():
		return map[string]any{"key": d.value(s.AdditionalProperties.Schema, depth+1)}
	case s.Type.Is("boolean"):
		return true
	case s.Type.Is("integer"), s.Type.Is("number") && s.Format == "":
		return 3
	case s.Type.Is("number"):
		return 0.25
	case s.Type.Is("string"):
		return map[string]string{
			"uuid": "0f3e2d1c-0000-4000-8000-0123456789ab", "date-time": "2026-01-02T03:04:05.678Z", "date": "2026-01-02",
			"uri": "https://authentik.example/", "email": "ada@authentik.example", "": "text",
		}[s.Format]
	}
	return map[string]any{"any": []any{1, "x", nil}}
}

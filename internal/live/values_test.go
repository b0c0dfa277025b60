package live

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authentik-go/authentik/internal/contract"
	"github.com/google/uuid"
)

// of stands for an object that the suite makes at a path, named by a member of it.
type of struct{ path, member string }

// values returns what a server should take for the member, as JSON has it: two or
// more values if there can be, and none if there is no telling.
func (w *world) values(t *testing.T, r *resource, m *member) []any {
	t.Helper()
	many := m.Type.Kind == "array"
	if given, ok := samples[r.path+" "+m.Name]; ok {
		return w.resolve(t, given, many)
	}
	if given, ok := samples[m.Name]; ok {
		return w.resolve(t, given, many)
	}
	if list := w.referred(r, m); list != "" {
		if r.inSet(m.Name) { // which others may have, too
			object, err := w.create(t, w.all[list], w.minimal(t, w.all[list]))
			if object == nil {
				t.Errorf("nothing to refer to: %v", err)
				return nil
			}
			return []any{object.pk()}
		}
		return w.resolve(t, []any{of{list, m.rule.Slug}}, many)
	}
	elem := m.Type
	if many {
		elem = *m.Type.Elem
	}
	var values []any
	for _, value := range w.scalars(m, elem) {
		if many {
			value = []any{value}
		}
		values = append(values, value)
	}
	return values
}

// referred is the path of the objects that a member refers to, "" if it does not.
func (w *world) referred(r *resource, m *member) string {
	rule := m.rule
	if rule == nil || rule.Related == "" {
		return ""
	}
	if sources := "sources/" + path.Base(r.path) + "/"; strings.Contains(r.path, "_connections/") && m.Name == "source" && w.all[sources] != nil && w.all[sources].has("Create") {
		return sources
	}
	for _, path := range concrete[rule.Related] {
		if w.all[path] != nil {
			return path
		}
	}
	for _, path := range slices.Sorted(maps.Keys(w.all)) {
		if list := w.rules.Lists[path]; list != nil && list.Model == rule.Related && w.all[path].has("Create") {
			return path
		}
	}
	return ""
}

// resolve replaces what stands for objects by what names them.
func (w *world) resolve(t *testing.T, given []any, many bool) (values []any) {
	t.Helper()
	for _, value := range given {
		reference, ok := value.(of)
		if !ok {
			values = append(values, value)
			continue
		}
		for n := range 2 {
			object, err := w.refer(t, reference.path, n)
			if err != nil {
				t.Errorf("nothing to refer to: %v", err)
				return nil
			}
			value = object.pk()
			if reference.member != "" {
				value = object.shown[reference.member]
			}
			if many {
				value = []any{value}
			}
			values = append(values, value)
		}
	}
	return values
}

// scalars are values of the type, for the member or for each element of it.
func (w *world) scalars(m *member, elem contract.Type) []any {
	switch rule := m.rule; {
	case rule == nil:
	case slices.Contains(rule.Validators, "timedelta_string_validator"):
		return []any{"hours=3", "hours=4"}
	case slices.Contains([]string{"integer", "int64", "number"}, elem.Kind) && rule.Min != "" && number(rule.Min) > 3:
		return []any{number(rule.Min), number(rule.Min) + 1}
	}
	switch elem.Kind {
	case "enum":
		var values []any
		for _, value := range w.enum(elem.Name).Values {
			if value.Value != "" && w.enum(elem.Name).Number {
				values = append(values, number(value.Value))
			} else if value.Value != "" {
				values = append(values, value.Value)
			}
		}
		return values
	case "boolean":
		return []any{true, false}
	case "integer", "int64", "number":
		return []any{3.0, 4.0}
	case "double":
		return []any{0.25, 0.75}
	case "uri":
		return []any{"https://a.example.com/live", "https://b.example.com/live"}
	case "email":
		return []any{"live-a@example.com", "live-b@example.com"}
	case "date-time":
		return []any{"2036-01-02T03:04:05Z", "2037-01-02T03:04:05Z"}
	case "object", "any", "map":
		return []any{map[string]any{"live": "a"}, map[string]any{"live": []any{1.0, nil}}}
	case "string":
		return []any{w.name(), w.name()}
	case "uuid":
		return []any{uuid.NewString(), uuid.NewString()}
	}
	return nil
}

// enum is the enum of the release, or of the newest that has it.
func (w *world) enum(name string) *contract.Enum {
	if e := w.facts.Enum(name); e != nil {
		return e
	}
	return w.newest.Enum(name)
}

func number(s string) (n float64) {
	_, _ = fmt.Sscan(s, &n)
	return n
}

type pair struct{ certificate, key string }

// certificates are two in PEM, each with its key.
var certificates = func() (pairs [2]pair) {
	for i := range pairs {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err)
		}
		template := &x509.Certificate{SerialNumber: big.NewInt(int64(i + 1)), NotAfter: time.Now().AddDate(1, 0, 0)}
		certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			panic(err)
		}
		private, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			panic(err)
		}
		pairs[i] = pair{
			string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})),
			string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		}
	}
	return pairs
}()

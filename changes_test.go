package authentik_test

import (
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/authentik-go/authentik/internal/testkit/sample"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func TestChanges(t *testing.T) {
	t.Parallel()
	one, two := uuid.New(), uuid.New()
	instant := time.Date(2026, 11, 26, 12, 0, 0, 1500, time.UTC)
	provider := &authentik.OAuth2Provider{
		Name:             "wiki",
		PropertyMappings: []uuid.UUID{one, two},
		SigningKey:       &one,
		ClientID:         "id",
		RedirectURIs: authentik.RedirectURIs{
			{MatchingMode: authentik.MatchingModeStrict, URL: "https://a"},
			{MatchingMode: authentik.MatchingModeRegex, URL: "https://b", RedirectURIType: authentik.RedirectURITypeAuthorization},
		},
	}
	a := authentik.RedirectURIRequest{MatchingMode: authentik.MatchingModeStrict, URL: "https://a"}
	b := authentik.RedirectURIRequest{MatchingMode: authentik.MatchingModeRegex, URL: "https://b"}
	for name, test := range map[string]struct {
		desired, want *authentik.OAuth2ProviderRequest
	}{
		"nothing asked":        {&authentik.OAuth2ProviderRequest{}, nil},
		"the same":             {&authentik.OAuth2ProviderRequest{Name: "wiki", ClientID: new("id"), SigningKey: authentik.Value(one)}, nil},
		"white space":          {&authentik.OAuth2ProviderRequest{Name: " wiki\n"}, nil},
		"another text":         {&authentik.OAuth2ProviderRequest{Name: "Wiki", ClientID: new("id")}, &authentik.OAuth2ProviderRequest{Name: "Wiki"}},
		"empty text":           {&authentik.OAuth2ProviderRequest{ClientID: new("")}, &authentik.OAuth2ProviderRequest{ClientID: new("")}},
		"pks in another order": {&authentik.OAuth2ProviderRequest{PropertyMappings: []uuid.UUID{two, one}}, nil},
		"a pk twice":           {&authentik.OAuth2ProviderRequest{PropertyMappings: []uuid.UUID{two, two}}, &authentik.OAuth2ProviderRequest{PropertyMappings: []uuid.UUID{two, two}}},
		"a pk less":            {&authentik.OAuth2ProviderRequest{PropertyMappings: []uuid.UUID{two}}, &authentik.OAuth2ProviderRequest{PropertyMappings: []uuid.UUID{two}}},
		"no pks":               {&authentik.OAuth2ProviderRequest{PropertyMappings: []uuid.UUID{}}, &authentik.OAuth2ProviderRequest{PropertyMappings: []uuid.UUID{}}},
		"null":                 {&authentik.OAuth2ProviderRequest{SigningKey: authentik.Null[uuid.UUID]()}, &authentik.OAuth2ProviderRequest{SigningKey: authentik.Null[uuid.UUID]()}},
		"null that is":         {&authentik.OAuth2ProviderRequest{EncryptionKey: authentik.Null[uuid.UUID]()}, nil},
		"objects inside":       {&authentik.OAuth2ProviderRequest{RedirectURIs: []authentik.RedirectURIRequest{a, b}}, nil},
		"an older server's":    {&authentik.OAuth2ProviderRequest{RedirectURIs: append(authorizations(), b)}, nil},
		"a model's own":        {&authentik.OAuth2ProviderRequest{RedirectURIs: []authentik.RedirectURIRequest{{MatchingMode: a.MatchingMode, URL: a.URL, RedirectURIType: new(authentik.RedirectURIType(""))}, b}}, nil},
		"objects in order":     {&authentik.OAuth2ProviderRequest{RedirectURIs: []authentik.RedirectURIRequest{b, a}}, &authentik.OAuth2ProviderRequest{RedirectURIs: []authentik.RedirectURIRequest{b, a}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := authentik.Changes(test.desired, provider)
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, test.want)
			}
		})
	}

	t.Run("times", func(t *testing.T) {
		t.Parallel()
		invitation := &authentik.Invitation{Expires: new(instant.Truncate(time.Microsecond).In(time.FixedZone("", 3600)))}
		got, err := authentik.Changes(&authentik.InvitationRequest{Expires: authentik.Value(instant.Truncate(time.Microsecond))}, invitation)
		if err != nil || got != nil {
			t.Errorf("of one instant, got %v, %v", got, err)
		}
		got, err = authentik.Changes(&authentik.InvitationRequest{Expires: authentik.Value(instant.Add(time.Second))}, invitation)
		if err != nil || got == nil {
			t.Errorf("of two instants, got %v, %v", got, err)
		}
	})

	t.Run("objects of free form", func(t *testing.T) {
		t.Parallel()
		user := &authentik.User{Attributes: map[string]any{"floor": json.Number("3"), "big": json.Number("9007199254740993"), "tags": []any{"a", "b"}}}
		for name, test := range map[string]struct {
			attributes map[string]any
			differs    bool
		}{
			"equal":               {map[string]any{"tags": []string{"a", "b"}, "floor": 3.0, "big": int64(9007199254740993)}, false},
			"one less":            {map[string]any{"tags": []string{"a", "b"}, "floor": 3}, true},
			"another large digit": {map[string]any{"tags": []string{"a", "b"}, "floor": 3, "big": int64(9007199254740992)}, true},
			"another order":       {map[string]any{"tags": []string{"b", "a"}, "floor": 3, "big": int64(9007199254740993)}, true},
			"white space":         {map[string]any{"tags": []string{"a ", "b"}, "floor": 3, "big": int64(9007199254740993)}, true},
			"another name":        {map[string]any{"tag": []string{"a", "b"}, "floor": 3, "big": int64(9007199254740993)}, true},
		} {
			got, err := authentik.Changes(&authentik.UserRequest{Attributes: test.attributes}, user)
			if err != nil || (got != nil) != test.differs {
				t.Errorf("%s: got %v, %v", name, got, err)
			}
		}
	})

	t.Run("secrets", func(t *testing.T) {
		t.Parallel()
		got, err := authentik.Changes(&authentik.LDAPSourceRequest{Name: "ldap", BindPassword: new("secret")}, &authentik.LDAPSource{Name: "ldap"})
		if err != nil || got != nil {
			t.Errorf("got %v, %v", got, err)
		}
	})

	t.Run("errors", func(t *testing.T) {
		t.Parallel()
		for name, changes := range map[string]func() (*authentik.UserRequest, error){
			"nil request": func() (*authentik.UserRequest, error) {
				return authentik.Changes[authentik.UserRequest](nil, &authentik.User{})
			},
			"nil model": func() (*authentik.UserRequest, error) {
				return authentik.Changes(&authentik.UserRequest{}, (*authentik.User)(nil))
			},
			"no JSON": func() (*authentik.UserRequest, error) {
				return authentik.Changes(&authentik.UserRequest{Attributes: map[string]any{"f": func() {}}}, &authentik.User{})
			},
		} {
			if got, err := changes(); err == nil || got != nil {
				t.Errorf("%s: got %v, %v", name, got, err)
			}
		}
	})
}

// TestChangesOfAll makes a request of each model that a service updates: it differs
// from it in nothing, and from another model in all that is there.
func TestChangesOfAll(t *testing.T) {
	t.Parallel()
	pairs := 0
	for service := range reflect.TypeFor[authentik.Client]().Fields() {
		method, ok := service.Type.MethodByName("Update")
		if !ok || !service.IsExported() || method.Type.NumIn() < 3 || method.Type.NumOut() != 2 {
			continue
		}
		request, model := method.Type.In(method.Type.NumIn()-1).Elem(), method.Type.Out(0).Elem()
		pairs++
		t.Run(service.Name, func(t *testing.T) {
			t.Parallel()
			observed, other := reflect.New(model).Elem(), reflect.New(model).Elem()
			sample.Fill(observed, 1)
			sample.Fill(other, 2)
			req := reflect.New(request).Elem()
			authentik.FillRequest(req, observed)
			for field, value := range req.Fields() {
				isReverse := strings.HasSuffix(field.Name, "Set") // which a write cannot change
				if value.IsZero() && !isReverse && field.Tag.Get("authentik") != "writeonly" && field.Type != reflect.TypeFor[io.Reader]() {
					t.Errorf("%s was left out", field.Name)
				}
			}
			if changed, err := authentik.ChangesOf(req, observed); err != nil || changed.IsValid() {
				t.Errorf("a request that says what is there changes %+v, %v", changed, err)
			}
			changed, err := authentik.ChangesOf(req, other)
			if err != nil {
				t.Fatal(err)
			}
			for field, value := range req.Fields() {
				if got := changed.Elem().FieldByIndex(field.Index); got.IsZero() != value.IsZero() && field.Tag.Get("authentik") != "writeonly" {
					t.Errorf("%s differs and was not changed", field.Name)
				}
			}
		})
	}
	if pairs < 100 {
		t.Errorf("%d pairs", pairs)
	}
}

func TestRequestOf(t *testing.T) {
	t.Parallel()
	pk := uuid.New()
	got := authentik.RequestOf(&authentik.OAuth2Provider{
		PK:                7,
		Name:              "wiki",
		AuthorizationFlow: pk,
		SigningKey:        &pk,
		PropertyMappings:  []uuid.UUID{pk},
		ClientType:        authentik.ClientTypePublic,
		RedirectURIs:      authentik.RedirectURIs{{MatchingMode: authentik.MatchingModeStrict, URL: "https://a", RedirectURIType: authentik.RedirectURITypeLogout}},
		Extra:             map[string]json.RawMessage{"new": json.RawMessage("1")},
	})
	want := authentik.OAuth2ProviderRequest{
		Name: "wiki", AuthorizationFlow: pk, SigningKey: authentik.Value(pk), PropertyMappings: []uuid.UUID{pk}, ClientType: new(authentik.ClientTypePublic),
		EncryptionKey: authentik.Null[uuid.UUID](), AuthenticationFlow: authentik.Null[uuid.UUID](),
		RedirectURIs: []authentik.RedirectURIRequest{{MatchingMode: authentik.MatchingModeStrict, URL: "https://a", RedirectURIType: new(authentik.RedirectURITypeLogout)}},
	}
	for field, value := range reflect.ValueOf(want).Fields() {
		if other := reflect.ValueOf(*got).FieldByIndex(field.Index); !value.IsZero() && !reflect.DeepEqual(value.Interface(), other.Interface()) {
			t.Errorf("%s is %v, want %v", field.Name, other, value)
		}
	}
	// A stage of 2025.10 cannot be made with the flows that use it.
	if stage := authentik.RequestOf(&authentik.DummyStage{Name: "x", FlowSet: []authentik.FlowSet{{Name: "flow"}}}); stage.Name != "x" || stage.FlowSet != nil {
		t.Errorf("of a stage in a flow, got %+v", stage)
	}
	if nothing := authentik.RequestOf((*authentik.User)(nil)); !reflect.DeepEqual(nothing, &authentik.UserRequest{}) {
		t.Errorf("of nil, got %+v", nothing)
	}
}

// TestCreateOrUpdate runs the example of Changes twice: the second run writes nothing.
func TestCreateOrUpdate(t *testing.T) {
	t.Parallel()
	server := authentiktest.NewServer()
	t.Cleanup(server.Close)
	client, err := server.Client()
	if err != nil {
		t.Fatal(err)
	}
	desired := &authentik.GroupRequest{Name: "staff ", Attributes: map[string]any{"floor": 3}}
	var written []string
	for range 3 {
		group, err := authentik.One(client.CoreGroups.All(t.Context(), &authentik.CoreGroupsListOptions{Name: "staff"}))
		switch {
		case errors.Is(err, authentik.ErrNotFound):
			_, err = client.CoreGroups.Create(t.Context(), &authentik.GroupRequest{Name: "staff"})
			written = append(written, "create")
		case err == nil:
			var changes *authentik.GroupRequest
			if changes, err = authentik.Changes(desired, group); err == nil && changes != nil {
				_, err = client.CoreGroups.Update(t.Context(), group.PK, changes)
				written = append(written, "update")
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"create", "update"}; !cmp.Equal(written, want) {
		t.Errorf("wrote %q, want %q", written, want)
	}
}

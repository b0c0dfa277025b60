package main

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/authentik-go/authentik/examples/internal/connect"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// TestMain keeps the tests away from a server that the environment names.
func TestMain(m *testing.M) {
	connect.UseFake()
	m.Run()
}

// wiki is what the tests wish for.
func wiki() wish {
	return wish{
		slug: "wiki", name: "Wiki", redirect: "https://wiki.example.com/callback",
		authorizationFlow: "consent", invalidationFlow: "logout", certificate: "cert", scopes: []string{"openid", "email"},
	}
}

// wikiArgs are the arguments for it.
var wikiArgs = []string{
	"-redirect", "https://wiki.example.com/callback", "-authorization-flow", "consent", "-invalidation-flow", "logout",
	"-certificate", "cert", "-scopes", "openid,email", "wiki", "Wiki",
}

// fakeServer has what wiki refers to.
func fakeServer(t *testing.T) (*authentiktest.Server, *authentik.Client) {
	t.Helper()
	server := authentiktest.NewServer()
	t.Cleanup(server.Close)
	for _, slug := range []string{"consent", "logout"} {
		server.FlowsInstances.Add(authentik.Flow{Slug: slug})
	}
	server.CryptoCertificateKeyPairs.Add(authentik.CertificateKeyPair{Name: "cert"})
	for _, scope := range []string{"openid", "email", "profile"} {
		server.PropertyMappingsProviderScope.Add(authentik.ScopeMapping{ScopeName: scope})
	}
	client, err := server.Client(authentik.WithRetries(0, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return server, client
}

func planned(t *testing.T, client *authentik.Client, w wish) *onboarding {
	t.Helper()
	o, err := plan(t.Context(), client, w)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func texts(o *onboarding) (texts []string) {
	for _, change := range o.changes {
		texts = append(texts, change.text)
	}
	return texts
}

func apply(t *testing.T, o *onboarding) {
	t.Helper()
	for _, change := range o.changes {
		if err := change.do(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCreate(t *testing.T) {
	t.Parallel()
	server, client := fakeServer(t)
	o := planned(t, client, wiki())
	if diff := cmp.Diff([]string{`create the provider "Provider for Wiki"`, `create the application "Wiki"`}, texts(o)); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	if len(server.ProvidersOAuth2.All())+len(server.CoreApplications.All()) > 0 {
		t.Error("the plan created something")
	}
	apply(t, o)

	provider, application := server.ProvidersOAuth2.All()[0], server.CoreApplications.All()[0]
	flows, mappings := server.FlowsInstances.All(), server.PropertyMappingsProviderScope.All()
	if provider.AuthorizationFlow != flows[0].PK || provider.InvalidationFlow != flows[1].PK {
		t.Errorf("flows %s and %s", provider.AuthorizationFlow, provider.InvalidationFlow)
	}
	if diff := cmp.Diff([]uuid.UUID{mappings[0].PK, mappings[1].PK}, provider.PropertyMappings); diff != "" {
		t.Errorf("mappings (-want +got):\n%s", diff)
	}
	if key := server.CryptoCertificateKeyPairs.All()[0].PK; provider.SigningKey == nil || *provider.SigningKey != key {
		t.Errorf("signing key %v, want %s", provider.SigningKey, key)
	}
	if uris := provider.RedirectURIs; len(uris) != 1 || uris[0].URL != "https://wiki.example.com/callback" || uris[0].MatchingMode != authentik.MatchingModeStrict {
		t.Errorf("redirect URIs %+v", uris)
	}
	if application.Slug != "wiki" || application.Name != "Wiki" || application.Provider == nil || *application.Provider != provider.PK {
		t.Errorf("application %+v", application)
	}
	if again := planned(t, client, wiki()); len(again.changes) > 0 {
		t.Errorf("a second run would %q", texts(again))
	}
}

func TestChange(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*wish)
		plan   []string
	}{
		"redirect":             {func(w *wish) { w.redirect += "/2" }, []string{`change the provider "Provider for Wiki": redirect_uris`}},
		"no certificate":       {func(w *wish) { w.certificate = "" }, []string{`change the provider "Provider for Wiki": signing_key`}},
		"flows":                {func(w *wish) { w.authorizationFlow, w.invalidationFlow = "logout", "consent" }, []string{`change the provider "Provider for Wiki": authorization_flow, invalidation_flow`}},
		"scopes":               {func(w *wish) { w.scopes = append(w.scopes, "profile") }, []string{`change the provider "Provider for Wiki": property_mappings`}},
		"the order of scopes":  {func(w *wish) { w.scopes = []string{"email", "openid"} }, nil},
		"another name is made": {func(w *wish) { w.slug, w.name = "files", "Files" }, []string{`create the provider "Provider for Files"`, `create the application "Files"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, client := fakeServer(t)
			w := wiki()
			apply(t, planned(t, client, w))
			test.change(&w)
			o := planned(t, client, w)
			if diff := cmp.Diff(test.plan, texts(o)); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
			apply(t, o)
			if again := planned(t, client, w); len(again.changes) > 0 {
				t.Errorf("a second run would %q", texts(again))
			}
		})
	}
}

// What was interrupted after the provider is completed, and what was made by hand
// is linked.
func TestApplicationWithoutProvider(t *testing.T) {
	t.Parallel()
	server, client := fakeServer(t)
	server.CoreApplications.Add(authentik.Application{Slug: "wiki", Name: "Old\nname"})
	o := planned(t, client, wiki())
	if diff := cmp.Diff([]string{`create the provider "Provider for Wiki"`, `change the application "Old\nname"`}, texts(o)); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	if err := o.changes[0].do(t.Context()); err != nil { // and is interrupted
		t.Fatal(err)
	}
	o = planned(t, client, wiki())
	if diff := cmp.Diff([]string{`change the application "Old\nname"`}, texts(o)); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	apply(t, o)
	application := server.CoreApplications.All()[0]
	if application.Provider == nil || *application.Provider != o.provider.PK || application.Name != "Wiki" {
		t.Errorf("application %+v", application)
	}
}

func TestNothingIsTakenOver(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		add  func(*authentiktest.Server)
		want string
	}{
		"application": {func(s *authentiktest.Server) {
			other := s.ProvidersSAML.Add(authentik.SAMLProvider{PK: 77})
			s.CoreApplications.Add(authentik.Application{Slug: "wiki", Provider: &other.PK})
		}, "the application wiki has another provider, with pk 77"},
		"provider": {func(s *authentiktest.Server) {
			provider := s.ProvidersOAuth2.Add(authentik.OAuth2Provider{Name: "Provider for Wiki"})
			s.CoreApplications.Add(authentik.Application{Slug: "other", Provider: &provider.PK})
		}, `the provider "Provider for Wiki" belongs to the application other`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, client := fakeServer(t)
			test.add(server)
			if _, err := plan(t.Context(), client, wiki()); err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestLookUps(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*authentiktest.Server, *wish)
		want   error
		text   string
	}{
		"no flow":        {func(_ *authentiktest.Server, w *wish) { w.invalidationFlow = "nope" }, authentik.ErrNotFound, `flow "nope": `},
		"no certificate": {func(_ *authentiktest.Server, w *wish) { w.certificate = "nope" }, authentik.ErrNotFound, `certificate "nope": `},
		"no mapping":     {func(_ *authentiktest.Server, w *wish) { w.scopes[0] = "nope" }, authentik.ErrNotFound, `mapping for the scope "nope": `},
		"two mappings": {func(s *authentiktest.Server, _ *wish) {
			s.PropertyMappingsProviderScope.Add(authentik.ScopeMapping{ScopeName: "email"})
		}, authentik.ErrAmbiguous, `mapping for the scope "email": `},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, client := fakeServer(t)
			w := wiki()
			test.change(server, &w)
			if _, err := plan(t.Context(), client, w); !errors.Is(err, test.want) || !strings.HasPrefix(err.Error(), test.text) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestServerError(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"GET providers/oauth2/", "GET core/applications/{}/"} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			server, client := fakeServer(t)
			server.FailOn(operation, 1, authentiktest.Failure{Status: http.StatusForbidden, Body: `{"detail":"no"}`})
			if o, err := plan(t.Context(), client, wiki()); !errors.Is(err, authentik.ErrForbidden) {
				t.Errorf("planned %q, %v", texts(o), err)
			}
		})
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	args := []string{"-redirect", "https://wiki.example.com/callback", "wiki", "Wiki"}
	const plan = connect.IsFake + "create the provider \"Provider for Wiki\"\ncreate the application \"Wiki\"\n"
	var stdout, stderr strings.Builder
	if err := run(t.Context(), args, &stdout, &stderr); err != nil {
		t.Fatal(err)
	}
	if want := plan + "nothing is changed yet; -apply does it\n"; stdout.String() != want || stderr.Len() > 0 {
		t.Errorf("printed %q, want %q; said %q", stdout.String(), want, stderr.String())
	}
	stdout.Reset()
	if err := run(t.Context(), append([]string{"-apply"}, args...), &stdout, &stderr); err != nil {
		t.Fatal(err)
	}
	made, ok := strings.CutPrefix(stdout.String(), plan)
	lines := strings.Split(made, "\n")
	if !ok || len(lines) != 3 || len(lines[0]) <= len("client id: ") || !strings.HasSuffix(lines[1], "/application/o/wiki/") || !strings.HasPrefix(lines[1], "issuer: http") {
		t.Errorf("printed %q", stdout.String())
	}
}

// Where there is nothing to do, the ids are printed without -apply.
func TestSecondRun(t *testing.T) { // not parallel: it sets the environment
	server, client := fakeServer(t)
	apply(t, planned(t, client, wiki()))
	t.Setenv("AUTHENTIK_URL", server.URL)
	t.Setenv("AUTHENTIK_TOKEN", server.Token)
	var stdout, stderr strings.Builder
	err := run(t.Context(), wikiArgs, &stdout, &stderr)
	want := "nothing to change\nclient id: " + server.ProvidersOAuth2.All()[0].ClientID + "\nissuer: " + server.URL + "/application/o/wiki/\n"
	if err != nil || stdout.String() != want {
		t.Errorf("printed %q, want %q; error %v", stdout.String(), want, err)
	}
}

func TestFailedChange(t *testing.T) { // not parallel: it sets the environment
	server, _ := fakeServer(t)
	server.FailOn("POST core/applications/", 1, authentiktest.Failure{Status: http.StatusForbidden, Body: `{"detail":"no"}`})
	t.Setenv("AUTHENTIK_URL", server.URL)
	t.Setenv("AUTHENTIK_TOKEN", server.Token)
	var stdout, stderr strings.Builder
	err := run(t.Context(), append([]string{"-apply"}, wikiArgs...), &stdout, &stderr)
	if !errors.Is(err, authentik.ErrForbidden) || !strings.HasPrefix(err.Error(), `this failed: create the application "Wiki"; running it again goes on`) {
		t.Errorf("got %v", err)
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"-h":                 "flag: help requested",
		"-unknown":           "flag provided but not defined: -unknown",
		"":                   "slug, name and -redirect are needed; see -h",
		"wiki Wiki":          "slug, name and -redirect are needed; see -h",
		"-redirect x wiki":   "slug, name and -redirect are needed; see -h",
		"-redirect x a b c":  `unexpected argument "c"; see -h`,
		"-apply -redirect x": "slug, name and -redirect are needed; see -h",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr strings.Builder
			err := run(t.Context(), strings.Fields(args), &stdout, &stderr)
			if err == nil || err.Error() != want || stdout.Len() > 0 {
				t.Errorf("error %v; printed %q", err, stdout.String())
			}
			if explained := strings.Contains(stderr.String(), "usage: onboard [flags] [slug] [name]"); explained != (args == "-h") {
				t.Errorf("said %q", stderr.String())
			}
		})
	}
}

package conformance_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/google/go-cmp/cmp"
)

// object is one of any list.
type object = map[string]any

// live is a running server that a test makes objects on.
type live struct {
	*testing.T

	client  *authentik.Client
	release authentik.Release
	prefix  string // of the names of all objects
}

// name is a name that nothing else has.
func (l live) name(what string) string { return l.prefix + what }

// made is a new object, which is deleted after the test; id is the member in its path.
func (l live) made(path, id string, document object) object {
	l.Helper()
	created, err := authentik.Post[object](l.Context(), l.client, path, document)
	if err != nil {
		l.Fatalf("%s: %v", path, err)
	}
	l.Cleanup(func() {
		_ = authentik.Delete(context.Background(), l.client, fmt.Sprintf("%s%v/", path, (*created)[id]))
	})
	return *created
}

// first is the pk of the first object of the list for which keep holds.
func (l live) first(path string, keep func(object) bool) any {
	l.Helper()
	for o, err := range authentik.All[object](l.Context(), l.client, path, nil) {
		if err != nil {
			l.Fatalf("%s: %v", path, err)
		}
		if keep(*o) {
			return (*o)["pk"]
		}
	}
	l.Fatalf("%s has no such object", path)
	return nil
}

func (l live) flow(designation string) any {
	return l.first("flows/instances/", func(o object) bool {
		return o["designation"] == designation && strings.HasPrefix(fmt.Sprint(o["slug"]), "default-") // which nobody deletes
	})
}

// update is an object whose members are changed, one in each update.
type update struct {
	path    string // of the list
	name    string // of the case
	since   string
	create  object
	changes object   // the values of members that are not changed by themselves
	skip    []string // members that are left alone
	follows []string // the members that change with others, as the docs say
	refused []string // the members whose change the server refuses
}

// TestLiveUpdates makes objects of each kind whose PATCH needs more than what
// changes, and changes one member in each update: that member changes and nothing
// else, or the update is an error and nothing does.
//
//nolint:tparallel // a server has enough to do with one kind at a time
func TestLiveUpdates(t *testing.T) {
	t.Parallel()
	client := liveClient(t)
	release, err := client.ServerVersion(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l := live{t, client, release, fmt.Sprintf("live-updates-%d-", time.Now().UnixNano())}
	tried, changed := 0, 0
	for _, u := range l.updates() { //nolint:paralleltest // see above
		if u.since != "" && !release.AtLeast(u.since) {
			continue
		}
		t.Run(strings.Trim(u.path+u.name, "/"), func(t *testing.T) {
			l := l
			l.T = t
			a, b := l.change(u)
			tried, changed = tried+a, changed+b
		})
	}
	t.Logf("%s: %d members tried, %d changed, the others refused", release, tried, changed)
}

// change changes each member that it can.
func (l live) change(u update) (tried, changed int) {
	life := life{l.T, l.client, serviceAt(l.T, u.path)}
	created, err := life.do("Create", nil, u.create)
	if _, ignored := errors.AsType[*authentik.IgnoredError](err); err != nil && !ignored {
		l.Fatal(err)
	}
	path := fmt.Sprintf("%s%v/", u.path, idOf(l.T, life.can["Delete"], created))
	l.Cleanup(func() {
		if err := authentik.Delete(context.Background(), l.client, path); err != nil {
			l.Error(err)
		}
	})
	read := func() object {
		l.Helper()
		got, err := authentik.Get[object](l.Context(), l.client, path, nil)
		if err != nil {
			l.Fatal(err)
		}
		return *got
	}
	w := life.can["Update"]
	before := read()
	for _, m := range w.facts.Object(w.body.Type.Name).Members {
		if _, has := before[m.Name]; !has || m.Name == "icon" && !l.release.AtLeast("2025.12") { // it is of another release
			continue
		}
		value, given := u.changes[m.Name]
		if !given {
			value = another(before[m.Name])
		}
		known := m.Type.Kind == "string" || m.Type.Kind == "boolean" || m.Name == "order" // others name something
		if !given && (value == nil || !known) || m.WriteOnly || slices.Contains(u.skip, m.Name) || strings.Contains(w.asks.Path, "{"+m.Name+"}") {
			continue
		}
		tried++
		_, err := life.do("Update", created, object{m.Name: value})
		after := read()
		want := maps.Clone(before)
		switch _, ignored := errors.AsType[*authentik.IgnoredError](err); {
		case err == nil && slices.Contains(u.refused, m.Name):
			l.Errorf("%s of %v was taken", m.Name, value)
		case err == nil:
			want[m.Name] = after[m.Name]
			if reflect.DeepEqual(before[m.Name], after[m.Name]) && !slices.Contains(u.follows, m.Name) {
				l.Errorf("%s is still %v", m.Name, after[m.Name])
			}
			changed++
		case ignored:
		case !slices.Contains(u.refused, m.Name):
			l.Errorf("%s of %v: %v", m.Name, value, err)
		}
		for name := range want {
			if slices.Contains(u.follows, name) || strings.HasSuffix(name, "_obj") || slices.Contains(following, name) && name != "expires" && name != "type" || name == "export_url" {
				want[name] = after[name]
			}
		}
		if diff := cmp.Diff(want, after); diff != "" {
			l.Errorf("%s of %v (-want +got):\n%s", m.Name, value, diff)
		}
		before = after
	}
	return tried, changed
}

// another is a value that the member can have in place of its own, nil if that is not
// known.
func another(value any) any {
	switch value := value.(type) {
	case bool:
		return !value
	case float64:
		return value + 1
	case string:
		if regexp.MustCompile(`^[a-z]+=-?\d+$`).MatchString(value) { // a span of time
			return value + ";milliseconds=5"
		}
		return value + "x"
	}
	return nil
}

// serviceAt are the methods of the service that has the list.
func serviceAt(t *testing.T, path string) map[string]writing {
	t.Helper()
	service := creating(t, path).Service
	can := map[string]writing{}
	for _, m := range methods() {
		if m.Service == service {
			can[m.Name] = writing{method: m}
		}
	}
	for _, w := range writings() {
		if w.Service == service {
			can[w.Name] = w
		}
	}
	return can
}

// updates are the kinds of objects.
func (l live) updates() []update {
	user := l.made("core/users/", "pk", object{"username": l.name("user"), "name": "x", "path": "users"})["pk"]
	other := l.made("core/users/", "pk", object{"username": l.name("other"), "name": "x", "path": "users"})["pk"]
	group := l.made("core/groups/", "pk", object{"name": l.name("group")})["pk"]
	application := l.made("core/applications/", "slug", object{"name": l.name("application"), "slug": l.name("application")})
	policy := l.made("policies/dummy/", "pk", object{"name": l.name("policy")})["pk"]
	policy2 := l.made("policies/dummy/", "pk", object{"name": l.name("policy2")})["pk"]
	flow := l.made("flows/instances/", "slug", object{"name": l.name("flow"), "slug": l.name("flow"), "title": "x", "designation": "authorization"})
	stage := l.made("stages/dummy/", "pk", object{"name": l.name("stage")})["pk"]
	totp := l.made("stages/authenticator/totp/", "pk", object{"name": l.name("totp"), "digits": 6})["pk"]
	authorization, invalidation := l.flow("authorization"), l.flow("invalidation")
	certificate := l.certificate()
	mapping := l.mapping()
	proxy := object{"name": l.name("proxy-of-outpost"), "authorization_flow": authorization, "invalidation_flow": invalidation, "external_host": "https://a.example.com", "mode": "forward_single"}
	proxy1 := l.made("providers/proxy/", "pk", proxy)["pk"]
	proxy["name"] = l.name("proxy2-of-outpost")
	proxy2 := l.made("providers/proxy/", "pk", proxy)["pk"]
	provider := func(name string, more object) object {
		document := object{"name": l.name(name), "authorization_flow": authorization, "invalidation_flow": invalidation}
		maps.Copy(document, more)
		return document
	}
	source := func(name string, more object) object {
		document := object{"name": l.name(name), "slug": l.name(name), "enabled": false}
		maps.Copy(document, more)
		return document
	}
	document := l.openIDConnect()
	binding := func(target any, more object) object {
		document := object{"target": target, "order": 0}
		maps.Copy(document, more)
		return document
	}
	ofProxy := []string{"property_mappings", "redirect_uris", "assigned_application_slug"}
	ofBlueprint := []string{"last_applied", "last_applied_hash", "status", "metadata"}
	ofOAuth := []string{"oidc_jwks", "callback_url", "type", "icon"}
	updates := []update{
		{
			path: "core/tokens/", name: "app_password",
			create:  object{"identifier": l.name("token"), "user": user, "intent": "app_password", "description": "mine", "expiring": false},
			changes: object{"user": other, "expires": time.Now().Add(5 * time.Minute).UTC().Format("2006-01-02T15:04:05.000000Z")},
			skip:    []string{"identifier", "managed", "intent"}, refused: l.since("2024.2", "user"),
		},
		{
			path: "core/tokens/", name: "api",
			create: object{"identifier": l.name("api-token"), "user": user, "intent": "api", "description": "mine", "expiring": false},
			skip:   []string{"identifier", "managed", "intent", "user", "expires"}, follows: l.since("2024.4", "expires"),
		},
		{
			path: "core/tokens/", name: "intent",
			create:  object{"identifier": l.name("intent-token"), "user": user, "intent": "app_password", "description": "mine"},
			changes: object{"intent": "api"}, skip: []string{"identifier", "managed", "user", "expires", "expiring", "description"}, follows: l.since("2024.4", "expires"),
		},
		{path: "events/transports/", create: object{"name": l.name("transport"), "mode": "local", "webhook_url": "https://a.example.com"}, changes: object{"mode": "webhook"}, refused: []string{"email_template"}},
		{
			path: "flows/bindings/", create: object{"target": flow["pk"], "stage": stage, "order": 1, "evaluate_on_plan": true, "re_evaluate_policies": true},
			changes: object{"re_evaluate_policies": false, "evaluate_on_plan": true, "target": flow["pk"], "stage": totp, "policy_engine_mode": "all", "invalid_response_action": "restart"},
			follows: []string{"evaluate_on_plan", "target"},
		},
		{path: "managed/blueprints/", create: object{"name": l.name("blueprint"), "content": "version: 1\nmetadata:\n  name: x\nentries: []", "enabled": false}, changes: object{"context": object{"a": "b"}, "content": "version: 1\nentries: []"}, follows: ofBlueprint, refused: []string{"path"}},
		{path: "outposts/instances/", create: object{"name": l.name("outpost"), "type": "proxy", "providers": []any{proxy1}, "config": object{"authentik_host": "https://a.example.com"}}, changes: object{"providers": []any{proxy1, proxy2}}, skip: []string{"type", "managed"}},
		{path: "outposts/service_connections/kubernetes/", create: object{"name": l.name("kubernetes"), "local": true}, changes: object{"kubeconfig": object{}}, skip: []string{"local"}, follows: []string{"kubeconfig"}},
		{path: "policies/event_matcher/", create: object{"name": l.name("matcher"), "action": "login"}, changes: object{"action": "logout", "client_ip": "10.0.0.1", "app": "authentik.core", "model": "authentik_core.user", "query": `action = "login"`}},
		{path: "policies/event_matcher/", name: "any", create: object{"name": l.name("matcher2")}},
		{path: "policies/reputation/", create: object{"name": l.name("reputation"), "check_ip": false}, changes: object{"check_username": false, "threshold": -7.0}},
		{path: "policies/reputation/", name: "username", create: object{"name": l.name("reputation2"), "check_ip": false}, changes: object{"check_ip": false, "check_username": false}, follows: []string{"check_ip"}, refused: []string{"check_username"}},
		{
			path: "providers/proxy/", create: provider("proxy", object{"external_host": "https://a.example.com", "internal_host": "http://b.example.com", "basic_auth_user_attribute": "u", "basic_auth_password_attribute": "p"}),
			changes: object{"mode": "forward_domain", "certificate": certificate}, skip: []string{"authentication_flow", "invalidation_flow", "authorization_flow"}, follows: ofProxy,
		},
		{path: "providers/proxy/", name: "forward", create: provider("forward", object{"external_host": "https://a.example.com", "mode": "forward_single"}), changes: object{"mode": "proxy", "basic_auth_enabled": true}, skip: []string{"authentication_flow", "invalidation_flow", "authorization_flow"}, follows: ofProxy, refused: []string{"mode", "basic_auth_enabled"}},
		{path: "providers/saml/", create: provider("saml", object{"acs_url": "https://a.example.com", "sign_assertion": true}), changes: object{"signing_kp": certificate, "sign_assertion": true, "sign_response": true}, skip: []string{"authentication_flow", "invalidation_flow", "authorization_flow", "digest_algorithm", "signature_algorithm"}, follows: []string{"sign_assertion"}},
		{
			path: "sources/ldap/", create: source("ldap", object{"server_uri": "ldaps://a.example.com", "base_dn": "dc=a", "sync_users": false, "sync_groups": false, "sync_users_password": false, "user_property_mappings": []any{mapping}, "group_property_mappings": []any{mapping}}),
			changes: object{"sync_users_password": false}, skip: []string{"authentication_flow", "enrollment_flow", "peer_certificate", "client_certificate"}, follows: []string{"connectivity", "sync_users_password"},
		},
		{path: "sources/oauth/", create: source("openid", object{"provider_type": "openidconnect", "consumer_key": "a", "consumer_secret": "b", "authorization_url": "https://a.example.com/a", "access_token_url": "https://a.example.com/t", "profile_url": "https://a.example.com/p"}), changes: object{"pkce": "S256", "provider_type": "openidconnect"}, skip: []string{"authentication_flow", "enrollment_flow", "oidc_jwks"}, follows: append(ofOAuth, "provider_type"), refused: []string{"oidc_well_known_url", "oidc_jwks_url"}},
		{path: "sources/oauth/", name: "discord", create: source("discord", object{"provider_type": "discord", "consumer_key": "a", "consumer_secret": "b"}), changes: object{"provider_type": "twitch"}, skip: []string{"authentication_flow", "enrollment_flow", "oidc_jwks"}, follows: append(ofOAuth, "authorization_url"), refused: []string{"oidc_well_known_url", "oidc_jwks_url"}},
		{path: "sources/oauth/", name: "document", create: source("document", object{"provider_type": "openidconnect", "consumer_key": "a", "consumer_secret": "b", "authorization_url": "https://a.example.com/a", "access_token_url": "https://a.example.com/t", "profile_url": "https://a.example.com/p", "oidc_jwks_url": document + "own"}), changes: object{"oidc_well_known_url": document, "pkce": "plain", "oidc_jwks_url": document + "jwks"}, skip: []string{"authentication_flow", "enrollment_flow", "oidc_jwks"}, follows: ofOAuth, refused: []string{"provider_type"}},
		{path: "sources/saml/", create: source("saml", object{"pre_authentication_flow": flow["pk"], "sso_url": "https://a.example.com", "signed_assertion": true}), changes: object{"verification_kp": certificate, "signed_assertion": true, "signed_response": true}, skip: []string{"authentication_flow", "enrollment_flow", "pre_authentication_flow", "digest_algorithm", "signature_algorithm"}, follows: []string{"signed_assertion"}},
		{path: "stages/authenticator/validate/", create: object{"name": l.name("validate"), "not_configured_action": "skip", "configuration_stages": []any{totp}}, changes: object{"not_configured_action": "configure"}},
		{path: "stages/identification/", create: object{"name": l.name("identification"), "user_fields": []any{"email"}}, changes: object{"user_fields": []any{"username", "email"}, "enrollment_flow": flow["pk"]}},
		{path: "stages/redirect/", since: "2024.12", create: object{"name": l.name("redirect"), "mode": "static", "target_static": "https://a.example.com", "target_flow": flow["pk"]}, changes: object{"mode": "flow", "target_flow": flow["pk"]}, follows: []string{"target_flow"}},
		{path: "stages/redirect/", name: "static", since: "2024.12", create: object{"name": l.name("redirect2"), "mode": "static", "target_static": "https://a.example.com"}, changes: object{"mode": "flow"}, refused: []string{"mode"}},
	}
	for name, b := range map[string]object{
		"policy": binding(application["pk"], object{"policy": policy}),
		"group":  binding(flow["policybindingmodel_ptr_id"], object{"group": group}),
		"user":   binding(l.made("flows/bindings/", "pk", object{"target": flow["pk"], "stage": stage, "order": 7})["policybindingmodel_ptr_id"], object{"user": user}),
	} {
		refused := slices.DeleteFunc([]string{"policy", "group", "user"}, func(one string) bool { return one == name })
		updates = append(updates, update{
			path: "policies/bindings/", name: name, create: b,
			changes: object{"policy": policy2, "group": group, "user": other, "target": application["pk"]}, follows: []string{name, "target"}, refused: refused,
		})
	}
	if l.release.AtLeast("2024.12") {
		entitlement := l.made("core/application_entitlements/", "pbm_uuid", object{"name": l.name("entitlement"), "app": application["pk"]})
		updates = append(updates, update{
			path: "policies/bindings/", name: "entitlement", create: binding(entitlement["pbm_uuid"], object{"group": group}),
			changes: object{"group": group, "target": entitlement["pbm_uuid"]}, skip: []string{"policy"}, follows: []string{"group", "target"},
		})
	}
	if l.release.AtLeast("2026.2") {
		updates = append(updates, update{
			path: "lifecycle/rules/", create: object{"name": l.name("rule"), "content_type": "authentik_core.application", "object_id": application["pk"], "reviewers": []any{l.uuid(user)}},
			changes: object{"object_id": application["pk"]}, skip: []string{"content_type"}, follows: []string{"object_id"},
		})
	}
	return updates
}

// since are the members if the server is of the release or newer.
func (l live) since(release string, members ...string) []string {
	if !l.release.AtLeast(release) {
		return nil
	}
	return members
}

// uuid is that of a user.
func (l live) uuid(pk any) any {
	user, err := authentik.Get[object](l.Context(), l.client, fmt.Sprintf("core/users/%v/", pk), nil)
	if err != nil {
		l.Fatal(err)
	}
	return (*user)["uuid"]
}

// certificate is the pk of a new one.
func (l live) certificate() any {
	pair, err := authentik.Post[object](l.Context(), l.client, "crypto/certificatekeypairs/generate/", object{"common_name": l.name("certificate"), "name": l.name("certificate"), "validity_days": 1})
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() {
		_ = authentik.Delete(context.Background(), l.client, fmt.Sprintf("crypto/certificatekeypairs/%v/", (*pair)["pk"]))
	})
	return (*pair)["pk"]
}

// mapping is the pk of a new property mapping of LDAP sources.
func (l live) mapping() any {
	document := object{"name": l.name("mapping"), "expression": "return {}"}
	if !l.release.AtLeast("2024.8") {
		document["object_field"] = "name"
		return l.made("propertymappings/ldap/", "pk", document)["pk"]
	}
	return l.made("propertymappings/source/ldap/", "pk", document)["pk"]
}

// openIDConnect is the URL of a document that the server can fetch.
func (l live) openIDConnect() string {
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(object{
			"issuer": server.URL, "authorization_endpoint": server.URL + "/theirs", "token_endpoint": server.URL + "/theirs", "userinfo_endpoint": server.URL + "/theirs",
			"jwks_uri": server.URL + "/theirs", "code_challenge_methods_supported": []string{"S256"}, "keys": []any{},
		})
	}))
	l.Cleanup(server.Close)
	return server.URL + "/"
}

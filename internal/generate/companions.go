package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/authentik-go/authentik/internal/contract"
)

// This file says what authentik wants in a request beside what it changes. It fills
// in, or checks, what the request has, and does not look at the object.

// companion is what a PATCH needs beside what it changes. The SDK reads what the
// request lacks, and sends it along.
type companion struct {
	path  string // of the list
	with  string // the members of a request that need it, any one; "" any request
	needs string // the members that go along
	where string // the member of the object without which nothing has to: a.b is within a; a=x: that has to be x
	told  bool   // it goes along so that the answer shows what became of it; the server does not need it
	known string // the releases that need it, and how that is known
}

// How it is known that releases need a companion: a running server was asked, the
// code of each tag was read, or the release is taken for one like its neighbor.
// What is assumed costs a reading at worst.
const (
	always    = "2023.10 measured, 2024.2..2025.8 read, 2025.10 measured, 2025.12..2026.2 read, 2026.5 measured, 2026.8 assumed"
	since2024 = "2024.12..2025.8 read, 2025.10 measured, 2025.12..2026.2 read, 2026.5 measured, 2026.8 assumed"
)

var companions = []companion{
	// Binding: the check takes the target from the request (since 2024.12), and wants
	// one of the other three there.
	{path: "endpoints/device_bindings/", needs: "target policy group user", known: "2025.12..2026.5 read, 2026.8 assumed"},
	{path: "policies/bindings/", needs: "target policy group user", known: always},

	// The owner becomes who asks, and the intent api.
	{path: "core/tokens/", needs: "user intent", known: always},
	{
		path: "core/tokens/", needs: "expires", where: "intent=api", told: true,
		known: "2024.4..2025.8 read, 2025.10 measured, 2025.12..2026.2 read, 2026.5 measured, 2026.8 assumed",
	},

	{path: "events/transports/", with: "mode", needs: "webhook_url", known: always},
	{path: "flows/bindings/", with: "re_evaluate_policies", needs: "evaluate_on_plan", known: always},
	{path: "lifecycle/rules/", with: "object_id", needs: "content_type", known: "2026.2 read, 2026.5 measured, 2026.8 assumed"},
	{path: "managed/blueprints/", needs: "path content", known: always},
	{path: "outposts/instances/", with: "providers", needs: "type", known: always}, // else any provider is taken
	{path: "outposts/service_connections/kubernetes/", with: "kubeconfig", needs: "local", known: always},
	{path: "policies/event_matcher/", needs: "action client_ip app model", known: always},
	{path: "policies/event_matcher/", needs: "query", known: "2026.5 measured, 2026.8 assumed"},
	{path: "policies/reputation/", needs: "check_ip check_username", known: always},
	{path: "providers/proxy/", needs: "mode internal_host", known: always},
	{path: "providers/proxy/", with: "basic_auth_enabled", needs: "basic_auth_user_attribute basic_auth_password_attribute", known: always},
	{
		path: "providers/saml/", with: "signing_kp", needs: "sign_assertion sign_response",
		known: "2024.8..2025.8 read, 2025.10 measured, 2025.12..2026.2 read, 2026.5 measured, 2026.8 assumed",
	},
	{path: "providers/wsfed/", with: "signing_kp", needs: "sign_assertion", known: "2026.2..2026.5 read, 2026.8 assumed"},

	// Left out, it counts as true, which only one source may have.
	{path: "sources/ldap/", needs: "sync_users_password", known: "2023.10 measured, 2024.2..2024.8.0 read"},
	{
		path: "sources/ldap/", with: "sync_users", needs: "user_property_mappings",
		known: "2024.8.6..2025.8 read, 2025.10 measured, 2025.12..2026.2 read, 2026.5 measured, 2026.8 assumed",
	},
	{
		path: "sources/ldap/", with: "sync_groups", needs: "group_property_mappings",
		known: "2024.8.6..2025.8 read, 2025.10 measured, 2025.12..2026.2 read, 2026.5 measured, 2026.8 assumed",
	},

	// Since 2026.2.1 the object's provider_type counts, but URLs do not.
	{path: "sources/oauth/", needs: "provider_type authorization_url access_token_url profile_url", known: always},
	{path: "sources/oauth/", needs: "pkce", known: "2025.10 measured, 2025.12..2026.2 read, 2026.5 measured, 2026.8 assumed"},
	// What the server fetches sets it. To send it to a server that would not fetch would
	// make it fetch.
	{path: "sources/oauth/", with: "provider_type oidc_well_known_url", needs: "oidc_jwks_url", known: always},
	{path: "sources/oauth/", needs: "oidc_jwks_url", where: "type.oidc_jwks_url", known: "2023.10..2026.5 read, 2026.8 assumed"},

	{
		path: "sources/saml/", with: "verification_kp", needs: "signed_assertion signed_response",
		known: "2025.10 measured, 2025.12..2026.2 read, 2026.5 measured, 2026.8 assumed",
	},
	{path: "stages/authenticator/validate/", with: "not_configured_action", needs: "configuration_stages", known: always},
	{path: "stages/identification/", needs: "user_fields sources", known: always},
	{path: "stages/redirect/", with: "mode", needs: "target_static target_flow", known: since2024},
}

// creation is what a POST needs though the schema does not say so.
type creation struct {
	path  string
	fills string // what the SDK sends for what is left out: member=JSON
	oneOf string // what a request has one of: a member that is not empty, or member=value
	known string
}

var creations = []creation{
	{path: "endpoints/device_bindings/", oneOf: "policy group user", known: "2025.12..2026.5 read, 2026.8 assumed"},
	{path: "managed/blueprints/", oneOf: "path content", known: always},
	{path: "outposts/service_connections/kubernetes/", fills: "local=false kubeconfig={}", known: always},
	{path: "policies/bindings/", oneOf: "policy group user", known: always},
	{path: "policies/event_matcher/", fills: "action=null client_ip=null app=null model=null query=null", known: always},
	{path: "policies/reputation/", fills: "check_ip=true check_username=true", known: always}, // as the database has it
	{path: "providers/proxy/", oneOf: "internal_host mode=forward_single mode=forward_domain", known: always},
	{path: "sources/saml/", fills: `issuer=""`, known: always},
	{path: "stages/identification/", oneOf: "user_fields sources", known: always},
}

// alsoChanged is what an update changes whatever the request says, by path.
var alsoChanged = map[string]string{
	"core/tokens/": "Since 2024.4 each update of an API token sets Expires to now and the tenant's token duration, also if Expiring is false. " +
		"WithStrictWrites reports that. Other intents than api and app_password are refused",
	"core/users/": "From 2024.8 to 2025.10 each update takes the permissions away that the user has directly and globally. Since it shows in no answer, " +
		"give them to a role of a group. A user who is not active loses all sessions",
	"policies/bindings/":         "To bind something else, send null for what is bound",
	"endpoints/device_bindings/": "To bind something else, send null for what is bound",
	"providers/proxy/":           "Each update adds the default scope mappings to PropertyMappings, and makes RedirectURIs of ExternalHost",
	"providers/saml/":            "Since 2025.10 a LogoutMethod of backchannel beside an SLSBinding of redirect in one request becomes frontchannel_iframe",
	"rbac/roles/": "From 2024.8 to 2025.10 each update takes all global permissions away from the role, which shows in no answer: " +
		"assign them again afterwards",
	"sources/oauth/": "If the type has a document that the server fetches, or OIDCWellKnownURL or OIDCJWKSURL is sent, each update sets OIDCJWKS anew, and URLs and PKCE " +
		"that are empty; it fails if the server cannot fetch it",
	"stages/invitation/invitations/": "Null for Expires is not kept if the invitation expires: it becomes now and the tenant's token duration",
}

// planned is a companion as the templates write it.
type planned struct {
	Operation, Retrieve string // variables
	With, Needs         []string
	Where               string
	Told                bool
	Releases            uint64
}

// plannedCreation is a creation as the templates write it.
type plannedCreation struct {
	Operation string
	Fills     []fill
	OneOf     []string
}

type fill struct{ Name, Value string }

// accompany plans what stands above, and says it in the comments of the methods.
func (p *planner) accompany(result *plan, resources []*resource) {
	find := func(path, name string) *method {
		for _, r := range resources {
			for _, m := range r.Methods {
				if r.Path == path && m.Name == name {
					return m
				}
			}
		}
		p.fail("companions.go: %s has no %s", path, name)
		return nil
	}
	said := map[*method][]string{}
	for _, c := range companions {
		update, retrieve := find(c.path, "Update"), find(c.path, "Retrieve")
		if update == nil || retrieve == nil || update.HTTP != http.MethodPatch {
			continue
		}
		spans := p.knownSpans(c.path, c.known, update)
		needs := p.fieldsOf(update, strings.Fields(c.needs))
		for name := range strings.FieldsSeq(c.needs) {
			if !p.answers(update, name) {
				p.fail("companions.go: no answer of %s has %s, so that it would be lost: make it an error", c.path, name)
			}
		}
		result.Companions = append(result.Companions, planned{
			update.Operation, retrieve.Operation, strings.Fields(c.with), strings.Fields(c.needs), c.where, c.told, releases(spans),
		})
		if c.told {
			continue
		}
		words := inWords(needs, " and ")
		if c.with != "" {
			words += " beside " + inWords(p.fieldsOf(update, strings.Fields(c.with)), " or ")
		}
		if c.where != "" {
			words += " if the object has a " + c.where
		}
		if h := p.history(spans, p.facts.Operation(update.HTTP, update.Path).Spans); h != "" {
			words += " (" + h + ")"
		}
		said[update] = append(said[update], words)
	}
	for m, words := range said {
		m.say("An update needs " + strings.Join(words, "; ") + ". What req lacks of that is read first, by GET /" + m.Path +
			", and sent along as it is. A change that somebody else makes in between is put back, and nothing is written if the reading fails.")
	}
	for path, text := range alsoChanged {
		if m := find(path, "Update"); m != nil {
			m.say(text + ".")
		}
	}
	p.fillCreations(result, find)
}

// fillCreations plans what creates send beside what the caller set.
func (p *planner) fillCreations(result *plan, find func(path, name string) *method) {
	for _, c := range creations {
		m := find(c.path, "Create")
		if m == nil {
			continue
		}
		p.knownSpans(c.path, c.known, m)
		row := plannedCreation{Operation: m.Operation, OneOf: strings.Fields(c.oneOf)}
		for text := range strings.FieldsSeq(c.fills) {
			name, value, _ := strings.Cut(text, "=")
			if !json.Valid([]byte(value)) {
				p.fail("companions.go: %s is no JSON", text)
			}
			row.Fills = append(row.Fills, fill{name, value})
		}
		m.say(p.creationDoc(m, row))
		result.Creations = append(result.Creations, row)
	}
}

// creationDoc says what a request is filled with, or has to have.
func (p *planner) creationDoc(m *method, row plannedCreation) string {
	var sentences []string
	if len(row.OneOf) > 0 {
		var terms []string
		for _, term := range row.OneOf {
			name, value, is := strings.Cut(term, "=")
			words := p.fieldsOf(m, []string{name})[0]
			if is {
				words += " " + value
			}
			terms = append(terms, words)
		}
		sentences = append(sentences, "Without "+inWords(terms, " or ")+" it is an error before any request.")
	}
	left := map[string][]string{} // by value
	for _, f := range row.Fills {
		left[f.Value] = append(left[f.Value], p.fieldsOf(m, []string{f.Name})...)
	}
	for _, value := range slices.Sorted(maps.Keys(left)) {
		sentences = append(sentences, "What is left out of "+inWords(left[value], " and ")+" is sent as "+value+", since the server needs it.")
	}
	return strings.Join(sentences, " ")
}

// knownSpans are the versions that need a companion. They are those of the
// operation at most.
func (p *planner) knownSpans(path, known string, m *method) contract.Spans {
	var spans contract.Spans
	for item := range strings.SplitSeq(known, ", ") {
		span, how, _ := strings.Cut(item, " ")
		from, to, ok := strings.Cut(span, "..")
		if !ok {
			to = from
		}
		first := slices.IndexFunc(p.facts.Versions, func(version string) bool { return isOf(version, from) })
		last := len(p.facts.Versions) - 1
		for last >= 0 && !isOf(p.facts.Versions[last], to) {
			last--
		}
		if first < 0 || last < first || !slices.Contains([]string{"measured", "read", "assumed"}, how) {
			p.fail("companions.go: %s: %q is not understood", path, item)
			continue
		}
		spans = p.either(spans, contract.Spans{{First: first, Last: last}})
	}
	if lacking := releases(spans) &^ m.Releases; lacking != 0 {
		p.fail("companions.go: %s: it is of releases that have no %s", path, m.Name)
	}
	if newest := len(p.facts.Versions) - 1; spans != nil && spans.Last() < newest && m.Releases>>newest&1 == 1 && !strings.Contains(known, "..2024.8.0") {
		p.fail("companions.go: %s: nothing is said of %s: see CONTRIBUTING.md", path, p.facts.Versions[newest])
	}
	return spans
}

// isOf reports whether the version is the other one, or of that release.
func isOf(version, other string) bool {
	return version == other || strings.HasPrefix(version, other+".")
}

// fieldsOf are the Go names of members of the method's request.
func (p *planner) fieldsOf(m *method, members []string) []string {
	var names []string
	for _, s := range p.structs {
		if s.Name != m.Request {
			continue
		}
		for _, name := range members {
			i := slices.IndexFunc(s.Fields, func(f *field) bool { return f.Tag == tagOf(name, "") || strings.HasPrefix(f.Tag, "`json:\""+name+",") })
			if i < 0 {
				p.fail("companions.go: %s has no %s", m.Request, name)
				names = append(names, name)
				continue
			}
			names = append(names, s.Fields[i].Name)
		}
	}
	return names
}

// answers reports whether the method's answer has the member.
func (p *planner) answers(m *method, member string) bool {
	for _, s := range p.structs {
		if s.Name == m.Result {
			return slices.ContainsFunc(s.Fields, func(f *field) bool { return strings.Contains(f.Tag, "json:\""+member+"\"") })
		}
	}
	return false
}

// say adds a paragraph to the method's comment.
func (m *method) say(text string) { m.Doc += "//\n" + comment(text) }

// inWords lists words, with and before the last.
func inWords(words []string, and string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + and + words[len(words)-1]
}

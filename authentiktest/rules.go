package authentiktest

import (
	"cmp"
	"encoding/pem"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// write is a POST, PUT or PATCH on its way: what authentik's serializers look at.
type write struct {
	server  *Server
	list    *list
	current *object        // that is changed; nil if one is made
	body    map[string]any // as it was sent
	members map[string]any // as it was read; what a rule sets here is stored
	caller  *object        // the user who asks, nil if the server has no such user
}

// crash is the refusal of a server that failed on the request.
type crash struct{}

// rule is a check of authentik that no schema shows. Each looks at the request alone,
// as authentik does, unless it says otherwise.
type rule struct {
	path   string // of the list
	member string // that it checks if the request has it; "" after all members
	since  string
	until  string
	check  func(w *write, value any) any // the refusal, nil if there is none
}

// rules are the checks, fillings and replacements of each list, in the order in
// which authentik has them.
var rules = []rule{
	{path: "core/applications/", member: "slug", since: "2024.4", check: reservedSlug},
	{path: "core/brands/", check: onlyOne("default", "Only a single brand can be set as default.")},
	{path: "core/tenants/", check: onlyOne("default", "Only a single tenant can be set as default.")},
	{path: "core/groups/", member: "parent", check: notItself},
	{path: "core/tokens/", member: "user", since: "2024.8", check: sameUser},
	{path: "core/tokens/", check: tokenRules},
	{path: "core/users/", member: "path", check: userPath},
	{path: "core/users/", member: "type", check: userType},
	{path: "core/users/", check: notInternal},
	{path: "crypto/certificatekeypairs/", member: "certificate_data", check: isCertificate},
	{path: "crypto/certificatekeypairs/", member: "key_data", check: isKey},
	{path: "endpoints/device_bindings/", check: oneOfThree},
	{path: "enterprise/license/", member: "key", check: noLicence},
	{path: "events/transports/", check: needsWebhook},
	{path: "events/transports/", member: "email_template", check: isTemplate},
	{path: "flows/bindings/", check: oneEvaluation},
	{path: "lifecycle/rules/", check: reviewRule},
	{path: "managed/blueprints/", check: either("path", "content", "Either path or content must be set.")},
	{path: "outposts/instances/", member: "name", check: embeddedName},
	{path: "outposts/instances/", member: "providers", check: fittingProviders},
	{path: "outposts/service_connections/kubernetes/", member: "kubeconfig", check: kubeconfig},
	{path: "outposts/service_connections/kubernetes/", check: needsKubeconfig},
	{path: "policies/bindings/", check: oneOfThree},
	{path: "policies/event_matcher/", check: allOf("action", "client_ip", "app", "model")},
	{path: "policies/reputation/", check: anyTrue("check_ip", "check_username", "Either IP or Username must be checked")},
	{path: "providers/oauth2/", member: "redirect_uris", since: "2024.12", check: redirectPatterns},
	{path: "providers/proxy/", member: "basic_auth_enabled", check: basicAuth},
	{path: "providers/proxy/", check: internalHost},
	{path: "providers/radius/", member: "certificate", since: "2025.6", check: licensed("Enterprise is required to use EAP-TLS.")},
	{path: "providers/saml/", since: "2024.10", check: signsSomething("signing_kp", "sign_assertion", "sign_response",
		"With a signing keypair selected, at least one of 'Sign assertion' and 'Sign Response' must be selected.")},
	{path: "providers/scim/", member: "auth_mode", check: scimOAuth},
	{path: "sources/ldap/", member: "sync_users_password", since: "2024.2", check: onePasswordSync},
	{path: "sources/ldap/", until: "2023.10", check: onePasswordSyncByDefault},
	{path: "sources/ldap/", since: "2024.8", check: needsMappings("sync_users", "user_property_mappings", "When 'Sync users' is enabled, 'users property mappings' cannot be empty.")},
	{path: "sources/ldap/", since: "2024.8", check: needsMappings("sync_groups", "group_property_mappings", "When 'Sync groups' is enabled, 'groups property mappings' cannot be empty.")},
	{path: "sources/oauth/", check: sourceURLs},
	{path: "sources/saml/", check: needsIssuer},
	{path: "sources/saml/", since: "2024.10", check: signsSomething("verification_kp", "signed_assertion", "signed_response",
		"With a Verification Certificate selected, at least one of 'Verify Assertion Signature' or 'Verify Response Signature' must be selected.")},
	{path: "stages/authenticator/validate/", member: "not_configured_action", check: configurationStages},
	{path: "stages/email/", member: "template", check: isTemplate},
	{path: "stages/identification/", check: fieldsOrSources},
	{path: "stages/redirect/", check: redirectTarget},
	{path: "authenticators/admin/duo/", check: needsUser},
	{path: "authenticators/admin/email/", check: needsUser},
	{path: "authenticators/admin/endpoint/", check: needsUser},
	{path: "authenticators/admin/sms/", check: needsUser},
	{path: "authenticators/admin/static/", check: needsUser},
	{path: "authenticators/admin/totp/", check: needsUser},
	{path: "authenticators/admin/webauthn/", check: needsUser},
	{path: "sources/user_connections/oauth/", until: "2023.10", check: needsUser},
	{path: "sources/user_connections/saml/", until: "2023.10", check: needsUser},
	{path: "sources/user_connections/plex/", until: "2023.10", check: needsUser},
	{path: "sources/ldap/", member: "client_certificate", check: hasKey},
}

// checkMember is what the rules have against one member of the request.
func (w *write) checkMember(name string, value any) any {
	if w.list.path == "managed/blueprints/" && name == "content" { // no rule of the table: it holds what it makes to all of them
		return validBlueprint(w, value)
	}
	for _, r := range rules {
		if r.path == w.list.path && r.member == name && w.server.has(r.since, r.until) {
			if refusal := r.check(w, value); refusal != nil {
				return refusal
			}
		}
	}
	return nil
}

// checkAcross is what the rules have against the request as a whole.
func (w *write) checkAcross() any {
	for _, r := range rules {
		if r.path == w.list.path && r.member == "" && w.server.has(r.since, r.until) {
			if refusal := r.check(w, nil); refusal != nil {
				return refusal
			}
		}
	}
	if serializer := w.server.serializer(w.list.kind.object); serializer != nil && serializer.Enterprise && !w.server.licensed {
		return nonField("Enterprise is required to create/update this object.")
	}
	return nil
}

// nonField is a refusal of the request as a whole.
func nonField(words string) any { return map[string]any{"non_field_errors": []string{words}} }

// onMember is the refusal of a member by a check of the whole.
func onMember(name, words string) any { return map[string]any{name: []string{words}} }

func (w *write) isTrue(name string) bool { return w.members[name] == true }

func reservedSlug(_ *write, slug any) any {
	if slices.Contains([]string{"authorize", "token", "device", "userinfo", "introspect", "revoke"}, canonical(slug)) {
		return []string{fmt.Sprintf("The slug '%s' is reserved and cannot be used for applications.", slug)}
	}
	return nil
}

// onlyOne lets one object have the member true.
func onlyOne(member, words string) func(*write, any) any {
	return func(w *write, _ any) any {
		if w.isTrue(member) && slices.ContainsFunc(w.list.objects, func(o *object) bool { return o != w.current && o.members[member] == true }) {
			return onMember(member, words)
		}
		return nil
	}
}

func notItself(w *write, parent any) any {
	if w.current != nil && w.server.atLeast("2023.10") && canonical(parent) == w.current.key && parent != nil {
		return []string{"Cannot set group as parent of itself."}
	}
	return nil
}

func sameUser(w *write, user any) any {
	if w.current != nil && canonical(user) != canonical(w.current.members["user"]) {
		return []string{"User cannot be changed"}
	}
	return nil
}

// tokenRules fill in what the request leaves out, also in a PATCH: authentik looks
// at the request alone.
func tokenRules(w *write, _ any) any {
	if _, ok := w.members["user"]; !ok && w.caller != nil {
		w.members["user"] = w.caller.members["pk"]
	}
	if _, ok := w.members["intent"]; !ok {
		w.members["intent"] = "api"
	}
	intent := canonical(w.members["intent"])
	if intent != "api" && intent != "app_password" {
		return onMember("intent", "Invalid intent "+intent)
	}
	if !w.server.atLeast("2024.4") {
		return nil
	}
	expires, given := w.members["expires"]
	switch {
	case intent == "api":
		w.members["expires"] = timeText(time.Now().Add(tokenDuration))
	case given && expires == nil && !w.server.atLeast("2026.2"):
		return crash{}
	case given && expires != nil:
		if t, ok := parseTime(canonical(expires)); ok && t.After(time.Now().Add(tokenDuration)) {
			return onMember("expires", fmt.Sprintf("Token expires exceeds maximum lifetime (%s).", lifetimeText()))
		}
	}
	return nil
}

func lifetimeText() string {
	return time.Now().Add(tokenDuration).UTC().Format("2006-01-02 15:04:05.000000+00:00") + " UTC"
}

// tokenDuration is how long a token lives, as a tenant has it at first.
const tokenDuration = 30 * time.Minute

func timeText(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

func userPath(_ *write, path any) any {
	text := canonical(path)
	switch {
	case strings.HasPrefix(text, "/") || strings.HasSuffix(text, "/"):
		return []string{"No leading or trailing slashes allowed."}
	case strings.Contains(text, "//"):
		return []string{"No empty segments in user path allowed."}
	}
	return nil
}

func userType(w *write, typ any) any {
	const internal = "internal_service_account"
	switch {
	case w.current == nil && typ == internal:
		return []string{"Setting a user to internal service account is not allowed."}
	case w.current != nil && w.current.members["type"] == internal && typ != internal:
		return []string{"Can't change internal service account to other user type."}
	}
	return nil
}

func notInternal(w *write, _ any) any {
	if w.current != nil && w.current.members["type"] == "internal_service_account" {
		return nonField("Can't modify internal service account users")
	}
	return nil
}

func isCertificate(_ *write, data any) any {
	if block, _ := pem.Decode([]byte(canonical(data))); block == nil || block.Type != "CERTIFICATE" {
		return []string{"Unable to load certificate."}
	}
	return nil
}

func isKey(_ *write, data any) any {
	text := canonical(data)
	if text == "" {
		return nil
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil || !strings.HasSuffix(block.Type, "PRIVATE KEY") || strings.HasPrefix(block.Type, "ENCRYPTED") {
		return []string{"Unable to load private key (possibly encrypted?)."}
	}
	return nil
}

func noLicence(w *write, _ any) any {
	if w.server.licensed {
		return nil
	}
	return []string{"Unable to verify license"}
}

func licensed(words string) func(*write, any) any {
	return func(w *write, value any) any {
		if value != nil && !w.server.licensed {
			return []string{words}
		}
		return nil
	}
}

func scimOAuth(w *write, mode any) any {
	if mode == "oauth" && !w.server.licensed {
		return []string{"Enterprise is required to use the OAuth mode."}
	}
	return nil
}

// oneOfThree wants one of what a target can be bound to. Since 2025.4 a request
// without a target crashes.
func oneOfThree(w *write, _ any) any {
	names := []string{"policy", "group", "user"}
	if w.server.atLeast("2025.2") {
		if isEmpty(w.members["target"]) {
			return crash{}
		}
		names = []string{"group", "policy", "user"}
		if w.server.oneOf("core/application_entitlements/", w.members["target"]) {
			names = []string{"group", "user"}
		}
	}
	n := 0
	for _, name := range names {
		if !isEmpty(w.members[name]) {
			n++
		}
	}
	listed := "'" + strings.Join(names, "', '") + "'"
	if !w.server.atLeast("2025.2") {
		listed = "'policy', 'group' or 'user'"
	}
	switch {
	case n > 1:
		return nonField("Only one of " + listed + " can be set.")
	case n == 0:
		return nonField("One of " + listed + " must be set.")
	}
	return nil
}

// oneOf reports whether the list has an object with the key.
func (s *Server) oneOf(path string, key any) bool {
	return s.listAt(path) != nil && s.referred(path, canonical(key)) != nil
}

func needsWebhook(w *write, _ any) any {
	mode := canonical(w.members["mode"])
	if (mode == "webhook" || mode == "webhook_slack") && isEmpty(w.members["webhook_url"]) {
		return onMember("webhook_url", "Webhook URL may not be empty.")
	}
	return nil
}

// templates are the e-mail templates that every server has.
var templates = []string{
	"email/password_reset.html", "email/account_confirmation.html", "email/email_otp.html", "email/event_notification.html",
	"email/invitation.html",
}

func isTemplate(_ *write, template any) any {
	if slices.Contains(templates, canonical(template)) {
		return nil
	}
	return []string{fmt.Sprintf("Invalid template '%s' specified.", template)}
}

func oneEvaluation(w *write, _ any) any {
	reEvaluate, given := w.members["re_evaluate_policies"]
	if given && reEvaluate == false && !w.isTrue("evaluate_on_plan") {
		return nonField("Either evaluation on plan or evaluation on run must be enabled")
	}
	return nil
}

// reviewRule wants objects that exist, somebody who reviews, a grace period that is
// shorter than the interval, and one rule for each object and for all of a type.
func reviewRule(w *write, _ any) any {
	value := func(name string) any {
		if value, ok := w.members[name]; ok || w.current == nil {
			return value
		}
		return w.current.members[name]
	}
	typ, id := canonical(value("content_type")), value("object_id")
	other := slices.ContainsFunc(w.list.objects, func(o *object) bool {
		return o != w.current && canonical(o.members["content_type"]) == typ && canonical(o.members["object_id"]) == canonical(id)
	})
	named := w.members["object_id"]
	if other && (id != nil || w.current != nil && named == w.current.members["object_id"]) {
		return nonField("The fields content_type, object_id must make a unique set.")
	}
	if named != nil {
		if w.members["content_type"] == nil { // a PATCH looks at itself alone
			return crash{}
		}
		if !w.server.exists(w.server.listOf(typ), canonical(named)) {
			return onMember("object_id", "Object does not exist")
		}
	}
	if len(flat(value("reviewer_groups")))+len(flat(value("reviewers"))) == 0 {
		return nonField("Either a reviewer group or a reviewer must be set.")
	}
	grace, _ := duration(canonical(cmp.Or(value("grace_period"), any("days=30"))))
	interval, _ := duration(canonical(cmp.Or(value("interval"), any("days=60"))))
	if grace > interval {
		return onMember("grace_period", "Grace period must be shorter than the interval.")
	}
	if other {
		return onMember("content_type", "Only one type-wide rule for each object type is allowed.")
	}
	return nil
}

// either wants one of two texts.
func either(a, b, words string) func(*write, any) any {
	return func(w *write, _ any) any {
		if isEmpty(w.members[a]) && isEmpty(w.members[b]) {
			return nonField(words)
		}
		return nil
	}
}

// anyTrue wants one of two members true.
func anyTrue(a, b, words string) func(*write, any) any {
	return func(w *write, _ any) any {
		if !w.isTrue(a) && !w.isTrue(b) {
			return nonField(words)
		}
		return nil
	}
}

// allOf are members that the server looks at up to the first that is not "", and
// without which it crashes.
func allOf(names ...string) func(*write, any) any {
	return func(w *write, _ any) any {
		for _, name := range names {
			value, ok := w.members[name]
			if !ok {
				return crash{}
			}
			if value != "" {
				return nil
			}
		}
		return nil
	}
}

const embedded = "authentik Embedded Outpost"

func embeddedName(w *write, name any) any {
	if w.current != nil && w.current.members["managed"] == "goauthentik.io/outposts/embedded" && name != embedded {
		return []string{"Embedded outpost's name cannot be changed"}
	}
	if name == embedded {
		w.members["managed"] = "goauthentik.io/outposts/embedded"
	}
	return nil
}

func fittingProviders(w *write, providers any) any {
	if len(flat(providers)) == 0 {
		if w.current != nil && w.current.members["managed"] == "goauthentik.io/outposts/embedded" {
			return nil
		}
		return []string{"This list may not be empty."}
	}
	typ := canonical(w.body["type"])
	lists := map[string]string{"proxy": "providers/proxy/", "ldap": "providers/ldap/", "radius": "providers/radius/", "rac": "providers/rac/"}
	if lists[typ] == "" {
		return nil
	}
	for _, key := range flat(providers) {
		if o := w.server.referred("providers/all/", canonical(key)); o != nil && o.list.path != lists[typ] {
			return []string{fmt.Sprintf("Outpost type %s can't be used with %s providers.", typ, o.list.kind.object)}
		}
	}
	return nil
}

func kubeconfig(w *write, config any) any {
	local, given := w.body["local"]
	entries, _ := config.(map[string]any)
	switch {
	case len(entries) > 0:
		if entries["clusters"] == nil {
			return []string{"Invalid kubeconfig"}
		}
		return nil
	case !given:
		return crash{}
	case local != true:
		return []string{"You can only use an empty kubeconfig when connecting to a local cluster."}
	}
	return nil
}

// needsKubeconfig is what authentik fails on when it stores the connection.
func needsKubeconfig(w *write, _ any) any {
	if _, ok := w.members["kubeconfig"]; !ok && w.current == nil {
		return crash{}
	}
	return nil
}

func redirectPatterns(_ *write, uris any) any {
	for _, uri := range flat(uris) {
		uri, _ := uri.(map[string]any)
		if uri["matching_mode"] == nil || uri["url"] == nil { // a PATCH does not ask for them
			return crash{}
		}
		if uri["matching_mode"] == "regex" {
			if _, err := regexp.Compile(canonical(uri["url"])); err != nil {
				return []string{"Invalid Regex Pattern: " + canonical(uri["url"])}
			}
		}
	}
	return nil
}

func basicAuth(w *write, enabled any) any {
	if enabled == true && (isEmpty(w.body["basic_auth_user_attribute"]) || isEmpty(w.body["basic_auth_password_attribute"])) {
		return []string{"User and password attributes must be set when basic auth is enabled."}
	}
	return nil
}

func internalHost(w *write, _ any) any {
	mode := canonical(w.members["mode"])
	if (mode == "" || mode == "proxy") && isEmpty(w.members["internal_host"]) {
		return onMember("internal_host", "Internal host cannot be empty when forward auth is disabled.")
	}
	return nil
}

// signsSomething wants one of two members true if a key is given.
func signsSomething(key, a, b, words string) func(*write, any) any {
	return func(w *write, _ any) any {
		if !isEmpty(w.members[key]) && !w.isTrue(a) && !w.isTrue(b) {
			return nonField(words)
		}
		return nil
	}
}

// onePasswordSync looks at the other sources. Up to 2025.10 the refusal stands in
// another.
func onePasswordSync(w *write, on any) any {
	if on != true || !slices.ContainsFunc(w.list.objects, func(o *object) bool { return o != w.current && o.members["sync_users_password"] == true }) {
		return nil
	}
	words := []string{"Only a single LDAP Source with password synchronization is allowed"}
	if !w.server.atLeast("2026.2") {
		return map[string]any{"sync_users_password": words[0]}
	}
	return words
}

// onePasswordSyncByDefault takes an absent member for true.
func onePasswordSyncByDefault(w *write, _ any) any {
	on, given := w.members["sync_users_password"]
	if given && on != true || !slices.ContainsFunc(w.list.objects, func(o *object) bool { return o != w.current && o.members["sync_users_password"] == true }) {
		return nil
	}
	return onMember("sync_users_password", "Only a single LDAP Source with password synchronization is allowed")
}

func needsMappings(member, mappings, words string) func(*write, any) any {
	return func(w *write, _ any) any {
		if w.isTrue(member) && len(flat(w.members[mappings])) == 0 {
			return onMember(mappings, words)
		}
		return nil
	}
}

func needsIssuer(w *write, _ any) any {
	if _, ok := w.members["issuer"]; !ok && w.current == nil && w.server.member("SAMLSource", "issuer") != nil {
		return crash{}
	}
	return nil
}

// hasKey wants a certificate with its key.
func hasKey(w *write, pk any) any {
	if o := w.server.referred("crypto/certificatekeypairs/", canonical(pk)); o != nil && isEmpty(o.members["key_data"]) {
		return []string{fmt.Sprintf("Invalid pk \"%s\" - object does not exist.", pk)}
	}
	return nil
}

// needsUser is what the API cannot make: no request can name what the object belongs
// to, and authentik fails when it stores it.
func needsUser(w *write, _ any) any {
	if w.current == nil {
		return crash{}
	}
	return nil
}

// sourceURLs wants those URLs that the type of an OAuth source leaves open.
func sourceURLs(w *write, _ any) any {
	name := canonical(w.members["provider_type"])
	if name == "" && w.current != nil {
		if !w.server.atLeast("2026.2") {
			return crash{}
		}
		name = canonical(w.current.members["provider_type"])
	}
	typ := sourceTypes[name]
	if !typ.open {
		return nil
	}
	for _, u := range []struct{ name, fixed string }{
		{"authorization_url", typ.authorization}, {"access_token_url", typ.token}, {"profile_url", typ.profile},
	} {
		if u.fixed == "" && isEmpty(w.members[u.name]) && isEmpty(w.members["oidc_well_known_url"]) {
			return nonField(fmt.Sprintf("%s is required for provider %s", u.name, typ.verbose))
		}
	}
	return nil
}

func configurationStages(w *write, action any) any {
	if action == "configure" && len(flat(w.body["configuration_stages"])) == 0 {
		return []string{`When "Not configured action" is set to "Configure", you must set a configuration stage.`}
	}
	return nil
}

func fieldsOrSources(w *write, _ any) any {
	if len(flat(w.members["user_fields"])) == 0 && len(flat(w.members["sources"])) == 0 {
		return nonField("When no user fields are selected, at least one source must be selected")
	}
	return nil
}

func redirectTarget(w *write, _ any) any {
	switch {
	case w.members["mode"] == "static" && isEmpty(w.members["target_static"]):
		return nonField("Target URL should be present when mode is Static.")
	case w.members["mode"] == "flow" && isEmpty(w.members["target_flow"]):
		return nonField("Target Flow should be present when mode is Flow.")
	}
	return nil
}

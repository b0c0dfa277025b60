package authentiktest

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // as authentik names certificates
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// computing are functions that compute members, by type and member.
type computing map[string]map[string]func(s *Server, o map[string]any) any

// computed are the members that authentik computes when it answers. A type of "" is
// any. What a test gave goes before what is computed.
func computed() computing {
	return computing{
		"": {
			"bound_to":                              (*Server).boundTo,
			"flow_set":                              (*Server).flowSet,
			"parent_name":                           (*Server).parentName,
			"uid":                                   uid,
			"assigned_backchannel_application_slug": backchannel("slug"),
			"assigned_backchannel_application_name": backchannel("name"),
			"outpost_set":                           (*Server).outpostSet,
			"mode_verbose":                          modeVerbose,
		},
		"Application":        {"launch_url": (*Server).launchURL, "meta_icon_url": icon("meta_icon", nil)},
		"CertificateKeyPair": certificateMembers,
		"Flow":               {"stages": (*Server).stagesOf, "background": oldBackground, "policies": (*Server).policiesOf, "export_url": exportURL, "background_url": backgroundURL},
		"FlowSet":            {"export_url": exportURL, "background_url": backgroundURL, "background": oldBackground},
		"LifecycleRule":      {"target_verbose": (*Server).targetVerbose},
		"GeoIPPolicy":        {"countries_obj": countriesObj},
		"Group":              {"inherited_roles_obj": (*Server).inheritedRoles, "children": (*Server).childrenOf},
		"KerberosSource":     {"icon": older(icon("icon", "kerberos.png")), "icon_url": icon("icon", "kerberos.png")},
		"LDAPSource":         {"icon": older(ldapIcon), "icon_url": ldapIcon},
		"OAuthSource":        {"icon": older(oauthIcon), "icon_url": oauthIcon, "callback_url": callbackURL, "type": typeOfSource},
		"Outpost":            {"refresh_interval_s": refreshInterval, "token_identifier": tokenIdentifier},
		"PlexSource":         {"icon": older(icon("icon", "plex.svg")), "icon_url": icon("icon", "plex.svg")},
		"Prompt":             {"prompt_stages_obj": (*Server).promptStages},
		"ProxyProvider":      {"redirect_uris": proxyRedirects},
		"SAMLProvider":       samlURLs,
		"SAMLSource":         {"icon": older(icon("icon", "saml.png")), "icon_url": icon("icon", "saml.png")},
		"SCIMSource":         {"root_url": rootURL, "token_obj": (*Server).sourceToken},
		"TelegramSource":     {"icon": older(icon("icon", "telegram.svg")), "icon_url": icon("icon", "telegram.svg")},
		"User":               {"avatar": avatar, "is_superuser": (*Server).superuser},
		"UserSelf":           {"avatar": avatar, "is_superuser": (*Server).superuser},
		"GroupMember":        {"is_superuser": (*Server).superuser},
	}
}

// compute gives a member its computed value if it has none.
func (s *Server) compute(typ, name string, members map[string]any, value any) any {
	if !isBlank(value) && name != "token_obj" {
		return value
	}
	for _, typ := range []string{typ, ""} {
		if f := s.computed[typ][name]; f != nil {
			return f(s, members)
		}
	}
	return value
}

// isBlank reports whether a test or a client gave nothing.
func isBlank(value any) bool {
	if members, ok := value.(map[string]any); ok {
		for _, member := range members {
			if !isBlank(member) {
				return false
			}
		}
		return true
	}
	return isEmpty(value) || value == false
}

func uid(_ *Server, o map[string]any) any {
	if o["username"] == nil {
		return o["uid"]
	}
	return sha256Text(fmt.Sprintf("%v-authentiktest", o["pk"]))
}

// sha256Text is the hash of a text, as one.
func sha256Text(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func avatar(_ *Server, o map[string]any) any {
	name := cmp.Or(canonical(o["name"]), canonical(o["username"]))
	var initials strings.Builder
	for word := range strings.FieldsSeq(name) {
		initials.WriteString(strings.ToUpper(string([]rune(word)[:1])))
	}
	svg := `<svg xmlns="http://www.w3.org/2000/svg" width="64px" height="64px"><text>` + url.PathEscape(initials.String()) + `</text></svg>`
	return "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString([]byte(svg))
}

// superuser reports whether one of a user's groups, or of those above them, is of
// superusers.
func (s *Server) superuser(o map[string]any) any {
	groups := map[string]bool{}
	s.addGroups(groups, o["groups"])
	for key := range groups {
		if group := s.referred("core/groups/", key); group != nil && group.members["is_superuser"] == true {
			return true
		}
	}
	return o["is_superuser"] == true
}

// boundTo counts the bindings of a policy.
func (s *Server) boundTo(o map[string]any) any {
	n := 0
	for _, path := range []string{"policies/bindings/", "endpoints/device_bindings/"} {
		for _, binding := range s.list(path).objects {
			if canonical(binding.members["policy"]) == canonical(o["pk"]) {
				n++
			}
		}
	}
	return json.Number(strconv.Itoa(n))
}

// flowSet are the flows that a stage is bound to.
func (s *Server) flowSet(o map[string]any) any {
	flows := []any{}
	for _, binding := range s.list("flows/bindings/").objects {
		if canonical(binding.members["stage"]) != canonical(o["pk"]) {
			continue
		}
		target := canonical(binding.members["target"])
		if flow := s.referred("flows/instances/", target); flow != nil {
			flows = append(flows, s.show(flow.members, "FlowSet"))
		}
	}
	return flows
}

func (s *Server) stagesOf(flow map[string]any) any {
	stages := []any{}
	for _, binding := range s.list("flows/bindings/").objects {
		if canonical(binding.members["target"]) == canonical(flow["pk"]) {
			stages = append(stages, binding.members["stage"])
		}
	}
	return stages
}

func (s *Server) policiesOf(flow map[string]any) any {
	policies := []any{}
	for _, binding := range s.list("policies/bindings/").objects {
		target := canonical(binding.members["target"])
		if (target == canonical(flow["pk"]) || target == canonical(flow["policybindingmodel_ptr_id"])) && !isEmpty(binding.members["policy"]) {
			policies = append(policies, binding.members["policy"])
		}
	}
	return policies
}

func (s *Server) parentName(group map[string]any) any {
	if parent := s.referred("core/groups/", canonical(group["parent"])); parent != nil {
		return parent.members["name"]
	}
	return nil
}

func (s *Server) promptStages(prompt map[string]any) any {
	stages := []any{}
	for _, stage := range s.list("stages/prompt/stages/").objects {
		if slices.Contains(flat(stage.members["fields"]), prompt["pk"]) {
			stages = append(stages, s.show(stage.members, "PromptStage"))
		}
	}
	return stages
}

func (s *Server) outpostSet(provider map[string]any) any {
	names := []any{}
	for _, outpost := range s.list("outposts/instances/").objects {
		if slices.Contains(flat(outpost.members["providers"]), provider["pk"]) {
			names = append(names, "Outpost "+canonical(outpost.members["name"]))
		}
	}
	return names
}

// backchannel is a member of the application that has the provider as a
// backchannel one.
func backchannel(member string) func(*Server, map[string]any) any {
	return func(s *Server, provider map[string]any) any {
		for _, application := range s.list("core/applications/").objects {
			if slices.Contains(flat(application.members["backchannel_providers"]), provider["pk"]) {
				return application.members[member]
			}
		}
		return nil
	}
}

var modes = map[string]string{
	"local": "authentik inbuilt notifications", "webhook": "Generic Webhook", "webhook_slack": "Slack Webhook (Slack/Discord)", "email": "Email",
}

func modeVerbose(_ *Server, o map[string]any) any {
	return modes[cmp.Or(canonical(o["mode"]), "local")]
}

// icon is the URL of a picture: that of a member that is a URL, the path of a file, or
// the kind's own if there is none.
func icon(member string, own any) func(*Server, map[string]any) any {
	return func(_ *Server, o map[string]any) any {
		text := canonical(o[member])
		name, _ := own.(string)
		switch {
		case strings.Contains(text, "://"), strings.HasPrefix(text, "/"):
			return text
		case text != "":
			return "/files/media/public/" + text
		case name != "":
			return "/static/authentik/sources/" + name
		}
		return nil
	}
}

// ldapIcon is the same for all since 2024.6.
func ldapIcon(s *Server, o map[string]any) any {
	if s.atLeast("2024.6") {
		return "/static/authentik/sources/ldap.png"
	}
	return icon("icon", "ldap.png")(s, o)
}

// older has a member computed up to 2025.10, when it could not be written.
func older(compute func(*Server, map[string]any) any) func(*Server, map[string]any) any {
	return func(s *Server, o map[string]any) any {
		if s.atLeast("2025.12") {
			return o["icon"]
		}
		return compute(s, o)
	}
}

func oldBackground(s *Server, o map[string]any) any {
	if s.atLeast("2025.12") {
		return o["background"]
	}
	return backgroundURL(s, o)
}

// inheritedRoles are the roles of the groups above a group.
func (s *Server) inheritedRoles(group map[string]any) any {
	groups := map[string]bool{}
	s.addGroups(groups, group["parents"])
	roles := []any{}
	for key := range groups {
		if parent := s.referred("core/groups/", key); parent != nil {
			for _, role := range flat(parent.members["roles"]) {
				roles = append(roles, s.target("rbac/roles/", "Role", role, nil))
			}
		}
	}
	return roles
}

func (s *Server) targetVerbose(rule map[string]any) any {
	model := canonical(rule["content_type"])
	facts := s.facts().Models[model]
	if facts == nil {
		return ""
	}
	if o := s.referred(s.listOf(model), canonical(rule["object_id"])); o != nil {
		return facts.Verbose + ": " + s.textOf(o)
	}
	return facts.Verbose + "s"
}

func (s *Server) childrenOf(group map[string]any) any {
	children := []any{}
	for _, o := range s.list("core/groups/").objects {
		if group["pk"] != nil && o.members["parent"] == group["pk"] {
			children = append(children, o.members["pk"])
		}
	}
	return children
}

func oauthIcon(s *Server, o map[string]any) any {
	return icon("icon", canonical(o["provider_type"])+".svg")(s, o)
}

func typeOfSource(s *Server, o map[string]any) any {
	if t, ok := sourceTypes[canonical(o["provider_type"])]; ok {
		if !s.atLeast("2024.2") {
			shown := t.shown()
			shown["name"], shown["slug"] = t.verbose, t.name
			delete(shown, "verbose_name")
			return shown
		}
		return t.shown()
	}
	return o["type"]
}

func callbackURL(s *Server, o map[string]any) any {
	return s.base + "/source/oauth/callback/" + canonical(o["slug"]) + "/"
}

func rootURL(s *Server, o map[string]any) any {
	return s.base + "/source/scim/" + canonical(o["slug"]) + "/v2"
}

// sourceToken is the token of the service user of a SCIM source.
func (s *Server) sourceToken(o map[string]any) any {
	token := s.list("core/tokens/").byID["ak-source-scim-"+canonical(o["pk"])]
	if token == nil {
		return o["token_obj"]
	}
	return s.show(token.members, "Token")
}

func exportURL(_ *Server, o map[string]any) any {
	return "/api/v3/flows/instances/" + canonical(o["slug"]) + "/export/"
}

func backgroundURL(s *Server, o map[string]any) any {
	if text := canonical(o["background"]); text != "" {
		return icon("background", nil)(s, o)
	}
	return "/static/dist/assets/images/flow_background.jpg"
}

func tokenIdentifier(_ *Server, o map[string]any) any {
	return "ak-outpost-" + canonical(o["pk"]) + "-api"
}

func refreshInterval(_ *Server, o map[string]any) any {
	config, _ := o["config"].(map[string]any)
	if d, ok := duration(canonical(config["refresh_interval"])); ok {
		return json.Number(strconv.Itoa(int(d.Seconds())))
	}
	return json.Number("300")
}

// launchURL is where an application begins: its own URL, or its provider's.
func (s *Server) launchURL(o map[string]any) any {
	if text := canonical(o["meta_launch_url"]); text != "" {
		user := map[string]any{"username": "akadmin", "name": "authentik Default Admin", "email": ""}
		if s.asking != nil {
			user = s.asking.members
		}
		for _, name := range []string{"username", "name", "email"} {
			text = strings.ReplaceAll(text, "%("+name+")s", canonical(user[name]))
		}
		return text
	}
	provider := s.referred("providers/all/", canonical(o["provider"]))
	if provider == nil {
		return nil
	}
	switch provider.list.path {
	case "providers/proxy/":
		return provider.members["external_host"]
	case oauth2Providers:
		for _, uri := range flat(provider.members["redirect_uris"]) {
			uri, _ := uri.(map[string]any)
			if u, err := url.Parse(canonical(uri["url"])); err == nil && u.Host != "" {
				return u.Scheme + "://" + u.Host
			}
		}
		first, _, _ := strings.Cut(canonical(provider.members["redirect_uris"]), "\n")
		if u, err := url.Parse(first); err == nil && u.Host != "" {
			return u.Scheme + "://" + u.Host
		}
	case "providers/saml/":
		if u, err := url.Parse(canonical(provider.members["acs_url"])); err == nil && u.Host != "" {
			return u.Scheme + "://" + u.Host
		}
	}
	return nil
}

// proxyRedirects are what a proxy provider redirects to, of its external host.
func proxyRedirects(s *Server, o map[string]any) any {
	host := strings.TrimSuffix(canonical(o["external_host"]), "/")
	root := host
	if u, err := url.Parse(host); err == nil {
		root = u.Scheme + "://" + u.Host
	}
	const callback = "X-authentik-auth-callback=true"
	if !s.atLeast("2024.12") {
		return root + `/outpost.goauthentik.io/callback\?` + callback + "\n" + host + `\?` + callback
	}
	uris := []any{
		map[string]any{"matching_mode": "strict", "url": root + "/outpost.goauthentik.io/callback?" + callback},
		map[string]any{"matching_mode": "strict", "url": host + "?" + callback},
	}
	if s.atLeast("2026.5") {
		for _, uri := range uris {
			uri.(map[string]any)["redirect_uri_type"] = "authorization" //nolint:forcetypeassert // made above
		}
	}
	return uris
}

// samlURLs are "-" without an application.
var samlURLs = func() map[string]func(*Server, map[string]any) any {
	members := map[string]func(*Server, map[string]any) any{
		"url_download_metadata": func(s *Server, o map[string]any) any {
			return s.base + "/api/v3/providers/saml/" + canonical(o["pk"]) + "/metadata/?download"
		},
	}
	for name, path := range map[string]string{
		"url_sso_post": "sso/binding/post/", "url_sso_redirect": "sso/binding/redirect/", "url_sso_init": "sso/binding/init/",
		"url_slo_post": "slo/binding/post/", "url_slo_redirect": "slo/binding/redirect/",
		"url_unified": "", "url_unified_init": "init/", "url_issuer": "metadata/",
	} {
		members[name] = func(s *Server, o map[string]any) any {
			slug := canonical(o["assigned_application_slug"])
			if slug == "" {
				return "-"
			}
			return s.base + "/application/saml/" + slug + "/" + path
		}
	}
	return members
}()

// certificateMembers are what a certificate says of itself.
var certificateMembers = map[string]func(*Server, map[string]any) any{
	"fingerprint_sha256": ofCertificate(func(c *x509.Certificate) any { sum := sha256.Sum256(c.Raw); return colons(sum[:]) }),
	"fingerprint_sha1":   ofCertificate(func(c *x509.Certificate) any { sum := sha1.Sum(c.Raw); return colons(sum[:]) }), //nolint:gosec // a name
	"cert_expiry":        ofCertificate(func(c *x509.Certificate) any { return c.NotAfter.UTC().Format("2006-01-02T15:04:05Z") }),
	"cert_subject":       ofCertificate(subjectOf),
	"key_type": ofCertificate(func(c *x509.Certificate) any {
		switch c.PublicKey.(type) {
		case *rsa.PublicKey:
			return "rsa"
		case *ecdsa.PublicKey:
			return "ec"
		case ed25519.PublicKey:
			return "ed25519"
		}
		return nil
	}),
	"private_key_available":    func(_ *Server, o map[string]any) any { return !isEmpty(o["key_data"]) },
	"private_key_type":         func(_ *Server, o map[string]any) any { return keyType(canonical(o["key_data"])) },
	"certificate_download_url": downloadOf("view_certificate"),
	"private_key_download_url": downloadOf("view_private_key"),
}

// subjectOf is the subject in the order of RFC 4514.
func subjectOf(c *x509.Certificate) any {
	var names pkix.RDNSequence
	if _, err := asn1.Unmarshal(c.RawSubject, &names); err != nil {
		return nil
	}
	return names.String()
}

func downloadOf(action string) func(*Server, map[string]any) any {
	return func(_ *Server, o map[string]any) any {
		return "/api/v3/crypto/certificatekeypairs/" + canonical(o["pk"]) + "/" + action + "/?download"
	}
}

func ofCertificate(of func(*x509.Certificate) any) func(*Server, map[string]any) any {
	return func(_ *Server, o map[string]any) any {
		block, _ := pem.Decode([]byte(canonical(o["certificate_data"])))
		if block == nil {
			return nil
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil
		}
		return of(c)
	}
}

func keyType(text string) any {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil
	}
	switch key, _ := x509.ParsePKCS8PrivateKey(block.Bytes); key.(type) {
	case *ecdsa.PrivateKey:
		return "ec"
	case ed25519.PrivateKey:
		return "ed25519"
	}
	return "rsa"
}

func colons(sum []byte) string {
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = hex.EncodeToString([]byte{b})
	}
	return strings.Join(parts, ":")
}

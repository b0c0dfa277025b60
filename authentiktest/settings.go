package authentiktest

import "net/http"

// What every server has one of: settings, a brand, the defaults of an outpost.

const outpostDefaults = `{"authentik_host": "", "authentik_host_insecure": false, "authentik_host_browser": "", "log_level": "warning",
	"object_naming_template": "ak-outpost-%(name)s", "refresh_interval": "minutes=5", "container_image": null, "docker_network": null,
	"docker_map_ports": true, "docker_labels": null, "kubernetes_replicas": 1, "kubernetes_namespace": "default",
	"kubernetes_ingress_annotations": {}, "kubernetes_ingress_secret_name": "authentik-outpost-tls", "kubernetes_ingress_class_name": null,
	"kubernetes_ingress_path_type": null, "kubernetes_httproute_annotations": {}, "kubernetes_httproute_parent_refs": [],
	"kubernetes_service_type": "ClusterIP", "kubernetes_disabled_components": [], "kubernetes_image_pull_secrets": [],
	"kubernetes_json_patches": null, "kubernetes_disable_x509_strict": false}`

// outpostSince names what outposts were configured with later.
var outpostSince = map[string]string{
	"refresh_interval": "2024.2", "kubernetes_ingress_path_type": "2024.2", "kubernetes_httproute_annotations": "2025.2",
	"kubernetes_httproute_parent_refs": "2025.2", "kubernetes_disable_x509_strict": "2026.5",
}

func defaultSettings(s *Server, _ *call, _ *object, _ map[string]any) reply {
	config, _ := fromJSON(outpostDefaults).(map[string]any)
	for name, since := range outpostSince {
		if !s.atLeast(since) {
			delete(config, name)
		}
	}
	config["authentik_host"] = s.base + "/"
	return reply{http.StatusOK, map[string]any{"config": config}}
}

// currentBrand is the default brand, or that of a server that has none of its own.
func currentBrand(s *Server, _ *call, _ *object, _ map[string]any) reply {
	brand := map[string]any{
		"matched_domain": "authentik-default", "branding_title": "authentik",
		"branding_logo": "/static/dist/assets/icons/icon_left_brand.svg", "branding_favicon": "/static/dist/assets/icons/icon.png",
		"flow_authentication": "default-authentication-flow", "flow_invalidation": "default-invalidation-flow",
		"flow_user_settings": "default-user-settings-flow", "ui_theme": "automatic", "ui_footer_links": []any{},
		"flags": map[string]any{"flows_refresh_others": false},
	}
	flags, _ := brand["flags"].(map[string]any)
	switch {
	case s.atLeast("2026.2"):
		flags["flows_continuous_login"] = false
	case s.atLeast("2025.10"):
		flags["policies_buffered_access_view"] = false
	}
	typ := "CurrentBrand"
	if !s.atLeast("2024.2") {
		typ = "CurrentTenant"
	}
	for _, path := range []string{"core/brands/", "core/tenants/"} {
		if s.listAt(path) == nil {
			continue
		}
		for _, o := range s.list(path).objects {
			if o.members["default"] != true {
				continue
			}
			brand["matched_domain"] = o.members["domain"]
			for _, name := range []string{"branding_title", "branding_logo", "branding_favicon", "branding_custom_css", "default_locale"} {
				if !isEmpty(o.members[name]) {
					brand[name] = o.members[name]
				}
			}
			for _, name := range []string{
				"flow_authentication", "flow_invalidation", "flow_recovery", "flow_unenrollment", "flow_user_settings", "flow_device_code", "flow_lockdown",
			} {
				delete(brand, name)
				if flow := s.referred("flows/instances/", canonical(o.members[name])); flow != nil {
					brand[name] = flow.id
				}
			}
		}
	}
	shown := s.show(brand, typ)
	for _, m := range s.members(typ) {
		if _, given := brand[m.name]; !given && len(m.name) > 5 && m.name[:5] == "flow_" {
			delete(shown, m.name)
		}
	}
	shown["flags"] = flags
	if s.member(typ, "flags") == nil {
		delete(shown, "flags")
	}
	return reply{http.StatusOK, shown}
}

// emailTemplates are those that every server has.
func emailTemplates(s *Server, _ *call, _ *object, _ map[string]any) reply {
	all := []any{}
	for _, t := range []struct{ name, description, since string }{
		{"email/password_reset.html", "Password Reset", ""},
		{"email/account_confirmation.html", "Account Confirmation", ""},
		{"email/email_otp.html", "Email OTP", "2025.2"},
		{"email/event_notification.html", "Event Notification", "2025.2"},
		{"email/invitation.html", "Invitation", "2026.2"},
	} {
		if s.has(t.since, "") {
			all = append(all, s.typeOf(t.name, t.description, ""))
		}
	}
	return reply{http.StatusOK, all}
}

// typeOf is a choice, as the API lists it.
func (s *Server) typeOf(name, description, component string) map[string]any {
	shown := s.show(map[string]any{
		"name": name, "description": description, "component": component, "model_name": "", "requires_enterprise": false, "deprecated": false,
	}, "TypeCreate")
	delete(shown, "icon_url") // which only kinds of objects have
	return shown
}

package authentiktest

import (
	"slices"
	"strings"
)

// What authentik does by itself, since 2025.8. The minutes are another server's.

// ownWork is what is done for each object of a list. The schedule has the object's
// slug or name.
var ownWork = []struct{ path, actor, crontab, since string }{
	{"endpoints/fleet/connectors/", "authentik.endpoints.tasks.endpoints_sync", "3-59/15 * * * *", "2025.12"},
	{"outposts/instances/", "authentik.outposts.tasks.outpost_controller", "47 */4 * * *", "2025.8"},
	{"outposts/service_connections/docker/", "authentik.outposts.tasks.outpost_service_connection_monitor", "3-59/15 * * * *", "2025.8"},
	{"outposts/service_connections/kubernetes/", "authentik.outposts.tasks.outpost_service_connection_monitor", "3-59/15 * * * *", "2025.8"},
	{"providers/google_workspace/", "authentik.enterprise.providers.google_workspace.tasks.google_workspace_sync", "9 */4 * * *", "2025.8"},
	{"providers/microsoft_entra/", "authentik.enterprise.providers.microsoft_entra.tasks.microsoft_entra_sync", "11 */4 * * *", "2025.8"},
	{"providers/scim/", "authentik.providers.scim.tasks.scim_sync", "13 */4 * * *", "2025.8"},
	{"sources/kerberos/", "authentik.sources.kerberos.tasks.kerberos_sync", "17 */2 * * *", "2025.8"},
	{"sources/kerberos/", "authentik.sources.kerberos.tasks.kerberos_connectivity_check", "19 * * * *", "2025.8"},
	{"sources/ldap/", "authentik.sources.ldap.tasks.ldap_sync", "21 */2 * * *", "2025.8"},
	{"sources/ldap/", "authentik.sources.ldap.tasks.ldap_connectivity_check", "23 * * * *", "2025.8"},
	{"sources/plex/", "authentik.sources.plex.tasks.check_plex_token", "27 */3 * * *", "2025.8"},
}

// freshWork is what a fresh authentik does.
var freshWork = []struct{ actor, crontab, since string }{
	{"authentik.admin.tasks.update_latest_version", "51 * * * *", ""},
	{"authentik.blueprints.v1.tasks.blueprints_discovery", "29 * * * *", ""},
	{"authentik.blueprints.v1.tasks.clear_failed_blueprints", "10 * * * *", ""},
	{"authentik.core.tasks.clean_expired_models", "2-59/5 * * * *", ""},
	{"authentik.core.tasks.clean_temporary_users", "9-59/5 * * * *", ""},
	{"authentik.crypto.tasks.certificate_discovery", "26 * * * *", ""},
	{"authentik.enterprise.lifecycle.tasks.apply_lifecycle_rules", "6 3 * * *", "2026.2"},
	{"authentik.enterprise.policies.unique_password.tasks.check_and_purge_password_history", "9 */24 * * *", ""},
	{"authentik.enterprise.policies.unique_password.tasks.trim_password_histories", "47 */12 * * *", ""},
	{"authentik.enterprise.tasks.enterprise_update_usage", "44 */2 * * *", ""},
	{"authentik.events.tasks.notification_cleanup", "21 */8 * * *", ""},
	{"authentik.outposts.tasks.outpost_connection_discovery", "29 */8 * * *", ""},
	{"authentik.outposts.tasks.outpost_token_ensurer", "13 */8 * * *", ""},
	{"authentik.sources.oauth.tasks.update_well_known_jwks", "50 */3 * * *", ""},
	{"authentik.stages.authenticator_webauthn.tasks.webauthn_mds_import", "5 2 * * 0", ""},
	{"authentik.tasks.tasks.clean_worker_statuses", "52 11 * * *", ""},
}

// schedule adds the schedules of an object, or renews their names.
func (s *Server) schedule(o *object) {
	name := o.members["name"]
	if strings.HasPrefix(o.list.path, "sources/") {
		name = o.members["slug"]
	}
	known := s.schedules(o)
	for _, work := range ownWork {
		if work.path != o.list.path || !s.has(work.since, "") {
			continue
		}
		uid := work.actor + ":" + canonical(name)
		if i := slices.IndexFunc(known, func(one *object) bool { return one.members["actor_name"] == work.actor }); i >= 0 {
			s.patch(known[i], "uid", uid)
			continue
		}
		app, model, _ := strings.Cut(s.facts().Lists[o.list.path].Model, ".")
		s.addSchedule(work.actor, uid, work.crontab, map[string]any{
			"identifier": canonical(o.members["pk"]), "rel_obj_id": canonical(o.members["pk"]), "rel_obj_app_label": app, "rel_obj_model": model,
		})
	}
}

// addSchedule adds a schedule, of an object if members name it.
func (s *Server) addSchedule(actor, uid, crontab string, members map[string]any) {
	l := s.list("tasks/schedules/")
	members["actor_name"], members["uid"], members["crontab"] = actor, uid, crontab
	s.fillMissing(l, "Schedule", members)
	s.put(s.newObject(l, members))
}

// schedules are those of an object.
func (s *Server) schedules(o *object) []*object {
	facts := s.facts().Lists[o.list.path]
	if facts == nil || !s.atLeast("2025.8") {
		return nil
	}
	app, model, _ := strings.Cut(facts.Model, ".")
	var found []*object
	for _, one := range s.list("tasks/schedules/").objects {
		if one.members["rel_obj_id"] == canonical(o.members["pk"]) && one.members["rel_obj_app_label"] == app && one.members["rel_obj_model"] == model {
			found = append(found, one)
		}
	}
	return found
}

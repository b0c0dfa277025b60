package authentiktest

import (
	"net/http"
)

const oauth2Providers = "providers/oauth2/"

// fillProvider gives a new OAuth2 provider what authentik generates.
func fillProvider(provider map[string]any) {
	for name, length := range map[string]int{"client_id": 40, "client_secret": 128} {
		if isEmpty(provider[name]) {
			provider[name] = randomText(length)
		}
	}
}

// assign has the provider of an application name the application, or no longer.
func (s *Server) assign(application *object, on bool) {
	if application.list.path != "core/applications/" {
		return
	}
	provider := s.referred("providers/all/", canonical(application.members["provider"]))
	if provider == nil {
		return
	}
	for member, of := range map[string]string{"assigned_application_slug": "slug", "assigned_application_name": "name"} {
		provider.members[member] = nil
		if on {
			provider.members[member] = application.members[of]
		}
	}
	provider.changed()
}

// setupURLs answers with the URLs that an application is set up with.
func setupURLs(_ *Server, c *call, o *object, _ map[string]any) reply {
	slug := canonical(o.members["assigned_application_slug"])
	root := "http://" + c.Host
	if slug == "" {
		all := root + "/application/o/"
		return reply{http.StatusOK, map[string]any{
			"issuer": nil, "authorize": all + "authorize/", "token": all + "token/", "user_info": all + "userinfo/", "provider_info": nil, "logout": nil,
		}}
	}
	all, own := root+"/application/o/", root+"/application/o/"+slug+"/"
	issuer := own
	if o.members["issuer_mode"] == "global" {
		issuer = root + "/"
	}
	return reply{http.StatusOK, map[string]any{
		"issuer": issuer, "authorize": all + "authorize/", "token": all + "token/", "user_info": all + "userinfo/",
		"provider_info": own + ".well-known/openid-configuration", "logout": own + "end-session/", "jwks": own + "jwks/",
		"dcr_registration": nil,
	}}
}

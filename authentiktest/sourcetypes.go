package authentiktest

// sourceType is a kind of OAuth source, as sources/oauth/source_types/ lists it.
type sourceType struct {
	name, verbose string
	open          bool // a source may have URLs of its own
	authorization string
	token         string
	profile       string
	wellKnown     string
	jwks          string
	noProfile     bool   // its profile_url is "", not null
	since         string // the release that brought it, "" if the first had it
}

// oauthSourceTypes are the kinds in the order of the answer.
//
//nolint:gosec // no credentials, but addresses where tokens are
var oauthSourceTypes = []sourceType{
	{name: "apple", verbose: "Apple", authorization: "https://appleid.apple.com/auth/authorize", token: "https://appleid.apple.com/auth/token", noProfile: true},
	{name: "openidconnect", verbose: "OpenID Connect", open: true},
	{name: "entraid", verbose: "Entra ID", open: true, authorization: "https://login.microsoftonline.com/common/oauth2/v2.0/authorize", token: "https://login.microsoftonline.com/common/oauth2/v2.0/token", profile: "https://graph.microsoft.com/v1.0/me", jwks: "https://login.microsoftonline.com/common/discovery/keys", since: "2025.10"},
	{name: "azuread", verbose: "Azure AD", open: true, authorization: "https://login.microsoftonline.com/common/oauth2/v2.0/authorize", token: "https://login.microsoftonline.com/common/oauth2/v2.0/token", profile: "https://graph.microsoft.com/v1.0/me", jwks: "https://login.microsoftonline.com/common/discovery/keys"},
	{name: "discord", verbose: "Discord", authorization: "https://discord.com/api/oauth2/authorize", token: "https://discord.com/api/oauth2/token", profile: "https://discord.com/api/users/@me"},
	{name: "facebook", verbose: "Facebook", authorization: "https://www.facebook.com/v7.0/dialog/oauth", token: "https://graph.facebook.com/v7.0/oauth/access_token", profile: "https://graph.facebook.com/v7.0/me?fields=id,name,email"},
	{name: "github", verbose: "GitHub", open: true, authorization: "https://github.com/login/oauth/authorize", token: "https://github.com/login/oauth/access_token", profile: "https://api.github.com/user", wellKnown: "https://token.actions.githubusercontent.com/.well-known/openid-configuration", jwks: "https://token.actions.githubusercontent.com/.well-known/jwks"},
	{name: "gitlab", verbose: "GitLab", open: true, authorization: "https://gitlab.com/oauth/authorize", token: "https://gitlab.com/oauth/token", profile: "https://gitlab.com/oauth/userinfo", wellKnown: "https://gitlab.com/.well-known/openid-configuration", jwks: "https://gitlab.com/oauth/discovery/keys", since: "2025.10"},
	{name: "google", verbose: "Google", authorization: "https://accounts.google.com/o/oauth2/auth", token: "https://oauth2.googleapis.com/token", profile: "https://www.googleapis.com/oauth2/v1/userinfo", wellKnown: "https://accounts.google.com/.well-known/openid-configuration", jwks: "https://www.googleapis.com/oauth2/v3/certs"},
	{name: "mailcow", verbose: "Mailcow", open: true},
	{name: "okta", verbose: "Okta", open: true},
	{name: "patreon", verbose: "Patreon", authorization: "https://www.patreon.com/oauth2/authorize", token: "https://www.patreon.com/api/oauth2/token", profile: "https://www.patreon.com/api/oauth2/api/current_user"},
	{name: "reddit", verbose: "Reddit", authorization: "https://www.reddit.com/api/v1/authorize", token: "https://www.reddit.com/api/v1/access_token", profile: "https://oauth.reddit.com/api/v1/me"},
	{name: "slack", verbose: "Slack", authorization: "https://slack.com/oauth/v2/authorize", token: "https://slack.com/api/oauth.v2.access", profile: "https://slack.com/api/openid.connect.userInfo", since: "2025.12"},
	{name: "twitch", verbose: "Twitch", authorization: "https://id.twitch.tv/oauth2/authorize", token: "https://id.twitch.tv/oauth2/token", profile: "https://id.twitch.tv/oauth2/userinfo"},
	{name: "twitter", verbose: "Twitter", authorization: "https://twitter.com/i/oauth2/authorize", token: "https://api.twitter.com/2/oauth2/token", profile: "https://api.twitter.com/2/users/me"},
	{name: "wechat", verbose: "WeChat", authorization: "https://open.weixin.qq.com/connect/qrconnect", token: "https://api.weixin.qq.com/sns/oauth2/access_token", profile: "https://api.weixin.qq.com/sns/userinfo", since: "2025.12"},
}

// sourceTypes are the kinds by their names.
var sourceTypes = func() map[string]sourceType {
	types := map[string]sourceType{}
	for _, t := range oauthSourceTypes {
		types[t.name] = t
	}
	return types
}()

// shown is the kind as the API answers with it.
func (t sourceType) shown() map[string]any {
	orNull := func(text string) any {
		if text == "" {
			return nil
		}
		return text
	}
	profile := orNull(t.profile)
	if t.noProfile {
		profile = ""
	}
	return map[string]any{
		"name": t.name, "verbose_name": t.verbose, "urls_customizable": t.open, "request_token_url": nil,
		"authorization_url": orNull(t.authorization), "access_token_url": orNull(t.token), "profile_url": profile,
		"oidc_well_known_url": orNull(t.wellKnown), "oidc_jwks_url": orNull(t.jwks),
	}
}

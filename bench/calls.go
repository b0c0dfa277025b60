package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/authentik-go/authentik"
	"github.com/google/uuid"
)

const (
	provider = `{"pk":3,"name":"grafana","authentication_flow":null,"authorization_flow":"d7e39623-02f3-41c6-9f65-a71a95e0f006",` +
		`"invalidation_flow":"556b13a1-b9fc-427e-98a8-8d9feb369fb1","property_mappings":["89918865-2c33-4e4e-8738-3060e4517c9e"],` +
		`"component":"ak-provider-oauth2-form","assigned_application_slug":null,"assigned_application_name":null,` +
		`"assigned_backchannel_application_slug":null,"assigned_backchannel_application_name":null,"verbose_name":"OAuth2/OpenID Provider",` +
		`"verbose_name_plural":"OAuth2/OpenID Providers","meta_model_name":"authentik_providers_oauth2.oauth2provider","client_type":"confidential",` +
		`"grant_types":["authorization_code"],"client_id":"grafana","client_secret":"secret","access_code_validity":"minutes=1",` +
		`"access_token_validity":"hours=1","refresh_token_validity":"days=30","refresh_token_threshold":"seconds=0","include_claims_in_id_token":true,` +
		`"signing_key":null,"encryption_key":null,"redirect_uris":[{"matching_mode":"strict","url":"https://grafana.example.com/login/generic_oauth",` +
		`"redirect_uri_type":"authorization"}],"logout_uri":"","logout_method":"backchannel","sub_mode":"hashed_user_id","issuer_mode":"per_provider",` +
		`"jwt_federation_sources":[],"jwt_federation_providers":[]}`
	authorizationFlow = "d7e39623-02f3-41c6-9f65-a71a95e0f006"
	invalidationFlow  = "556b13a1-b9fc-427e-98a8-8d9feb369fb1"
	redirectURL       = "https://grafana.example.com/login/generic_oauth"
)

// bareProviderRequest is what a program sends without a library, and bareProvider,
// from the SDK's model, what it reads.
type (
	bareProviderRequest struct {
		Name              string            `json:"name,omitempty"`
		AuthorizationFlow *uuid.UUID        `json:"authorization_flow,omitempty"`
		InvalidationFlow  *uuid.UUID        `json:"invalidation_flow,omitempty"`
		ClientID          string            `json:"client_id,omitempty"`
		RedirectURIs      []bareRedirectURI `json:"redirect_uris,omitempty"`
	}
	bareRedirectURI struct {
		MatchingMode    string `json:"matching_mode"`
		URL             string `json:"url"`
		RedirectURIType string `json:"redirect_uri_type,omitempty"`
	}
	bareProvider struct {
		PK                     int               `json:"pk"`
		Name                   string            `json:"name"`
		AuthenticationFlow     *uuid.UUID        `json:"authentication_flow"`
		AuthorizationFlow      uuid.UUID         `json:"authorization_flow"`
		InvalidationFlow       uuid.UUID         `json:"invalidation_flow"`
		PropertyMappings       []uuid.UUID       `json:"property_mappings"`
		Component              string            `json:"component"`
		ApplicationSlug        *string           `json:"assigned_application_slug"`
		ApplicationName        *string           `json:"assigned_application_name"`
		BackchannelSlug        *string           `json:"assigned_backchannel_application_slug"`
		BackchannelName        *string           `json:"assigned_backchannel_application_name"`
		VerboseName            string            `json:"verbose_name"`
		VerboseNamePlural      string            `json:"verbose_name_plural"`
		MetaModelName          string            `json:"meta_model_name"`
		ClientType             string            `json:"client_type"`
		GrantTypes             []string          `json:"grant_types"`
		ClientID               string            `json:"client_id"`
		ClientSecret           string            `json:"client_secret"`
		AccessCodeValidity     string            `json:"access_code_validity"`
		AccessTokenValidity    string            `json:"access_token_validity"`
		RefreshTokenValidity   string            `json:"refresh_token_validity"`
		RefreshTokenThreshold  string            `json:"refresh_token_threshold"`
		IncludeClaimsInIDToken bool              `json:"include_claims_in_id_token"`
		SigningKey             *uuid.UUID        `json:"signing_key"`
		EncryptionKey          *uuid.UUID        `json:"encryption_key"`
		RedirectURIs           []bareRedirectURI `json:"redirect_uris"`
		LogoutURI              string            `json:"logout_uri"`
		LogoutMethod           string            `json:"logout_method"`
		SubMode                string            `json:"sub_mode"`
		IssuerMode             string            `json:"issuer_mode"`
		JWTFederationSources   []uuid.UUID       `json:"jwt_federation_sources"`
		JWTFederationProviders []int             `json:"jwt_federation_providers"`
	}
)

// calls measures calls for one object, from memory.
func calls(rounds int) {
	hc := &http.Client{Transport: transport(func(r *http.Request) []byte {
		switch {
		case strings.Contains(r.URL.Path, "tenants"):
			return []byte("{}")
		case strings.Contains(r.URL.Path, "version"):
			return []byte(`{"version_current":"2026.5.4"}`)
		case strings.Contains(r.URL.Path, "stages"):
			return stage()
		}
		return []byte(provider)
	})}
	const baseURL = "http://authentik.test"
	sdk := newSDK(baseURL, hc)
	ctx := context.Background()
	pk := uuid.MustParse("765ed48b-9283-4461-987d-de42dba24533")
	authorization, invalidation := uuid.MustParse(authorizationFlow), uuid.MustParse(invalidationFlow)
	order := []string{"net/http", "SDK"}

	fmt.Print("\n## One call with a body of two bytes, from memory\n")
	compare(rounds, order, map[string]func() error{
		"net/http": func() error {
			return bareCall(ctx, hc, http.MethodGet, baseURL+"/api/v3/tenants/", nil, &struct{}{})
		},
		"SDK": func() error {
			_, err := authentik.Get[struct{}](ctx, sdk, "tenants/", nil)
			return err
		},
	})
	fmt.Print("\n## Retrieve of a stage, from memory\n")
	compare(rounds, order, map[string]func() error{
		"net/http": func() error {
			return bareCall(ctx, hc, http.MethodGet, baseURL+"/api/v3/stages/identification/"+pk.String()+"/", nil, &bareStage{})
		},
		"SDK": func() error {
			_, err := sdk.StagesIdentification.Retrieve(ctx, pk)
			return err
		},
	})
	fmt.Print("\n## Create of an OAuth2 provider, from memory\n")
	compare(rounds, order, map[string]func() error{
		"net/http": func() error {
			return bareCall(ctx, hc, http.MethodPost, baseURL+"/api/v3/providers/oauth2/", &bareProviderRequest{
				Name: "grafana", AuthorizationFlow: &authorization, InvalidationFlow: &invalidation, ClientID: "grafana",
				RedirectURIs: []bareRedirectURI{{MatchingMode: "strict", URL: redirectURL}},
			}, &bareProvider{})
		},
		"SDK": func() error {
			_, err := sdk.ProvidersOAuth2.Create(ctx, &authentik.OAuth2ProviderRequest{
				Name: "grafana", AuthorizationFlow: authorization, InvalidationFlow: invalidation, ClientID: new("grafana"),
				RedirectURIs: []authentik.RedirectURIRequest{{MatchingMode: authentik.MatchingModeStrict, URL: redirectURL}},
			})
			return err
		},
	})
	fmt.Print("\n## Update of an OAuth2 provider's name, from memory\n")
	compare(rounds, order, map[string]func() error{
		"net/http": func() error {
			return bareCall(ctx, hc, http.MethodPatch, baseURL+"/api/v3/providers/oauth2/3/", &bareProviderRequest{Name: "grafana"}, &bareProvider{})
		},
		"SDK": func() error {
			_, err := sdk.ProvidersOAuth2.Update(ctx, 3, &authentik.OAuth2ProviderRequest{Name: "grafana"})
			return err
		},
	})
}

// stage is the first of the page of stages.
var stage = sync.OnceValue(func() []byte {
	var page struct {
		Results []json.RawMessage `json:"results"`
	}
	check(json.Unmarshal(fixture, &page))
	return page.Results[0]
})

// bareCall sends body, if there is one, and decodes the answer.
func bareCall(ctx context.Context, hc *http.Client, method, url string, body, answer any) error {
	var reader io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		reader = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, reader)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := hc.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, answer)
}

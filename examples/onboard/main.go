// Command onboard makes an application that signs its users in with OpenID
// Connect, and prints what the application is set up with: its client id and the
// issuer.
//
//	go run ./examples/onboard [-apply] -redirect https://wiki.example.com/callback wiki Wiki
//
// The operands are the slug and the name. What the application needs is looked up
// by name: the two flows by their slugs, the certificate that signs its tokens, and
// a mapping for each scope; -h lists the flags, whose defaults are what authentik
// itself brings. The provider is called "Provider for" and the name.
//
// Without -apply it prints what it would do, and changes nothing. Running it again
// changes nothing but what is no longer as the flags say, and completes a run that
// was interrupted. It takes over neither an application that has another provider
// nor a provider that belongs to another application.
//
// It reads AUTHENTIK_URL and AUTHENTIK_TOKEN; where neither is set, it asks a fake
// server and says so. It needs authentik 2024.12 or newer. The client secret is not
// printed: authentik shows it on the provider's page.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/examples/internal/connect"
	"github.com/google/uuid"
)

func main() { connect.Main(run) }

// wish is what the application is to be.
type wish struct {
	slug, name                          string
	redirect                            string
	authorizationFlow, invalidationFlow string // slugs
	certificate                         string // its name; "" signs with the client secret
	scopes                              []string
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var w wish
	flags := flag.NewFlagSet("onboard", flag.ContinueOnError)
	apply := flags.Bool("apply", false, "do what is planned")
	flags.StringVar(&w.redirect, "redirect", "", "the `URL` to which users are sent back; required")
	flags.StringVar(&w.authorizationFlow, "authorization-flow", "default-provider-authorization-implicit-consent", "`slug` of the flow")
	flags.StringVar(&w.invalidationFlow, "invalidation-flow", "default-provider-invalidation-flow", "`slug` of the flow")
	flags.StringVar(&w.certificate, "certificate", "authentik Self-signed Certificate", "`name` of the certificate that signs tokens; empty: they are signed with the client secret")
	scopes := flags.String("scopes", "openid,email,profile", "the scopes that the application may ask for, with `commas`")
	err := connect.Parse(flags, "Makes an application that signs its users in with OpenID Connect.", args, stderr, "slug", "name")
	if err != nil {
		return err
	}
	w.slug, w.name, w.scopes = flags.Arg(0), flags.Arg(1), strings.Split(*scopes, ",")
	if w.slug == "" || w.name == "" || w.redirect == "" {
		return errors.New("slug, name and -redirect are needed; see -h")
	}
	client, stop, err := connect.Client(stdout)
	if err != nil {
		return err
	}
	defer stop()

	o, err := plan(ctx, client, w)
	if err != nil {
		return err
	}
	for _, change := range o.changes {
		fmt.Fprintln(stdout, change.text)
	}
	switch {
	case len(o.changes) == 0:
		fmt.Fprintln(stdout, "nothing to change")
	case !*apply:
		fmt.Fprintln(stdout, "nothing is changed yet; -apply does it")
		return nil
	}
	for _, change := range o.changes {
		if err := change.do(ctx); err != nil {
			return fmt.Errorf("this failed: %s; running it again goes on\n%w", change.text, err)
		}
	}
	urls, err := client.ProvidersOAuth2.SetupURLs(ctx, o.provider.PK)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "client id: %s\n", o.provider.ClientID)
	if urls.Issuer != nil { // the application may be gone meanwhile
		fmt.Fprintf(stdout, "issuer: %s\n", *urls.Issuer)
	}
	return nil
}

// onboarding is a plan.
type onboarding struct {
	provider    *authentik.OAuth2Provider // nil until it is created
	application *authentik.Application    // likewise
	changes     []change
}

// change is one step of a plan.
type change struct {
	text string
	do   func(context.Context) error
}

// plan compares the server with what is wished for. It only reads.
func plan(ctx context.Context, client *authentik.Client, w wish) (*onboarding, error) {
	o := &onboarding{}
	provider, err := w.providerRequest(ctx, client)
	if err != nil {
		return nil, err
	}
	o.provider, err = authentik.One(client.ProvidersOAuth2.All(ctx, &authentik.ProvidersOAuth2ListOptions{Name: provider.Name}))
	if err != nil && !errors.Is(err, authentik.ErrNotFound) {
		return nil, err
	}
	o.application, err = client.CoreApplications.Retrieve(ctx, w.slug)
	if err != nil && !errors.Is(err, authentik.ErrNotFound) {
		return nil, err
	}
	if err := o.check(w.slug); err != nil {
		return nil, err
	}
	o.planProvider(client, provider)
	o.planApplication(client, w)
	return o, nil
}

// check refuses to take over what belongs to something else.
func (o *onboarding) check(slug string) error {
	if o.provider != nil {
		if of := o.provider.AssignedApplicationSlug; of != nil && *of != slug {
			return fmt.Errorf("the provider %q belongs to the application %s", o.provider.Name, *of)
		}
	}
	if o.application != nil {
		if has := o.application.Provider; has != nil && (o.provider == nil || *has != o.provider.PK) {
			return fmt.Errorf("the application %s has another provider, with pk %d", slug, *has)
		}
	}
	return nil
}

func (o *onboarding) planProvider(client *authentik.Client, req *authentik.OAuth2ProviderRequest) {
	if o.provider == nil {
		o.changes = append(o.changes, change{fmt.Sprintf("create the provider %q", req.Name), func(ctx context.Context) (err error) {
			req.GrantTypes = []authentik.GrantType{authentik.GrantTypeAuthorizationCode, authentik.GrantTypeRefreshToken} // ignored before 2026.5
			o.provider, err = client.ProvidersOAuth2.Create(ctx, req)
			return err
		}})
		return
	}
	different := differences(o.provider, req)
	if len(different) == 0 {
		return
	}
	text := fmt.Sprintf("change the provider %q: %s", req.Name, strings.Join(different, ", "))
	o.changes = append(o.changes, change{text, func(ctx context.Context) (err error) {
		o.provider, err = client.ProvidersOAuth2.Update(ctx, o.provider.PK, req)
		return err
	}})
}

func (o *onboarding) planApplication(client *authentik.Client, w wish) {
	req := func() *authentik.ApplicationRequest { // when the provider has a pk
		return &authentik.ApplicationRequest{Slug: w.slug, Name: w.name, Provider: authentik.Value(o.provider.PK)}
	}
	switch {
	case o.application == nil:
		o.changes = append(o.changes, change{fmt.Sprintf("create the application %q", w.name), func(ctx context.Context) (err error) {
			o.application, err = client.CoreApplications.Create(ctx, req())
			return err
		}})
	case o.application.Name != w.name || o.application.Provider == nil:
		o.changes = append(o.changes, change{fmt.Sprintf("change the application %q", o.application.Name), func(ctx context.Context) (err error) {
			o.application, err = client.CoreApplications.Update(ctx, w.slug, req())
			return err
		}})
	}
}

// providerRequest looks up what the provider refers to.
func (w wish) providerRequest(ctx context.Context, client *authentik.Client) (*authentik.OAuth2ProviderRequest, error) {
	req := &authentik.OAuth2ProviderRequest{
		Name:         "Provider for " + w.name,
		ClientType:   new(authentik.ClientTypeConfidential),
		RedirectURIs: []authentik.RedirectURIRequest{{MatchingMode: authentik.MatchingModeStrict, URL: w.redirect}},
		SigningKey:   authentik.Null[uuid.UUID](),
	}
	for _, flow := range []struct {
		slug string
		pk   *uuid.UUID
	}{{w.authorizationFlow, &req.AuthorizationFlow}, {w.invalidationFlow, &req.InvalidationFlow}} {
		found, err := authentik.One(client.FlowsInstances.All(ctx, &authentik.FlowsInstancesListOptions{Slug: flow.slug}))
		if flow.slug == w.invalidationFlow && errors.Is(err, authentik.ErrNotFound) {
			// Before 2024.12 there is no such flow, and providers do without.
			release, versionErr := client.ServerVersion(ctx)
			if versionErr != nil {
				return nil, versionErr
			}
			if release.AtLeast("2023.10") && !release.AtLeast("2024.12") {
				continue
			}
		}
		if err != nil {
			return nil, fmt.Errorf("flow %q: %w", flow.slug, err)
		}
		*flow.pk = found.PK
	}
	if w.certificate != "" {
		found, err := authentik.One(client.CryptoCertificateKeyPairs.All(ctx, &authentik.CryptoCertificateKeyPairsListOptions{Name: w.certificate}))
		if err != nil {
			return nil, fmt.Errorf("certificate %q: %w", w.certificate, err)
		}
		req.SigningKey = authentik.Value(found.PK)
	}
	for _, scope := range w.scopes {
		found, err := authentik.One(client.PropertyMappingsProviderScope.All(ctx, &authentik.PropertyMappingsProviderScopeListOptions{ScopeName: scope}))
		if errors.Is(err, authentik.ErrNoEndpoint) { // before 2024.8 the list is elsewhere
			found, err = authentik.One(client.PropertyMappingsScope.All(ctx, &authentik.PropertyMappingsScopeListOptions{ScopeName: scope}))
		}
		if err != nil { // ErrAmbiguous where somebody made a second mapping for the scope
			return nil, fmt.Errorf("mapping for the scope %q: %w", scope, err)
		}
		req.PropertyMappings = append(req.PropertyMappings, found.PK)
	}
	return req, nil
}

// differences are the members of the provider that are not as req has them.
func differences(provider *authentik.OAuth2Provider, req *authentik.OAuth2ProviderRequest) (names []string) {
	differ := func(name string, same bool) {
		if !same {
			names = append(names, name)
		}
	}
	differ("authorization_flow", provider.AuthorizationFlow == req.AuthorizationFlow)
	differ("invalidation_flow", provider.InvalidationFlow == req.InvalidationFlow)
	differ("client_type", provider.ClientType == *req.ClientType)
	differ("signing_key", authentik.ValueOrNull(provider.SigningKey).Equal(req.SigningKey))
	differ("property_mappings", slices.Equal(sorted(provider.PropertyMappings), sorted(req.PropertyMappings)))
	differ("redirect_uris", slices.EqualFunc(provider.RedirectURIs, req.RedirectURIs,
		func(a authentik.RedirectURI, b authentik.RedirectURIRequest) bool {
			return a.URL == b.URL && a.MatchingMode == b.MatchingMode
		}))
	return names
}

func sorted(pks []uuid.UUID) []uuid.UUID {
	return slices.SortedFunc(slices.Values(pks), func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
}

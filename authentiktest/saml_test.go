package authentiktest_test

import (
	"encoding/xml"
	"net/http"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
)

// recordedMetadata is what a running 2026.5 answered, with its pk and host.
const recordedMetadata = `<md:EntityDescriptor xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ` +
	`xmlns:ds="http://www.w3.org/2000/09/xmldsig#" xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:xenc="http://www.w3.org/2001/04/xmlenc#" ` +
	`ID="ID" entityID="authentik"><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` +
	`<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="http://HOST/application/saml/probe-saml/slo/binding/redirect/"/>` +
	`<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="http://HOST/application/saml/probe-saml/slo/binding/post/"/>` +
	`<md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat>` +
	`<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat>` +
	`<md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName</md:NameIDFormat>` +
	`<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:transient</md:NameIDFormat>` +
	`<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="http://HOST/application/saml/probe-saml/sso/binding/redirect/"/>` +
	`<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="http://HOST/application/saml/probe-saml/sso/binding/post/"/>` +
	`</md:IDPSSODescriptor></md:EntityDescriptor>`

func TestSAMLMetadata(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	server.SetRelease("2025.12")
	client := newClient(t, server, 0)
	certificate, err := client.CryptoCertificateKeyPairs.Generate(t.Context(), &authentik.CertificateGenerationRequest{CommonName: "signing", ValidityDays: new(30)})
	if err != nil {
		t.Fatal(err)
	}
	provider := server.ProvidersSAML.Add(authentik.SAMLProvider{PK: 65, Name: "probe-saml", Issuer: "authentik", ACSURL: "https://sp.example.com/acs"})
	metadata := func() string {
		t.Helper()
		got, err := client.ProvidersSAML.Metadata(t.Context(), provider.PK, nil)
		if err != nil {
			t.Fatal(err)
		}
		return got.Metadata
	}
	if got := metadata(); got != "" {
		t.Errorf("without an application: %s", got)
	}
	server.CoreApplications.Add(authentik.Application{Name: "SAML", Slug: "probe-saml", Provider: &provider.PK})
	host := strings.TrimPrefix(server.URL, "http://")
	want := strings.ReplaceAll(recordedMetadata, "HOST", host)
	want = strings.Replace(want, `ID="ID"`, `ID="_eed1352b29be6bdc4583ba3c6593c75a480fb477eceab28a86191d1726bba5e0"`, 1)
	if got := metadata(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	got := get(t, server, "/api/v3/providers/saml/65/metadata/?download&force_binding=urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST")
	if got.header.Get("Content-Type") != "application/xml" || got.header.Get("Content-Disposition") != `attachment; filename="probe-saml_authentik_meta.xml"` ||
		got.status != http.StatusOK || strings.Count(got.body, "Binding=") != 2 {
		t.Errorf("download: %d %v %s", got.status, got.header, got.body)
	}
	server.ProvidersSAML.Update(provider.PK, func(p *authentik.SAMLProvider) {
		p.Issuer, p.SigningKP, p.VerificationKP = "urn:a&b", &certificate.PK, &certificate.PK
	})
	var parsed struct {
		EntityID string `xml:"entityID,attr"`
		SSO      struct {
			Signed string `xml:"WantAuthnRequestsSigned,attr"`
			Key    string `xml:"KeyDescriptor>KeyInfo>X509Data>X509Certificate"`
		} `xml:"IDPSSODescriptor"`
	}
	if err := xml.Unmarshal([]byte(metadata()), &parsed); err != nil {
		t.Fatal(err)
	}
	if parsed.EntityID != "urn:a&b" || parsed.SSO.Signed != "true" || !strings.HasPrefix(parsed.SSO.Key, "MII") || strings.Contains(parsed.SSO.Key, "\n") {
		t.Errorf("signed: %+v", parsed)
	}
}

// TestMetadataOfASource compares the metadata with what a running 2026.5 answered.
func TestMetadataOfASource(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	client := newClient(t, server, 0)
	server.SourcesSAML.Add(authentik.SAMLSource{Slug: "md", Issuer: "iss", NameIDPolicy: authentik.SAMLNameIDPolicyPersistent})
	got, err := client.SourcesSAML.Metadata(t.Context(), "md")
	if err != nil {
		t.Fatal(err)
	}
	want := `<md:EntityDescriptor xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"` +
		` xmlns:ds="http://www.w3.org/2000/09/xmldsig#" xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:xenc="http://www.w3.org/2001/04/xmlenc#"` +
		` entityID="iss"><md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` +
		`<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat>` +
		`<md:AssertionConsumerService isDefault="true" index="0" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="` + server.URL + `/source/saml/md/acs/"/>` +
		`</md:SPSSODescriptor></md:EntityDescriptor>`
	if got.Metadata != want || got.DownloadURL == nil || *got.DownloadURL != "/source/saml/md/metadata/" {
		t.Errorf("got  %s\nwant %s", got.Metadata, want)
	}

	certificate, err := client.CryptoCertificateKeyPairs.Generate(t.Context(), &authentik.CertificateGenerationRequest{CommonName: "md", ValidityDays: new(1)})
	if err != nil {
		t.Fatal(err)
	}
	server.SourcesSAML.Add(authentik.SAMLSource{Slug: "keys", SigningKP: &certificate.PK, EncryptionKP: &certificate.PK})
	if got, err = client.SourcesSAML.Metadata(t.Context(), "keys"); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`use="signing"`, `use="encryption"`, `entityID="` + server.URL + `/source/saml/keys/metadata/"`} {
		if !strings.Contains(got.Metadata, part) {
			t.Errorf("%s is not in %s", part, got.Metadata)
		}
	}
}

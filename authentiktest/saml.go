package authentiktest

import (
	"encoding/xml"
	"net/http"
	"strings"
)

const samlBinding = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-"

const samlProtocol = "urn:oasis:names:tc:SAML:2.0:protocol"

// entityDescriptor begins the metadata of an entity.
const entityDescriptor = `<md:EntityDescriptor xmlns:samlp="` + samlProtocol + `" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"` +
	` xmlns:ds="http://www.w3.org/2000/09/xmldsig#" xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:xenc="http://www.w3.org/2001/04/xmlenc#"`

// samlMetadata is the metadata of the identity provider that an application's SAML
// provider is. authentik's is signed as well, if the provider has a key.
func samlMetadata(s *Server, c *call, o *object, _ map[string]any) reply {
	slug := canonical(o.members["assigned_application_slug"])
	switch {
	case slug != "":
	case s.atLeast("2026.2"):
		return notFound
	default:
		return reply{http.StatusOK, map[string]any{"metadata": ""}}
	}
	issuer := canonical(o.members["issuer"])
	if s.atLeast("2026.5") {
		if issuer = canonical(o.members["issuer_override"]); issuer == "" {
			issuer = canonical(s.show(o.members, "SAMLProvider")["url_issuer"])
		}
	}
	text := metadataXML(samlEntity{
		id: "_" + sha256Text(canonical(o.members["name"])+"-"+canonical(o.members["pk"])), issuer: issuer,
		root: s.base + "/application/saml/" + slug + "/", binding: c.last("force_binding"),
		signed: !isEmpty(o.members["verification_kp"]), certificate: s.certificateOf(o.members["signing_kp"]),
	})
	if _, ok := c.query["download"]; ok {
		return reply{http.StatusOK, document{canonical(o.members["name"]) + "_authentik_meta.xml", "application/xml", text}}
	}
	return reply{http.StatusOK, map[string]any{"metadata": text}}
}

// certificateOf is the certificate of a key pair, as XML has it: without its first
// and last line. It is "" if there is none.
func (s *Server) certificateOf(key any) string {
	pair := s.referred("crypto/certificatekeypairs/", canonical(key))
	if pair == nil {
		return ""
	}
	var text strings.Builder
	for line := range strings.Lines(canonical(pair.members["certificate_data"])) {
		if !strings.HasPrefix(line, "-----") {
			text.WriteString(strings.TrimSpace(line))
		}
	}
	return text.String()
}

// samlEntity is what the metadata of an identity provider says.
type samlEntity struct {
	id, issuer  string
	root        string // of its URLs
	binding     string // the only one; "" for all
	signed      bool   // requests have to be
	certificate string
}

func metadataXML(e samlEntity) string {
	var w strings.Builder
	attribute := func(name, value string) {
		w.WriteString(" " + name + `="`)
		_ = xml.EscapeText(&w, []byte(value)) // a strings.Builder never fails
		w.WriteString(`"`)
	}
	services := func(name, path string) {
		for _, binding := range []string{"Redirect", "POST"} {
			if e.binding == "" || e.binding == samlBinding+binding {
				w.WriteString("<md:" + name)
				attribute("Binding", samlBinding+binding)
				attribute("Location", e.root+path+"/binding/"+strings.ToLower(binding)+"/")
				w.WriteString("/>")
			}
		}
	}
	w.WriteString(entityDescriptor)
	attribute("ID", e.id)
	attribute("entityID", e.issuer)
	w.WriteString(`><md:IDPSSODescriptor protocolSupportEnumeration="` + samlProtocol + `"`)
	if e.signed {
		attribute("WantAuthnRequestsSigned", "true")
	}
	w.WriteString(">")
	if e.certificate != "" {
		w.WriteString(keyDescriptor("signing", e.certificate))
	}
	services("SingleLogoutService", "slo")
	for _, format := range []string{"1.1:nameid-format:emailAddress", "2.0:nameid-format:persistent", "1.1:nameid-format:X509SubjectName", "2.0:nameid-format:transient"} {
		w.WriteString("<md:NameIDFormat>urn:oasis:names:tc:SAML:" + format + "</md:NameIDFormat>")
	}
	services("SingleSignOnService", "sso")
	w.WriteString("</md:IDPSSODescriptor></md:EntityDescriptor>")
	return w.String()
}

func keyDescriptor(use, certificate string) string {
	return `<md:KeyDescriptor use="` + use + `"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>` + certificate +
		`</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`
}

// sourceMetadata is the metadata of the service provider that a SAML source is.
func sourceMetadata(s *Server, _ *call, o *object, _ map[string]any) reply {
	path := "/source/saml/" + o.id + "/"
	issuer := canonical(o.members["issuer"])
	if issuer == "" {
		issuer = s.base + path + "metadata/"
	}
	var w strings.Builder
	w.WriteString(entityDescriptor + ` entityID="`)
	_ = xml.EscapeText(&w, []byte(issuer)) // a strings.Builder never fails
	w.WriteString(`"><md:SPSSODescriptor protocolSupportEnumeration="` + samlProtocol + `">`)
	for _, use := range []string{"signing", "encryption"} {
		if certificate := s.certificateOf(o.members[use+"_kp"]); certificate != "" {
			w.WriteString(keyDescriptor(use, certificate))
		}
	}
	w.WriteString("<md:NameIDFormat>" + canonical(o.members["name_id_policy"]) + "</md:NameIDFormat>" +
		`<md:AssertionConsumerService isDefault="true" index="0" Binding="` + samlBinding + `POST" Location="` + s.base + path + `acs/"/>` +
		"</md:SPSSODescriptor></md:EntityDescriptor>")
	return reply{http.StatusOK, map[string]any{"metadata": w.String(), "download_url": path + "metadata/"}}
}

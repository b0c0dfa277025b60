package authentiktest

import (
	"encoding/xml"
	"net/http"
	"strings"
)

const samlBinding = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-"

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
	w.WriteString("<md:EntityDescriptor")
	for _, space := range [][2]string{
		{"samlp", "urn:oasis:names:tc:SAML:2.0:protocol"},
		{"saml", "urn:oasis:names:tc:SAML:2.0:assertion"},
		{"ds", "http://www.w3.org/2000/09/xmldsig#"},
		{"md", "urn:oasis:names:tc:SAML:2.0:metadata"},
		{"xenc", "http://www.w3.org/2001/04/xmlenc#"},
	} {
		attribute("xmlns:"+space[0], space[1])
	}
	attribute("ID", e.id)
	attribute("entityID", e.issuer)
	w.WriteString(`><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"`)
	if e.signed {
		attribute("WantAuthnRequestsSigned", "true")
	}
	w.WriteString(">")
	if e.certificate != "" {
		w.WriteString(`<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>` + e.certificate +
			`</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`)
	}
	services("SingleLogoutService", "slo")
	for _, format := range []string{"1.1:nameid-format:emailAddress", "2.0:nameid-format:persistent", "1.1:nameid-format:X509SubjectName", "2.0:nameid-format:transient"} {
		w.WriteString("<md:NameIDFormat>urn:oasis:names:tc:SAML:" + format + "</md:NameIDFormat>")
	}
	services("SingleSignOnService", "sso")
	w.WriteString("</md:IDPSSODescriptor></md:EntityDescriptor>")
	return w.String()
}

package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// words are those that Go, or authentik, does not write with one capital.
var words = map[string]string{
	"aaguid": "AAGUID", "acl": "ACL", "acs": "ACS", "ak": "AK", "api": "API", "asn": "ASN", "asns": "ASNs", "aws": "AWS", "bcc": "BCC", "bsd": "BSD",
	"ca": "CA", "cc": "CC", "cn": "CN", "cpu": "CPU", "css": "CSS", "dcr": "DCR", "dn": "DN", "dns": "DNS", "dsa": "DSA", "dsn": "DSN", "ec": "EC", "ecdsa": "ECDSA",
	"eta": "ETA", "fips": "FIPS", "fsb": "FSB", "gdpr": "GDPR", "gdtc": "GDTC", "geoip": "GeoIP", "gid": "GID", "gt": "GT", "gte": "GTE",
	"hibp": "HIBP", "html": "HTML", "http": "HTTP", "icontains": "IContains", "ia": "IA", "id": "ID", "idp": "IDP", "iexact": "IExact",
	"ios": "IOS", "ip": "IP", "ise": "ISE", "iso3166": "ISO3166", "isnull": "IsNull", "js": "JS", "json": "JSON", "jwks": "JWKS", "jwt": "JWT",
	"kp": "KP", "krb5": "KRB5", "ldap": "LDAP", "lt": "LT", "lte": "LTE", "mdm": "MDM", "mfa": "MFA", "mtls": "MTLS", "nss": "NSS",
	"oauth": "OAuth", "oauth1": "OAuth1", "oauth2": "OAuth2", "oidc": "OIDC", "openssl": "OpenSSL", "os": "OS", "otp": "OTP", "pbm": "PBM", "pbms": "PBMs",
	"pii": "PII", "pk": "PK", "pkce": "PKCE", "pks": "PKs", "propertymappings": "PropertyMappings", "psso": "PSSO",
	"rac": "RAC", "rbac": "RBAC", "rdp": "RDP", "rsa": "RSA", "saml": "SAML", "scim": "SCIM", "sha1": "SHA1", "sha256": "SHA256", "sha384": "SHA384", "sha512": "SHA512", "sid": "SID", "slo": "SLO", "sls": "SLS",
	"sms": "SMS", "sni": "SNI", "sp": "SP", "spnego": "SPNEGO", "ssf": "SSF", "ssh": "SSH", "ssl": "SSL", "sso": "SSO",
	"tls": "TLS", "totp": "TOTP", "ttl": "TTL", "ui": "UI", "uid": "UID", "upn": "UPN", "uri": "URI", "uris": "URIs",
	"url": "URL", "urls": "URLs", "uuid": "UUID", "uuids": "UUIDs", "vnc": "VNC", "webauthn": "WebAuthn", "wsfed": "WSFed",
	"xml": "XML", "yaml": "YAML", "certificatekeypairs": "CertificateKeyPairs", "policybindingmodel": "PolicyBindingModel", "promptstage": "PromptStage",
}

// readNames reads names.txt: the first Go name of each schema, which it keeps if
// authentik calls the schema something else.
func readNames(text string) map[string]string {
	names := map[string]string{}
	for line := range strings.Lines(text) {
		schema, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		names[schema] = name
	}
	return names
}

// writeNames is the inverse of readNames.
func writeNames(names map[string]string) []byte {
	var b strings.Builder
	for _, schema := range slices.Sorted(maps.Keys(names)) {
		b.WriteString(schema + " " + names[schema] + "\n")
	}
	return []byte(b.String())
}

var notWord = regexp.MustCompile(`[^A-Za-z0-9]+`)

// camel makes a Go name of what has its words apart: set_password, oauth2-dcr.
func camel(name string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(notWord.ReplaceAllString(name, " "), " ") {
		if word == "" {
			continue
		}
		if known, ok := words[strings.ToLower(word)]; ok {
			b.WriteString(known)
			continue
		}
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// fileName is that of the resource at path. Go takes some endings for a build
// constraint or a test.
func fileName(path string) (string, error) {
	name := strings.ReplaceAll(strings.Trim(path, "/"), "-", "_")
	name = strings.ReplaceAll(name, "/", "_")
	last := name[strings.LastIndexByte(name, '_')+1:]
	if last == "test" || platforms[last] {
		return "", fmt.Errorf("%s.go would not be compiled on every platform: decide on another name in fileName", name)
	}
	return name + ".go", nil
}

// platforms are the operating systems and architectures that Go knows.
var platforms = func() map[string]bool {
	known := map[string]bool{}
	for name := range strings.FieldsSeq(`aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9
		solaris wasip1 windows zos unix 386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le mips64p32
		mips64p32le ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm`) {
		known[name] = true
	}
	return known
}()

// plural is what several of a noun are called; after a bar the noun says so itself.
func plural(noun string) (one, many string) {
	one, many, own := strings.Cut(noun, "|")
	switch {
	case own:
		return one, many
	case strings.HasSuffix(one, "y") && !strings.HasSuffix(one, "ey") && !strings.HasSuffix(one, "ay"):
		return one, strings.TrimSuffix(one, "y") + "ies"
	case strings.HasSuffix(one, "s"), strings.HasSuffix(one, "x"), strings.HasSuffix(one, "ch"):
		return one, one + "es"
	}
	return one, one + "s"
}

// constantName names the value of an enum: by what follows the last hash or
// slash of a URL, the last colon of a URN.
func constantName(value string) string {
	switch {
	case strings.Contains(value, "://"):
		value = value[strings.LastIndexAny(value, "#/")+1:]
	case strings.HasPrefix(value, "urn:"):
		value = value[strings.LastIndexByte(value, ':')+1:]
	}
	name := camel(value)
	if name == strings.ToUpper(name) && strings.ContainsFunc(value, unicode.IsLetter) && len(name) > 4 { // REVIEWED, which is no word of initials
		name = camel(strings.ToLower(value))
	}
	return name
}

var operationInText = regexp.MustCompile(`\b(GET|POST|PUT|PATCH|DELETE) /`)

// comment wraps text at 80 columns as lines of a comment.
func comment(text string) string {
	var b strings.Builder
	for i, paragraph := range strings.Split(text, "\n\n") {
		if i > 0 {
			b.WriteString("//\n")
		}
		line := "//"
		paragraph = operationInText.ReplaceAllString(paragraph, "$1\x00/") // on one line
		for word := range strings.FieldsSeq(paragraph) {
			if len([]rune(line))+1+len([]rune(word)) > 80 && line != "//" {
				b.WriteString(line + "\n")
				line = "//"
			}
			line += " " + word
		}
		b.WriteString(line + "\n")
	}
	return strings.ReplaceAll(b.String(), "\x00", " ")
}

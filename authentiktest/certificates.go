package authentiktest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"net/http"
	"strconv"
	"time"
)

// generateCertificate makes a certificate that signs itself.
func generateCertificate(s *Server, _ *call, _ *object, body map[string]any) reply {
	l := s.list("crypto/certificatekeypairs/")
	name := canonical(body["common_name"])
	if l.taken["name"][name] != nil {
		if !s.atLeast("2024.2") {
			return failure
		}
		return reply{http.StatusBadRequest, map[string]any{"common_name": []string{"This field must be unique."}}}
	}
	days, _ := strconv.Atoi(canonical(body["validity_days"])) // it is an integer
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return reply{http.StatusInternalServerError, nil}
	}
	members, err := selfSigned(name, days, key)
	if err != nil {
		return reply{http.StatusInternalServerError, nil}
	}
	s.fillMissing(l, "CertificateKeyPair", members)
	o := s.newObject(l, members)
	s.put(o)
	s.updated(o)
	return reply{http.StatusOK, s.shown(o, l, "CertificateKeyPair", nil)}
}

// selfSigned is a certificate of the key, with both in PEM.
func selfSigned(name string, days int, key *rsa.PrivateKey) (map[string]any, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject: pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{ // in authentik's order
			{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: name},
			{Type: asn1.ObjectIdentifier{2, 5, 4, 10}, Value: "authentik"},
			{Type: asn1.ObjectIdentifier{2, 5, 4, 11}, Value: "Self-signed"},
		}},
		NotBefore: time.Now(), NotAfter: time.Now().AddDate(0, 0, days),
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"name":             name,
		"certificate_data": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})),
		"key_data":         string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
	}, nil
}

// view answers with a member that the object itself does not show.
func view(member string) action {
	return func(_ *Server, _ *call, o *object, _ map[string]any) reply {
		return reply{http.StatusOK, map[string]any{"data": canonical(o.members[member])}}
	}
}

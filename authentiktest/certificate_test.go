package authentiktest

// testCertificate is of nobody.
const testCertificate = `-----BEGIN CERTIFICATE-----
MIIBAgYJKoZIhvcNAQcC
-----END CERTIFICATE-----
`

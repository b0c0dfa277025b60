package flow

import (
	"encoding/base32"
	"strings"
	"testing"
	"time"
)

// TestTOTPCode has the test vectors of RFC 6238, appendix B, for SHA1.
func TestTOTPCode(t *testing.T) {
	t.Parallel()
	secret := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte("12345678901234567890"))
	for at, want := range map[int64]string{
		59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130",
	} {
		for digits, url := range map[int]string{
			8: "otpauth://totp/authentik%3Aanna?secret=" + secret + "&algorithm=SHA1&digits=8&period=30&issuer=authentik",
			6: "otpauth://totp/anna?secret=" + strings.ToLower(secret) + "==",
		} {
			code, err := TOTPCode(url, time.Unix(at, 0))
			if err != nil || code != want[8-digits:] {
				t.Errorf("at %d: %q, %v, not %q", at, code, err, want[8-digits:])
			}
		}
	}
	for _, url := range []string{
		"", "%", "https://totp/?secret=" + secret, "otpauth://hotp/anna?secret=" + secret, "otpauth://totp/anna", "otpauth://totp/anna?secret=s3cr8t!",
		"otpauth://totp/anna?algorithm=SHA256&secret=" + secret, "otpauth://totp/anna?digits=1&secret=" + secret, "otpauth://totp/anna?period=0&secret=" + secret,
	} {
		if code, err := TOTPCode(url, time.Now()); err == nil || strings.Contains(err.Error(), "s3cr8t") {
			t.Errorf("%s: %q, %v", url, code, err)
		}
	}
}

package flow

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // RFC 6238 has it, and so do authentik's devices
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// TOTPCode computes the code of a TOTP device at the given time (RFC 6238), from the
// ConfigURL of the challenge that sets it up: otpauth://totp/…?secret=…. authentik takes
// each code once: the one that set the device up is no good for a login in the same
// 30 seconds.
func TOTPCode(configURL string, at time.Time) (string, error) {
	u, err := url.Parse(configURL)
	if err != nil || u.Scheme != "otpauth" || u.Host != "totp" {
		return "", errors.New("authentik: it is no TOTP URL") // the cause may quote it
	}
	query := u.Query()
	number := func(name string, otherwise int) int {
		if n, err := strconv.Atoi(query.Get(name)); err == nil {
			return n
		}
		return otherwise
	}
	digits, period := number("digits", 6), number("period", 30)
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimRight(strings.ToUpper(query.Get("secret")), "="))
	switch algorithm := query.Get("algorithm"); {
	case err != nil || len(secret) == 0:
		return "", errors.New("authentik: the TOTP URL has no secret in base32")
	case algorithm != "" && algorithm != "SHA1":
		return "", fmt.Errorf("authentik: the TOTP algorithm is %.20q, not SHA1", algorithm)
	case digits < 6 || digits > 9 || period < 1:
		return "", fmt.Errorf("authentik: codes of %d digits for %d seconds are not TOTP", digits, period)
	}
	mac := hmac.New(sha1.New, secret)
	_ = binary.Write(mac, binary.BigEndian, at.Unix()/int64(period)) // a hash takes all
	sum := mac.Sum(nil)
	truncated := binary.BigEndian.Uint32(sum[sum[len(sum)-1]&15:]) & (1<<31 - 1)
	code := fmt.Sprintf("%010d", truncated)
	return code[len(code)-digits:], nil
}

package transport

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	attemptTimeout = 30 * time.Second
	maxRedirects   = 10
)

// newHTTPClient returns the client that makes the attempts: a copy of the given
// one, or one with a transport of its own.
func newHTTPClient(cfg Config) (*http.Client, error) {
	var hc http.Client
	transport, isTransport := http.DefaultTransport.(*http.Transport)
	ownTLS := cfg.TLSConfig != nil || cfg.Insecure
	switch {
	case cfg.HTTPClient != nil:
		hc = *cfg.HTTPClient
	case !isTransport && ownTLS:
		return nil, errors.New("http.DefaultTransport was replaced; set TLS up in the transport of WithHTTPClient")
	case isTransport:
		transport = transport.Clone()
		transport.MaxIdleConnsPerHost = transport.MaxIdleConns // there is one host only
		if cfg.TLSConfig != nil {
			transport.TLSClientConfig = cfg.TLSConfig
		}
		if cfg.Insecure {
			if transport.TLSClientConfig == nil {
				transport.TLSClientConfig = &tls.Config{}
			}
			transport.TLSClientConfig.InsecureSkipVerify = true
		}
		hc.Transport = transport
	}
	if hc.Transport == nil {
		hc.Transport = http.DefaultTransport
	}
	// go-retryablehttp closes the idle connections of a client that gives up,
	// which others may share: they are out of its reach behind this struct.
	hc.Transport = struct{ http.RoundTripper }{hc.Transport}
	if hc.Timeout == 0 {
		hc.Timeout = attemptTimeout
	}
	next := hc.CheckRedirect
	hc.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if err := checkRedirect(via[len(via)-1].URL, req.URL); err != nil {
			return err
		}
		// net/http takes a host of another case for another host.
		req.Header["Authorization"] = via[0].Header["Authorization"]
		if next != nil {
			err := next(req, via)
			if err == nil || errors.Is(err, http.ErrUseLastResponse) {
				return err
			}
			return fmt.Errorf("%w: %w", errRedirect, err)
		}
		if len(via) >= maxRedirects {
			return fmt.Errorf("%w: %d before it", errRedirect, len(via))
		}
		return nil
	}
	return &hc, nil
}

var errRedirect = errors.New("redirect refused")

// checkRedirect lets a redirect stay on the host, or go from http to https on
// the host of that name: the token goes with it.
func checkRedirect(from, to *url.URL) error {
	sameName := strings.EqualFold(from.Hostname(), to.Hostname())
	upgrade := from.Scheme == "http" && to.Scheme == "https"
	if sameName && (upgrade || from.Scheme == to.Scheme && port(from) == port(to)) {
		return nil
	}
	return fmt.Errorf("%w: %s://%s to %s://%s", errRedirect, from.Scheme, from.Host, to.Scheme, to.Host)
}

func port(u *url.URL) string {
	if u.Port() == "" {
		return map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Port()
}

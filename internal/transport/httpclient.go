package transport

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode"
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
	case isTransport && !ownTLS:
		hc.Transport = sharedTransport(transport)
	case isTransport:
		transport = forOneHost(transport)
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
	timeout := cmp.Or(hc.Timeout, attemptTimeout)
	hc.Transport = &attemptTransport{base: hc.Transport, timeout: timeout, late: attemptTimeoutError{timeout}}
	hc.Timeout = 0
	next := hc.CheckRedirect
	hc.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if attempts := attemptsOf(req.Context()); attempts != nil && attempts.request.Stay {
			return http.ErrUseLastResponse
		}
		if err := checkRedirect(via[len(via)-1].URL, req.URL); err != nil {
			return err
		}
		if method := via[0].Method; req.Method != method {
			return fmt.Errorf("%w: %d would make a %s of the %s; use the base URL that leads to %s://%s%s",
				errRedirect, req.Response.StatusCode, req.Method, method, req.URL.Scheme, req.URL.Host, req.URL.EscapedPath())
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
			return fmt.Errorf("%w: it comes after %d others", errRedirect, len(via))
		}
		return nil
	}
	return &hc, nil
}

var shared struct {
	sync.Mutex
	of, transport *http.Transport
}

// sharedTransport returns the one transport of all clients without a TLS
// configuration of their own: a copy of the default one, made once.
func sharedTransport(of *http.Transport) *http.Transport {
	shared.Lock()
	defer shared.Unlock()
	if shared.of != of {
		shared.of, shared.transport = of, forOneHost(of)
	}
	return shared.transport
}

func forOneHost(of *http.Transport) *http.Transport {
	transport := of.Clone()
	transport.MaxIdleConnsPerHost = transport.MaxIdleConns
	return transport
}

var errRedirect = errors.New("redirect refused")

// checkRedirect lets a redirect stay on the host, or go from http to https on
// the host of that name: the token goes with it. A name that is not ASCII has to be
// the same to the letter, as only DNS knows which of its spellings are one host.
func checkRedirect(from, to *url.URL) error {
	isASCII := strings.IndexFunc(from.Hostname()+to.Hostname(), func(r rune) bool { return r > unicode.MaxASCII }) < 0
	sameName := from.Hostname() == to.Hostname() || isASCII && strings.EqualFold(from.Hostname(), to.Hostname())
	upgrade := from.Scheme == "http" && to.Scheme == "https"
	if sameName && (upgrade || from.Scheme == to.Scheme && port(from) == port(to)) {
		return nil
	}
	return fmt.Errorf("%w: %s://%s to %[4]s://%[5]s; if authentik is there, the base URL to use begins so", errRedirect, from.Scheme, from.Host, to.Scheme, to.Host)
}

func port(u *url.URL) string {
	if u.Port() == "" {
		return map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Port()
}

package authentik_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/jarcoal/httpmock"
)

const healthURL = "https://authentik.example.com/sso/-/health/ready/"

// waitReady runs WaitReady in a bubble, and returns how long it took.
func waitReady(ctx context.Context, t *testing.T, health, config httpmock.Responder) (time.Duration, error) {
	t.Helper()
	mock := httpmock.NewMockTransport()
	withoutToken := func(responder httpmock.Responder) httpmock.Responder {
		return func(r *http.Request) (*http.Response, error) {
			if r.Header.Get("Authorization") != "" {
				t.Errorf("the token goes to %s", r.URL)
			}
			if r.Header.Get("X-Proxy") != "let me in" {
				t.Errorf("a header is missing for %s", r.URL)
			}
			return responder(r)
		}
	}
	mock.RegisterResponder(http.MethodGet, healthURL, withoutToken(health))
	mock.RegisterResponder(http.MethodGet, "https://authentik.example.com/sso/api/v3/root/config/", withoutToken(config))
	client, err := authentik.NewClient(baseURL, apiToken,
		authentik.WithHTTPClient(&http.Client{Transport: mock}), authentik.WithHeader("X-Proxy", "let me in"),
		authentik.WithLogger(slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	err = client.WaitReady(ctx)
	return time.Since(start), err
}

var (
	readyByID     = answer(http.StatusOK, http.Header{"X-Authentik-Id": {"0123"}, "Content-Type": {"text/html; charset=utf-8"}}, "")
	readyByProxy  = answer(http.StatusNoContent, http.Header{"X-Powered-By": {"authentik"}}, "")
	readySomebody = answer(http.StatusOK, http.Header{"Content-Type": {"text/html"}}, "<html>welcome")
	noEndpoint    = answer(http.StatusNotFound, nil, "<html>")
)

func TestWaitReady(t *testing.T) {
	t.Parallel()
	for name, notYet := range map[string]httpmock.Responder{
		"refused":           httpmock.NewErrorResponder(&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}),
		"unknown host":      httpmock.NewErrorResponder(&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "x", IsNotFound: true}}),
		"cut":               httpmock.NewErrorResponder(io.EOF),
		"HTML":              readySomebody,
		"404":               noEndpoint,
		"502":               answer(502, nil, ""),
		"503":               answer(503, http.Header{"Retry-After": {"5"}, "X-Powered-By": {"authentik"}}, `{"error":"authentik starting"}`),
		"the 200 that lies": answer(200, http.Header{"Content-Type": {"application/json"}}, `{"error":"authentik starting"}`),
		"another host":      answer(302, http.Header{"Location": {"https://login.example.com/"}}, ""),
	} {
		for ready, responder := range map[string]httpmock.Responder{"an id": readyByID, "a proxy's header": readyByProxy} {
			t.Run(name+", then "+ready, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					elapsed, err := waitReady(t.Context(), t, notYet.Then(notYet).Then(responder), noEndpoint)
					if err != nil || elapsed != 2*time.Second {
						t.Errorf("error %v after %v", err, elapsed)
					}
				})
			})
		}
	}
	for name, tt := range map[string]struct {
		config httpmock.Responder
		ready  bool
	}{
		"without headers": {answer(http.StatusOK, nil, `{"capabilities":[],"cache_timeout":300}`), true},
		"starting":        {answer(http.StatusOK, nil, `{"error":"authentik starting"}`), false},
		"HTML":            {readySomebody, false},
		"no endpoint":     {noEndpoint, false},
	} {
		t.Run("config/"+name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				if _, err := waitReady(ctx, t, readySomebody, tt.config); (err == nil) != tt.ready {
					t.Errorf("error %v", err)
				}
			})
		})
	}
}

func TestWaitReadyEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("the job has an hour")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Second+1, cause)
		defer cancel()
		elapsed, err := waitReady(ctx, t, answer(503, nil, `{"error":"authentik starting"}`), noEndpoint)
		if elapsed != 10*time.Second+1 {
			t.Errorf("it took %v", elapsed)
		}
		for _, want := range []error{context.DeadlineExceeded, os.ErrDeadlineExceeded, cause, authentik.ErrServer} {
			if !errors.Is(err, want) {
				t.Errorf("error %v is not %v", err, want)
			}
		}
		for _, want := range []string{"GET /sso/-/health/ready/", "11 attempts", "the job has an hour", "503 Service Unavailable: authentik starting"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v does not say %q", err, want)
			}
		}
	})
	// The attempt that the context ends tells nothing new.
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		hang := func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() }
		_, err := waitReady(ctx, t, answer(502, nil, "").Then(hang), noEndpoint)
		if !errors.Is(err, authentik.ErrServer) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v does not have what was last seen", err)
		}
	})
	client, _ := mockClient(t)
	if err := client.WaitReady(nil); err == nil || !strings.Contains(err.Error(), "context is nil") { //nolint:staticcheck // it is told
		t.Errorf("error %v for a nil context", err)
	}
}

func TestWaitReadyAtACertificate(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused by a function")
	for name, tlsConfig := range map[string]*tls.Config{
		"unknown authority": {},
		"a function":        {InsecureSkipVerify: true, VerifyConnection: func(tls.ConnectionState) error { return refused }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(http.NotFoundHandler())
			server.Config.ErrorLog = discardLog
			server.StartTLS()
			t.Cleanup(server.Close)
			client, err := authentik.NewClient(server.URL, apiToken, authentik.WithTLSConfig(tlsConfig))
			if err != nil {
				t.Fatal(err)
			}
			_, isCertificate := errors.AsType[*tls.CertificateVerificationError](client.WaitReady(t.Context()))
			if name == "unknown authority" && !isCertificate {
				t.Error("the certificate is not refused")
			}
		})
	}
}

// TestWaitReadyThroughAProxy has a proxy that does not connect while the server starts,
// and one that wants a password.
func TestWaitReadyThroughAProxy(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Authentik-Id", "0123") }))
	t.Cleanup(server.Close)
	for status, ready := range map[int]bool{http.StatusBadGateway: true, http.StatusProxyAuthRequired: false} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if asked.Add(1) == 1 {
					w.WriteHeader(status)
					return
				}
				client, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer client.Close()
				tunnel, err := new(net.Dialer).DialContext(r.Context(), "tcp", server.Listener.Addr().String())
				if err != nil {
					t.Error(err)
					return
				}
				defer tunnel.Close()
				_, _ = io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n")
				go func() { _, _ = io.Copy(client, tunnel) }()
				_, _ = io.Copy(tunnel, client)
			}))
			t.Cleanup(proxy.Close)
			address, err := url.Parse(proxy.URL)
			if err != nil {
				t.Fatal(err)
			}
			transport := server.Client().Transport.(*http.Transport).Clone()
			transport.Proxy = http.ProxyURL(address)
			t.Cleanup(transport.CloseIdleConnections)
			client, err := authentik.NewClient(server.URL, apiToken, authentik.WithHTTPClient(&http.Client{Transport: transport}))
			if err != nil {
				t.Fatal(err)
			}
			err = client.WaitReady(t.Context())
			if ready && (err != nil || asked.Load() != 2) || !ready && asked.Load() != 1 {
				t.Errorf("error %v; the proxy was asked %d times", err, asked.Load())
			}
			if !ready && (err == nil || !strings.Contains(err.Error(), "the proxy did not connect: 407 Proxy Authentication Required")) {
				t.Errorf("error %v does not say that it was the proxy", err)
			}
		})
	}
}

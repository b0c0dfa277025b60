package conformance_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authentik-go/authentik"
)

// secret is in every token, header, query value and password that the tests of
// secrets use, and in what a server answers.
const secret = "s3cr3t"

// shownBy is what can be seen of an error, of all that it wraps too.
func shownBy(err error) []string {
	if err == nil {
		return nil
	}
	asJSON, _ := json.Marshal(err)
	shown := []string{fmt.Sprintf("%v %+v %#v %s %q", err, err, err, err, err), string(asJSON)}
	switch wrapper := err.(type) { //nolint:errorlint // each is looked at
	case interface{ Unwrap() error }:
		shown = append(shown, shownBy(wrapper.Unwrap())...)
	case interface{ Unwrap() []error }:
		for _, err := range wrapper.Unwrap() {
			shown = append(shown, shownBy(err)...)
		}
	}
	return shown
}

func checkShown(t *testing.T, shown []string) {
	t.Helper()
	for _, text := range shown {
		if i := strings.Index(text, secret); i >= 0 {
			t.Errorf("shows a secret: %q", text[max(0, i-200):min(len(text), i+50)])
		}
	}
}

// syncBuffer is a buffer that many goroutines write to.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// secretCalls are the operations, each with a query.
var secretCalls = map[string]func(context.Context, *authentik.Client) error{
	"Get": func(ctx context.Context, c *authentik.Client) error {
		_, err := authentik.Get[struct{}](ctx, c, "x/", url.Values{"name": {secret}})
		return err
	},
	"List": func(ctx context.Context, c *authentik.Client) error {
		_, err := c.StagesPassword.List(ctx, &authentik.StagesPasswordListOptions{Name: secret})
		return err
	},
	"All": func(ctx context.Context, c *authentik.Client) error {
		return lastError(c.StagesPassword.All(ctx, &authentik.StagesPasswordListOptions{Name: secret}))
	},
	"All, 8 ahead": func(ctx context.Context, c *authentik.Client) error {
		return lastError(c.StagesPassword.All(ctx, &authentik.StagesPasswordListOptions{
			Name: secret, ListOptions: authentik.ListOptions{Prefetch: 8},
		}))
	},
}

// TestPanicsShowNoSecret has what the caller gave panic, on the second page of a
// walk as well, where with Prefetch it runs in another goroutine: the caller can
// recover all the same.
func TestPanicsShowNoSecret(t *testing.T) {
	t.Parallel()
	for name, call := range secretCalls {
		for _, culprit := range []string{"token source", "transport", "log handler", "body"} {
			t.Run(culprit+"/"+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					requests := 0
					var mu sync.Mutex
					due := func(who string) {
						mu.Lock()
						defer mu.Unlock()
						if who == culprit && (requests > 1 || !strings.HasPrefix(name, "All")) {
							panic("the " + culprit + " is broken")
						}
					}
					transport := roundTripper(func(r *http.Request) (*http.Response, error) {
						due("transport")
						response, err := answer(http.StatusOK, nil, pageOf(authentik.Pagination{Next: 2, Count: 2, TotalPages: 2}, 1))(r)
						response.Body = io.NopCloser(panickingReader{response.Body, func() { due("body") }})
						return response, err
					})
					client, err := authentik.NewClient(baseURL, "",
						authentik.WithHTTPClient(&http.Client{Transport: transport}),
						authentik.WithHeader("X-Access", secret),
						authentik.WithLogger(slog.New(panickingHandler{slog.DiscardHandler, func() { due("log handler") }})),
						authentik.WithTokenSource(func(context.Context) (string, error) {
							mu.Lock()
							requests++
							mu.Unlock()
							due("token source")
							return secret, nil
						}))
					if err != nil {
						t.Fatal(err)
					}
					var shown []string
					func() {
						defer func() {
							shown = append(shown, fmt.Sprintf("%v %+v %#v", recover(), t, client), string(debug.Stack()))
						}()
						err = call(t.Context(), client)
					}()
					if !strings.Contains(shown[0], "the "+culprit+" is broken") {
						t.Errorf("recovered %.100q and error %v, want the panic", shown[0], err)
					}
					checkShown(t, shown)
					// net/http forgets to stop the timer of an attempt that panics.
					<-time.After(time.Minute)
				})
			})
		}
	}
}

type panickingReader struct {
	io.Reader
	panic func()
}

func (r panickingReader) Read(p []byte) (int, error) {
	r.panic()
	return r.Reader.Read(p)
}

type panickingHandler struct {
	slog.Handler
	panic func()
}

func (panickingHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h panickingHandler) Handle(context.Context, slog.Record) error {
	h.panic()
	return nil
}

// proxy records what a client sends it: the requests, and the bytes behind a
// CONNECT.
type proxy struct {
	refusal int    // the answer to CONNECT, 0 if it connects
	target  string // address to connect to, whatever is asked for

	mu       sync.Mutex
	requests []*http.Request
	tunneled syncBuffer
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.requests = append(p.requests, r)
	p.mu.Unlock()
	switch {
	case r.Method != http.MethodConnect: // answered in the place of the target
		w.WriteHeader(http.StatusNotFound)
	case p.refusal != 0:
		w.WriteHeader(p.refusal)
		fmt.Fprintf(w, "no connection with %v", r.Header)
	default:
		target, err := new(net.Dialer).DialContext(r.Context(), "tcp", p.target)
		if err != nil {
			panic(err)
		}
		defer target.Close()
		conn, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
		var running sync.WaitGroup
		running.Go(func() {
			_, _ = io.Copy(conn, target)
			_ = conn.Close()
		})
		_, _ = io.Copy(io.MultiWriter(target, &p.tunneled), buffered)
		_ = target.Close()
		running.Wait()
	}
}

func TestProxySeesNoSecret(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, base string
		refusal    int
		closed     bool // nothing listens at the proxy's address
		want       func(error) bool
	}{
		{name: "http", base: "http://example.com", want: func(err error) bool { return errors.Is(err, authentik.ErrNoEndpoint) }},
		{name: "https", base: "https://example.com", want: func(err error) bool { return errors.Is(err, authentik.ErrNoEndpoint) }},
		{name: "https refused", base: "https://example.com", refusal: http.StatusProxyAuthRequired, want: requestError.is},
		{name: "https, bad gateway", base: "https://example.com", refusal: http.StatusBadGateway, want: requestError.is},
		{name: "no proxy there", base: "https://example.com", closed: true, want: requestError.is},
		{name: "a certificate refused behind it", base: "https://authentik.test", want: requestErrorWith[x509.HostnameError]().is},
	} {
		for name, call := range secretCalls {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				target := httptest.NewUnstartedServer(http.NotFoundHandler())
				target.Config.ErrorLog = discardLog
				target.StartTLS()
				t.Cleanup(target.Close)
				p := &proxy{refusal: tt.refusal, target: target.Listener.Addr().String()}
				server := httptest.NewServer(p)
				t.Cleanup(server.Close)
				roots := x509.NewCertPool()
				roots.AddCert(target.Certificate())
				proxyURL, err := url.Parse(server.URL)
				if err != nil {
					t.Fatal(err)
				}
				if tt.closed {
					proxyURL.Host = nowhere
				}
				proxyURL.User = url.UserPassword("user", secret+"-password")
				transport := &http.Transport{Proxy: http.ProxyURL(proxyURL), TLSClientConfig: &tls.Config{RootCAs: roots}}
				t.Cleanup(transport.CloseIdleConnections)
				var logged syncBuffer
				client, err := authentik.NewClient(tt.base, secret+"-token",
					authentik.WithHTTPClient(&http.Client{Transport: transport}), authentik.WithRetries(1, 0, 0),
					authentik.WithHeader("X-Access", secret+"-header"),
					authentik.WithLogger(slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))))
				if err != nil {
					t.Fatal(err)
				}
				err = call(t.Context(), client)
				if !tt.want(err) {
					t.Errorf("error %v", err)
				}
				shown := append(shownBy(err), logged.String(), p.tunneled.String())
				p.mu.Lock()
				defer p.mu.Unlock()
				if (len(p.requests) == 0) != tt.closed {
					t.Errorf("%d requests came to the proxy", len(p.requests))
				}
				for _, r := range p.requests {
					if r.Method != http.MethodConnect { // the proxy has to hand all of it on
						if tt.base != "http://example.com" || r.Header.Get("Authorization") != "Bearer "+secret+"-token" {
							t.Errorf("%s %s with %v", r.Method, r.URL, r.Header)
						}
						continue
					}
					if r.Header.Get("Proxy-Authorization") == "" {
						t.Error("no password came to the proxy")
					}
					r.Header.Del("Proxy-Authorization") // which is its own
					shown = append(shown, fmt.Sprint(r.Method, r.URL, r.RequestURI, r.Host, r.Header))
				}
				checkShown(t, shown)
			})
		}
	}
}

// TestHeaderInjection tries characters that end a header, or that a server could
// take for such.
func TestHeaderInjection(t *testing.T) {
	t.Parallel()
	call := func(client *authentik.Client, err error, path string) error {
		if err != nil {
			return err
		}
		_, err = authentik.Get[struct{}](context.Background(), client, path, nil)
		return err
	}
	ways := map[string]func(base string, text string, hc authentik.Option) error{
		"value": func(base, text string, hc authentik.Option) error {
			client, err := authentik.NewClient(base, apiToken, hc, authentik.WithHeader("X-Access", text))
			return call(client, err, "x/")
		},
		"name": func(base, text string, hc authentik.Option) error {
			client, err := authentik.NewClient(base, apiToken, hc, authentik.WithHeader("X-"+text, "x"))
			return call(client, err, "x/")
		},
		"product": func(base, text string, hc authentik.Option) error {
			client, err := authentik.NewClient(base, apiToken, hc, authentik.WithUserAgent(text))
			return call(client, err, "x/")
		},
		"token": func(base, text string, hc authentik.Option) error {
			client, err := authentik.NewClient(base, text, hc)
			return call(client, err, "x/")
		},
		"token source": func(base, text string, hc authentik.Option) error {
			client, err := authentik.NewClient(base, "", hc, authentik.WithTokenSource(func(context.Context) (string, error) { return text, nil }))
			return call(client, err, "x/")
		},
		"path": func(base, text string, hc authentik.Option) error {
			client, err := authentik.NewClient(base, apiToken, hc)
			return call(client, err, "x"+text+"/")
		},
		"base URL": func(base, text string, hc authentik.Option) error {
			client, err := authentik.NewClient(base+"/"+text+"/", apiToken, hc)
			return call(client, err, "x/")
		},
		"host": func(base, text string, hc authentik.Option) error {
			client, err := authentik.NewClient(base+text, apiToken, hc)
			return call(client, err, "x/")
		},
	}
	for way, try := range ways {
		for _, bad := range []string{"\r\n", "\n", "\r", "\x00", "\x0b", "\x1b", "\x7f", "\u0085", "\u2028", "\r\n\r\nGET / HTTP/1.1\r\n\r\n"} {
			if way == "host" && bad[0] > '~' {
				continue // net/http encodes an international name
			}
			t.Run(fmt.Sprintf("%s/%q", way, bad), func(t *testing.T) {
				t.Parallel()
				var sent []string
				hc := authentik.WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
					sent = append(sent, fmt.Sprint(r.URL, r.Header))
					return answer(http.StatusOK, nil, `{}`)(r)
				})})
				for _, text := range []string{"a" + bad + "X-Injected: " + secret, bad + secret, "a" + bad} {
					err := try("https://example.com", text, hc)
					if err == nil {
						t.Errorf("%q is taken", text)
						continue
					}
					checkErrorText(t, err)
					if way == "value" || way == "token" || way == "token source" { // what may be secret
						checkShown(t, shownBy(err))
					}
				}
				if len(sent) > 0 {
					t.Errorf("sent %q", sent)
				}
			})
		}
	}
}

// TestQueryInjection has all such characters in a filter: they are one value of
// one parameter, of which the server refuses the NUL.
func TestQueryInjection(t *testing.T) {
	t.Parallel()
	server, client := fakeClient(t)
	const text = "a\r\nX-Injected: b\x00&page=7#?%zz\u2028ä+ "
	_, err := client.StagesPassword.List(t.Context(), &authentik.StagesPasswordListOptions{Name: text})
	if invalid, ok := errors.AsType[*authentik.ValidationError](err); !ok || len(invalid.Fields["name"]) != 1 {
		t.Fatalf("error %v, want that of the NUL", err)
	}
	request := server.Requests()[0]
	if len(request.Query) != 1 || request.Query.Get("name") != text || request.Header.Get("X-Injected") != "" {
		t.Errorf("the query was %q", request.Query)
	}
}

package authentik_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jarcoal/httpmock"
)

func TestNewClientBaseURL(t *testing.T) {
	t.Parallel()
	for baseURL, want := range map[string]string{
		"https://host":                 "https://host/api/v3/",
		"https://host/":                "https://host/api/v3/",
		"https://host//":               "https://host/api/v3/",
		"HTTPS://host/api/v3":          "https://host/api/v3/",
		"https://host/api/v3/":         "https://host/api/v3/",
		"http://host:9000":             "http://host:9000/api/v3/",
		"https://[::1]:9443/":          "https://[::1]:9443/api/v3/",
		"https://host/sso":             "https://host/sso/api/v3/",
		"https://host/sso/":            "https://host/sso/api/v3/",
		"https://host/a/b/api/v3/":     "https://host/a/b/api/v3/",
		"https://host/myapi/v3":        "https://host/myapi/v3/api/v3/",
		"https://host/mit%20leerraum/": "https://host/mit%20leerraum/api/v3/",
		"https://host/ä":               "https://host/%C3%A4/api/v3/",
		"https://host/%c3%a4/":         "https://host/%C3%A4/api/v3/",
		"https://host/@me":             "https://host/@me/api/v3/",
		"https://[::1]/@me":            "https://[::1]/@me/api/v3/",
		"https://host/if/":             "https://host/if/api/v3/",
	} {
		t.Run(baseURL, func(t *testing.T) {
			t.Parallel()
			mock := httpmock.NewMockTransport()
			client, err := authentik.NewClient(baseURL, apiToken, authentik.WithHTTPClient(&http.Client{Transport: mock}))
			if err != nil {
				t.Fatal(err)
			}
			var got string
			mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
				got = r.URL.String()
				return httpmock.NewStringResponse(http.StatusOK, `{}`), nil
			})
			if _, err := authentik.Get[struct{}](t.Context(), client, "admin/version/", nil); err != nil {
				t.Fatal(err)
			}
			if got != want+"admin/version/" {
				t.Errorf("asked %s, want %s", got, want+"admin/version/")
			}
		})
	}
}

func TestNewClientRefuses(t *testing.T) {
	t.Parallel()
	const url = "https://host"
	option := func(option authentik.Option) []authentik.Option { return []authentik.Option{option} }
	for _, tt := range []struct {
		name, url, token string
		opts             []authentik.Option
		want             string
	}{
		{"userinfo", "https://admin:hunter2@host", apiToken, nil, "userinfo"},
		{"a password that breaks parsing", "https://admin:hunter2/x@host", apiToken, nil, "userinfo"},
		{"a password that looks like a port", "https://admin:123/hunter2@host", apiToken, nil, "userinfo"},
		{"a page of the web interface", "https://host/sso/if/admin/", apiToken, nil, "/if/admin/ is a page"},
		{"a path below the API", "https://host/sso/api/v3/core/users/", apiToken, nil, `after /api/v3/ with "core/users/"`},
		{"no scheme", "authentik.company", apiToken, nil, "https://host"},
		{"host and port alone", "localhost:9443", apiToken, nil, "https://host"},
		{"another scheme", "ftp://host", apiToken, nil, `"ftp"`},
		{"no host", "https://", apiToken, nil, "no host"},
		{"port alone", "https://:443", apiToken, nil, "no host"},
		{"empty", "", apiToken, nil, "https://host"},
		{"port 0", "https://host:0", apiToken, nil, "0 is not a port"},
		{"port above all", "https://host:65536", apiToken, nil, "65536 is not a port"},
		{"empty fragment", "https://host/#", apiToken, nil, "fragment"},
		{"bad port", "https://host:99999", apiToken, nil, "99999 is not a port"},
		{"query", "https://host/?next=/", apiToken, nil, "query"},
		{"empty query", "https://host?", apiToken, nil, "query"},
		{"fragment", "https://host/#/flows", apiToken, nil, "fragment"},
		{"unparsable", "https://ho st", apiToken, nil, "invalid character"},
		{"dots", "https://host/a/../b", apiToken, nil, `".."`},
		{"double slash", "https://host/a//b", apiToken, nil, "empty segment"},
		{"escaped slash", "https://host/a%2Fb", apiToken, nil, "escaped slash"},

		{"no token", url, "", nil, "token is empty"},
		{"space in the token", url, "a b", nil, "space"},
		{"newline in the token", url, "hunter2\nx", nil, "control character"},
		{"token of a file", url, "hunter2\n", nil, "ends in a newline"},
		{"token of a file of Windows", url, "hunter2\r\n", nil, "ends in a newline"},
		{"DEL in the token", url, "hunter2\x7f", nil, "control character"},
		{"token not ASCII", url, "hunter2é", nil, "ASCII"},
		{"bad token beside a source", url, "hunter2\n", option(authentik.WithTokenSource(
			func(context.Context) (string, error) { return apiToken, nil },
		)), "control character"},

		{"nil client", url, apiToken, option(authentik.WithHTTPClient(nil)), "WithHTTPClient"},
		{"nil TLS", url, apiToken, option(authentik.WithTLSConfig(nil)), "WithTLSConfig"},
		{"nil source", url, apiToken, option(authentik.WithTokenSource(nil)), "WithTokenSource"},
		{"nil logger", url, apiToken, option(authentik.WithLogger(nil)), "WithLogger"},
		{"client and TLS", url, apiToken, []authentik.Option{
			authentik.WithTLSConfig(&tls.Config{}), authentik.WithHTTPClient(&http.Client{}),
		}, "WithTLSConfig"},
		{"empty product", url, apiToken, option(authentik.WithUserAgent(" ")), "WithUserAgent"},
		{"newline in the product", url, apiToken, option(authentik.WithUserAgent("a\r\nX: y")), "WithUserAgent"},
		{"a secret in a bad port's query", "https://host:port/?token=hunter2", apiToken, nil, "invalid port"},
		{"no header name", url, apiToken, option(authentik.WithHeader("", "x")), "WithHeader"},
		{"space in a header name", url, apiToken, option(authentik.WithHeader("X Y", "x")), "WithHeader"},
		{"idempotency key", url, apiToken, option(authentik.WithHeader("idempotency-key", "x")), "Idempotency-Key"},
		{"another idempotency key", url, apiToken, option(authentik.WithHeader("X-Idempotency-Key", "x")), "X-Idempotency-Key"},
		{"delimiter in a header name", url, apiToken, option(authentik.WithHeader("X(Y)", "x")), "WithHeader"},
		{"header value not ASCII", url, apiToken, option(authentik.WithHeader("X-Y", "ä")), "WithHeader"},
		{"bad header name", url, apiToken, option(authentik.WithHeader("X: y", "x")), "WithHeader"},
		{"header injection", url, apiToken, option(authentik.WithHeader("X-Y", "hunter2\r\nX-Z: 1")), "WithHeader"},
		{"negative retries", url, apiToken, option(authentik.WithRetries(-1, 0, 0)), "WithRetries"},
		{"negative wait", url, apiToken, option(authentik.WithRetries(1, -1, 0)), "WithRetries"},
		{"waits swapped", url, apiToken, option(authentik.WithRetries(1, 2, 1)), "WithRetries"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client, err := authentik.NewClient(tt.url, tt.token, tt.opts...)
			if err == nil || client != nil {
				t.Fatalf("got %v, %v; want an error", client, err)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %q does not say %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q shows a secret or has two lines", err)
			}
		})
	}
}

func TestHeadersOfTheSDKAreRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"Authorization", "Accept", "Accept-Encoding", "User-Agent", "Host", "Connection",
		"Content-Length", "Transfer-Encoding", "Trailer", "TE", "Upgrade",
	} {
		for _, key := range []string{name, strings.ToLower(name), strings.ToUpper(name)} {
			client, err := authentik.NewClient(baseURL, apiToken, authentik.WithHeader(key, "x"))
			if client != nil || err == nil || !strings.Contains(err.Error(), "set by the SDK") {
				t.Errorf("%s: got %v, %v; want an error", key, client, err)
			}
		}
	}
}

func TestNewClientFromEnv(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		fmt.Fprintf(w, `{"authorization": %q}`, r.Header.Get("Authorization"))
	}))
	server.Config.ErrorLog = discardLog
	server.StartTLS()
	t.Cleanup(server.Close)
	trusting := func() *tls.Config {
		pool := x509.NewCertPool()
		pool.AddCert(server.Certificate())
		return &tls.Config{RootCAs: pool}
	}
	for _, tt := range []struct {
		name    string
		env     map[string]string
		opts    []authentik.Option
		wantErr string
	}{
		{name: "nothing set", wantErr: "AUTHENTIK_URL"},
		{name: "no token", env: map[string]string{"AUTHENTIK_URL": server.URL}, wantErr: "AUTHENTIK_TOKEN is not set"},
		{
			name: "url before host", opts: []authentik.Option{authentik.WithTLSConfig(trusting())},
			env: map[string]string{"AUTHENTIK_URL": server.URL, "AUTHENTIK_HOST": "https://elsewhere.invalid", "AUTHENTIK_TOKEN": apiToken},
		},
		{
			name: "host", opts: []authentik.Option{authentik.WithTLSConfig(trusting())},
			env: map[string]string{"AUTHENTIK_HOST": server.URL, "AUTHENTIK_TOKEN": apiToken},
		},
		{
			name: "insecure",
			env:  map[string]string{"AUTHENTIK_URL": server.URL, "AUTHENTIK_TOKEN": apiToken, "AUTHENTIK_INSECURE": "true"},
		},
		{
			name: "insecure with TLS", opts: []authentik.Option{authentik.WithTLSConfig(&tls.Config{MinVersion: tls.VersionTLS13})},
			env: map[string]string{"AUTHENTIK_URL": server.URL, "AUTHENTIK_TOKEN": apiToken, "AUTHENTIK_INSECURE": "1"},
		},
		{
			name: "secure", wantErr: "certificate",
			env: map[string]string{"AUTHENTIK_URL": server.URL, "AUTHENTIK_TOKEN": apiToken, "AUTHENTIK_INSECURE": "false"},
		},
		{
			name: "insecure with a client", opts: []authentik.Option{authentik.WithHTTPClient(&http.Client{})}, wantErr: "AUTHENTIK_INSECURE",
			env: map[string]string{"AUTHENTIK_URL": server.URL, "AUTHENTIK_TOKEN": apiToken, "AUTHENTIK_INSECURE": "true"},
		},
		{
			name: "insecure misspelt", wantErr: `AUTHENTIK_INSECURE is "ja"`,
			env: map[string]string{"AUTHENTIK_URL": server.URL, "AUTHENTIK_TOKEN": apiToken, "AUTHENTIK_INSECURE": "ja"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client, err := authentik.NewClientFrom(func(key string) string { return tt.env[key] }, tt.opts...)
			var got *struct{ Authorization string }
			if err == nil {
				got, err = authentik.Get[struct{ Authorization string }](t.Context(), client, "x/", nil)
			}
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Fatalf("error %v, want one with %q", err, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.Authorization != "Bearer "+apiToken {
				t.Errorf("Authorization was %q", got.Authorization)
			}
		})
	}
}

// TestNewClientFromEnvReadsTheEnvironment is not parallel: it sets what all share.
func TestNewClientFromEnvReadsTheEnvironment(t *testing.T) {
	t.Setenv("AUTHENTIK_URL", baseURL)
	t.Setenv("AUTHENTIK_TOKEN", apiToken)
	t.Setenv("AUTHENTIK_INSECURE", "")
	mock := httpmock.NewMockTransport()
	mock.RegisterResponder(http.MethodGet, baseURL+"/api/v3/x/", func(r *http.Request) (*http.Response, error) {
		if got := r.Header.Get("Authorization"); got != "Bearer "+apiToken {
			t.Errorf("Authorization was %q", got)
		}
		return answer(http.StatusOK, nil, `{}`)(r)
	})
	client, err := authentik.NewClientFromEnv(authentik.WithHTTPClient(&http.Client{Transport: mock}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := authentik.Get[struct{}](t.Context(), client, "x/", nil); err != nil {
		t.Error(err)
	}
}

func TestNewClientFromEnvKeepsTheOptions(t *testing.T) {
	t.Parallel()
	opts := make([]authentik.Option, 0, 1) // with room that is the caller's
	env := map[string]string{"AUTHENTIK_URL": baseURL, "AUTHENTIK_TOKEN": apiToken, "AUTHENTIK_INSECURE": "true"}
	if _, err := authentik.NewClientFrom(func(key string) string { return env[key] }, opts...); err != nil {
		t.Fatal(err)
	}
	if opts[:1][0] != nil {
		t.Error("an option was written into the given slice")
	}
}

func TestRequestHeaders(t *testing.T) {
	t.Parallel()
	client, mock := mockClient(t,
		authentik.WithUserAgent("my-operator/1.2"),
		authentik.WithHeader("CF-Access-Client-Id", "id"),
		authentik.WithHeader("Accept-Language", "de"),
		authentik.WithHeader("x-group", "one\ttab"),
		authentik.WithHeader("X-Group", "two"))
	var got *http.Request
	mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
		got = r
		return httpmock.NewStringResponse(http.StatusOK, `{}`), nil
	})
	if _, err := authentik.Get[struct{}](t.Context(), client, "x/", nil); err != nil {
		t.Fatal(err)
	}
	want := http.Header{
		"Accept":              {"application/json"},
		"Accept-Language":     {"de"},
		"Authorization":       {"Bearer " + apiToken},
		"Cf-Access-Client-Id": {"id"},
		"User-Agent":          {"my-operator/1.2 authentik-go/" + authentik.Version},
		"X-Group":             {"one\ttab", "two"},
	}
	if diff := cmp.Diff(want, got.Header); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	if got.Method != http.MethodGet || got.Body != nil && got.Body != http.NoBody {
		t.Errorf("request was %s with body %v", got.Method, got.Body)
	}
}

func TestDefaultUserAgent(t *testing.T) {
	t.Parallel()
	client, mock := mockClient(t)
	mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
		if got := r.Header.Get("User-Agent"); got != "authentik-go/"+authentik.Version {
			t.Errorf("User-Agent %q", got)
		}
		return httpmock.NewStringResponse(http.StatusOK, `{}`), nil
	})
	if _, err := authentik.Get[struct{}](t.Context(), client, "x/", nil); err != nil {
		t.Fatal(err)
	}
}

func TestHTTPClientIsNotChanged(t *testing.T) {
	t.Parallel()
	mock := httpmock.NewMockTransport()
	mock.RegisterNoResponder(answer(http.StatusOK, nil, `{}`))
	given := &http.Client{Transport: mock}
	client, err := authentik.NewClient(baseURL, apiToken, authentik.WithHTTPClient(given))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := authentik.Get[struct{}](t.Context(), client, "x/", nil); err != nil {
		t.Fatal(err)
	}
	if given.Transport != http.RoundTripper(mock) || given.CheckRedirect != nil || given.Timeout != 0 || given.Jar != nil {
		t.Errorf("the client was changed: %+v", given)
	}
}

func TestJarOfTheHTTPClientIsUsed(t *testing.T) {
	t.Parallel()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		got = append(got, r.Header.Get("Cookie"))
		return answer(http.StatusOK, http.Header{"Set-Cookie": {"proxy=x"}}, `{}`)(r)
	})
	client, err := authentik.NewClient(baseURL, apiToken, authentik.WithHTTPClient(&http.Client{Transport: transport, Jar: jar}))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := authentik.Get[struct{}](t.Context(), client, "x/", nil); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"", "proxy=x"}, got); diff != "" {
		t.Errorf("cookies (-want +got):\n%s", diff)
	}
}

// countingTransport counts what go-retryablehttp does to a client that gives up.
type countingTransport struct {
	http.RoundTripper
	closed atomic.Int32
}

func (c *countingTransport) CloseIdleConnections() { c.closed.Add(1) }

func TestIdleConnectionsOfOthersStayOpen(t *testing.T) {
	t.Parallel()
	mock := httpmock.NewMockTransport()
	mock.RegisterNoResponder(answer(http.StatusServiceUnavailable, nil, ``))
	transport := &countingTransport{RoundTripper: mock}
	client, err := authentik.NewClient(baseURL, apiToken,
		authentik.WithHTTPClient(&http.Client{Transport: transport}), authentik.WithRetries(1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.StagesPassword.List(t.Context(), nil); !errors.Is(err, authentik.ErrServer) {
		t.Fatalf("error %v, want ErrServer", err)
	}
	if n := transport.closed.Load(); n != 0 {
		t.Errorf("CloseIdleConnections was called %d times", n)
	}
}

func TestTokenSource(t *testing.T) {
	t.Parallel()
	var asked int
	source := func(context.Context) (string, error) {
		asked++
		return fmt.Sprintf("token-%d", asked), nil
	}
	client, mock := mockClient(t, authentik.WithTokenSource(source), authentik.WithRetries(1, 0, 0))
	var headers []http.Header // read at the end, since no retry may change them
	mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
		headers = append(headers, r.Header)
		return httpmock.NewStringResponse(http.StatusBadGateway, ""), nil
	})
	for range 2 {
		if _, err := client.StagesSource.List(t.Context(), nil); !errors.Is(err, authentik.ErrServer) {
			t.Fatal(err)
		}
	}
	var got []string
	for _, header := range headers {
		got = append(got, header.Get("Authorization"))
	}
	if diff := cmp.Diff([]string{"Bearer token-1", "Bearer token-2", "Bearer token-3", "Bearer token-4"}, got); diff != "" {
		t.Errorf("one token for each attempt (-want +got):\n%s", diff)
	}
}

func TestTokenSourceFails(t *testing.T) {
	t.Parallel()
	errSource := errors.New("vault is sealed")
	for _, tt := range []struct {
		name   string
		source func(calls int) (string, error)
		want   error
		text   string
	}{
		{"at once", func(int) (string, error) { return "", errSource }, errSource, "the token source failed: vault is sealed"},
		{"over HTTP", func(int) (string, error) {
			return "", fmt.Errorf("%w: %w", errSource, &url.Error{Op: "Post", URL: "https://vault.internal/login", Err: errors.New("refused")})
		}, errSource, `vault is sealed: Post "https://vault.internal/login": refused`},
		{"in a retry", func(calls int) (string, error) {
			if calls > 1 {
				return "", errSource
			}
			return apiToken, nil
		}, errSource, "vault is sealed"},
		{"empty token", func(int) (string, error) { return "", nil }, nil, "the token is empty"},
		{"bad token", func(int) (string, error) { return "hunter2\n", nil }, nil, "control character"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			client, mock := mockClient(t, authentik.WithRetries(3, 0, 0),
				authentik.WithTokenSource(func(context.Context) (string, error) {
					calls++
					return tt.source(calls)
				}))
			mock.RegisterNoResponder(answer(http.StatusServiceUnavailable, nil, ""))
			_, err := client.StagesPassword.Retrieve(t.Context(), pk)
			if err == nil || !strings.Contains(err.Error(), tt.text) || strings.Contains(err.Error(), "hunter2") {
				t.Fatalf("error %v, want one with %q", err, tt.text)
			}
			if !strings.HasPrefix(err.Error(), "authentik: GET "+apiPath+"stages/password/"+pk.String()+"/: ") {
				t.Errorf("error %q does not begin with the request", err)
			}
			if tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("error %v does not wrap the source's", err)
			}
			if n := mock.GetTotalCallCount(); n > 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

func TestBadInputSendsNoRequest(t *testing.T) {
	t.Parallel()
	client, mock := mockClient(t)
	mock.RegisterNoResponder(answer(http.StatusOK, nil, `{}`))
	get := func(path string, opts any) error {
		_, err := authentik.Get[struct{}](t.Context(), client, path, opts)
		return err
	}
	list := func(opts any) error {
		_, err := authentik.List[struct{}](t.Context(), client, "x/", opts)
		return err
	}
	first := func(opts any) error {
		_, err := authentik.Collect(authentik.Pages[struct{}](t.Context(), client, "x/", opts))
		return err
	}
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"empty path", get("", nil), "empty segment"},
		{"slash", get("/", nil), "empty segment"},
		{"dots", get("core/../users/", nil), `".."`},
		{"dot", get("./users/", nil), `"."`},
		{"an id left empty", get("core/users//", nil), "empty segment"},
		{"query", get("core/users/?password=hunter2", nil), "opts"},
		{"fragment", get("core/users/#hunter2", nil), "opts"},
		{"escaped dots", get("core/%2e%2e/users/", nil), "%"},
		{"backslash", get(`core\users/`, nil), "backslash"},
		{"bidirectional override", get("core/\u202eusers/", nil), "cannot be printed"},
		{"tab", get("core/a\tb/", nil), "cannot be printed"},
		{"newline", get("core/users\r\nX: y/", nil), "cannot be printed"},
		{"the API's path", get("/api/v3/core/users/", nil), "below /api/v3/ already"},
		{"a URL", get("https://host/api/v3/core/users/", nil), "empty segment"},
		{"opts of no struct", get("core/users/", 5), "options of type int"},
		{"negative page", list(authentik.ListOptions{Page: -1}), "page is negative"},
		{"negative page size", list(&authentik.ListOptions{PageSize: -1}), "page_size is negative"},
		{"negative prefetch", list(&authentik.ListOptions{Prefetch: -1}), "Prefetch is negative"},
		{"negative page in values", list(url.Values{"page": {"-3"}}), "page is negative"},
		{"opts of no struct, of a walk", first(5), "options of type int"},
		{"opts that are a map, of a walk", first(map[string]string{"a": "b"}), "options of type map[string]string"},
		{"negative page of a walk", first(authentik.ListOptions{Page: -1}), "page is negative"},
		{"walk from the last page", first(url.Values{"page": {"last"}}), "page must be a number"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.err == nil || !strings.Contains(tt.err.Error(), tt.want) {
				t.Fatalf("error %v, want one with %q", tt.err, tt.want)
			}
			if !strings.HasPrefix(tt.err.Error(), "authentik: ") || strings.Contains(tt.err.Error(), "hunter2") {
				t.Errorf("error %q", tt.err)
			}
		})
	}
	for _, r := range resources {
		var nilContext context.Context
		for name, err := range map[string]error{
			"list":     r.listNil(nilContext, client),
			"pages":    lastError(r.pages(nilContext, client, authentik.ListOptions{})),
			"all":      lastError(r.all(nilContext, client, authentik.ListOptions{})),
			"retrieve": second(r.retrieve(nilContext, client, pk)),
		} {
			if err == nil || !strings.Contains(err.Error(), "context is nil") {
				t.Errorf("%s %s without a context: error %v", name, r.name, err)
			}
		}
		if _, err := r.retrieve(t.Context(), client, uuid.Nil); err == nil || !strings.Contains(err.Error(), "uuid.Nil") {
			t.Errorf("retrieve %s uuid.Nil: error %v", r.name, err)
		}
	}
	if n := mock.GetTotalCallCount(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

func second[T any](_ T, err error) error { return err }

func TestPathsEndInASlash(t *testing.T) {
	t.Parallel()
	client, mock := mockClient(t)
	var got []string
	mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
		got = append(got, r.URL.EscapedPath())
		return httpmock.NewStringResponse(http.StatusOK, `{}`), nil
	})
	for _, path := range []string{"core/users", "/core/users", "/core/users/", "core/applications/a b/"} {
		if _, err := authentik.Get[struct{}](t.Context(), client, path, nil); err != nil {
			t.Error(err)
		}
	}
	want := []string{
		apiPath + "core/users/", apiPath + "core/users/", apiPath + "core/users/", apiPath + "core/applications/a%20b/",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	var arrived atomic.Int32
	target := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		arrived.Add(1)
		_, _ = w.Write([]byte(`{"pk": "` + pk.String() + `"}`))
	})
	elsewhere := httptest.NewServer(target)
	defer elsewhere.Close()
	elsewhereTLS := httptest.NewTLSServer(target)
	defer elsewhereTLS.Close()

	mux := http.NewServeMux()
	var location atomic.Value
	mux.HandleFunc("/api/v3/", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, location.Load().(string), http.StatusFound)
	})
	mux.HandleFunc("/moved/", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer "+apiToken {
			_, _ = w.Write([]byte(`{"pk": "` + pk.String() + `"}`))
		}
	})
	plain, secure := httptest.NewServer(mux), httptest.NewTLSServer(mux)
	defer plain.Close()
	defer secure.Close()
	host := func(server *httptest.Server) string { return server.Listener.Addr().String() }
	port := func(server *httptest.Server) string { return server.URL[strings.LastIndex(server.URL, ":"):] }

	for _, tt := range []struct {
		name     string
		from     *httptest.Server
		location string
		refused  []string // what the error names; nil if the redirect is followed
	}{
		{"same host", plain, plain.URL + "/moved/", nil},
		{"relative", plain, "/moved/", nil},
		{"http to https of the same name", plain, elsewhereTLS.URL + "/moved/", nil},
		{"another port", plain, elsewhere.URL + "/moved/", []string{host(plain), host(elsewhere)}},
		{"another host", plain, "http://localhost" + port(plain) + "/moved/", []string{host(plain), "localhost"}},
		{"a subdomain", plain, "http://sub.127.0.0.1.nip.invalid/moved/", []string{host(plain), "nip.invalid"}},
		{"https to http", secure, "http://" + host(secure) + "/moved/", []string{"https://" + host(secure), "http://" + host(secure)}},
		{"https to another port", secure, elsewhereTLS.URL, []string{host(secure), host(elsewhereTLS)}},
		{"a loop", plain, plain.URL + "/api/v3/again/", []string{"10"}},
		{"no scheme that http knows", plain, "ftp://" + host(plain) + "/", []string{"ftp://"}},
	} {
		// One after another: they share the server's location.
		location.Store(tt.location)
		arrivedBefore := arrived.Load()
		hc := tt.from.Client()
		if tt.from == plain {
			hc = elsewhereTLS.Client() // for the one that goes there
		}
		client, err := authentik.NewClient(tt.from.URL, apiToken, authentik.WithHTTPClient(hc))
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.StagesPassword.Retrieve(t.Context(), pk)
		if tt.refused == nil {
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		var urlError *url.Error
		if !errors.As(err, &urlError) || strings.Contains(err.Error(), "attempts") {
			t.Errorf("%s: error %v, want a url.Error after one attempt", tt.name, err)
			continue
		}
		for _, want := range append(tt.refused, "redirect refused") {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %q does not name %s", tt.name, err, want)
			}
		}
		if n := arrived.Load() - arrivedBefore; n != 0 {
			t.Errorf("%s: %d requests arrived at the other host", tt.name, n)
		}
	}
}

// TestRedirectRules has the cases for which there would have to be servers on
// the standard ports. The mock is asked for each location in turn.
func TestRedirectRules(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		base      string
		locations []string
		refused   string
	}{
		{"https://host", []string{"https://host:443/x/"}, ""},
		{"https://host:443", []string{"https://HOST/x/"}, ""},
		{"http://host", []string{"http://host:80/x/"}, ""},
		{"http://host", []string{"https://host/x/"}, ""},
		{"http://host:9000", []string{"https://host:9443/x/"}, ""},
		{"https://host", []string{"https://host:444/x/"}, "https://host to https://host:444"},
		{"http://host", []string{"https://host/x/", "http://host/y/"}, "https://host to http://host"},
		{"http://host", []string{"https://other/x/"}, "http://host to https://other"},
		{"https://host", []string{"https://host.evil.example/x/"}, "https://host to https://host.evil.example"},
		{"https://host", []string{"//other/x/"}, "https://host to https://other"},
		{"https://host", []string{"https://bad:port/?name=s3cr3t"}, "failed to parse Location header"},
	} {
		t.Run(tt.base+strings.Join(tt.locations, " "), func(t *testing.T) {
			t.Parallel()
			var authorizations []string
			transport := roundTripper(func(r *http.Request) (*http.Response, error) {
				authorizations = append(authorizations, r.Header.Get("Authorization"))
				if n := len(authorizations); n <= len(tt.locations) {
					return answer(http.StatusFound, http.Header{"Location": {tt.locations[n-1]}}, "")(r)
				}
				return answer(http.StatusOK, nil, `{}`)(r)
			})
			client, err := authentik.NewClient(tt.base, apiToken, authentik.WithHTTPClient(&http.Client{Transport: transport}))
			if err != nil {
				t.Fatal(err)
			}
			_, err = authentik.Get[struct{}](t.Context(), client, "x/", nil)
			want := len(tt.locations) + 1
			if tt.refused != "" {
				want--
				if err == nil || !strings.Contains(err.Error(), tt.refused) || strings.Contains(err.Error(), "s3cr3t") {
					t.Errorf("error %v, want one with %s", err, tt.refused)
				}
			} else if err != nil {
				t.Error(err)
			}
			if len(authorizations) != want {
				t.Errorf("%d requests, want %d", len(authorizations), want)
			}
			for _, authorization := range authorizations {
				if authorization != "Bearer "+apiToken {
					t.Errorf("Authorization %q", authorization)
				}
			}
		})
	}
}

func TestOwnCheckRedirect(t *testing.T) {
	t.Parallel()
	errOwn := errors.New("no redirects here")
	for name, own := range map[string]error{"refused": errOwn, "last response": http.ErrUseLastResponse, "another host": nil, "allowed": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			location, requests := "/elsewhere/", 1
			switch name {
			case "another host":
				location = "https://other.example.com/"
			case "allowed":
				requests = 2
			}
			mock := httpmock.NewMockTransport()
			mock.RegisterNoResponder(answer(http.StatusFound, http.Header{"Location": {location}}, "").Then(answer(http.StatusOK, nil, emptyPage)))
			client, err := authentik.NewClient(baseURL, apiToken, authentik.WithHTTPClient(&http.Client{
				Transport:     mock,
				CheckRedirect: func(*http.Request, []*http.Request) error { return own },
			}))
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.StagesPassword.List(t.Context(), nil)
			var apiError *authentik.APIError
			switch {
			case name == "refused" && !errors.Is(err, errOwn):
				t.Errorf("error %v, want the function's own", err)
			case name == "last response" && (!errors.As(err, &apiError) || apiError.StatusCode != http.StatusFound):
				t.Errorf("error %v, want an APIError with 302", err)
			case name == "another host" && (err == nil || !strings.Contains(err.Error(), "redirect refused")):
				t.Errorf("error %v, want a refusal all the same", err)
			case name == "allowed" && err != nil:
				t.Error(err)
			}
			if n := mock.GetTotalCallCount(); n != requests {
				t.Errorf("%d requests, want %d", n, requests)
			}
		})
	}
}

func TestTokenIsNeverShown(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	client, mock := mockClient(t,
		authentik.WithHeader("X-Access", "s3cr3t-h34d3r"),
		authentik.WithRetries(1, 0, 0),
		authentik.WithLogger(slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	var shown []string
	for _, v := range []any{client, *client, client.StagesPassword, *client.StagesPassword, struct{ C *authentik.Client }{client}} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		shown = append(shown, fmt.Sprintf("%v %+v %#v %s %q", v, v, v, v, v), string(b))
	}
	for _, responder := range []httpmock.Responder{
		answer(http.StatusBadRequest, nil, `{"name":["no"]}`),
		answer(http.StatusForbidden, nil, `{"detail":"Token invalid/expired"}`),
		answer(http.StatusNotFound, nil, `<html>`),
		answer(http.StatusBadGateway, nil, `bad gateway`),
		answer(http.StatusOK, nil, `<html>`),
		answer(http.StatusFound, http.Header{"Location": {"https://elsewhere.example.com/"}}, ``),
		httpmock.NewErrorResponder(errors.New("connection reset")),
	} {
		mock.RegisterNoResponder(responder)
		_, err := client.StagesPassword.List(t.Context(), &authentik.StagesPasswordListOptions{Name: "s3cr3t-qu3ry"})
		if err == nil {
			t.Fatal("no error")
		}
		for ; err != nil; err = errors.Unwrap(err) {
			shown = append(shown, fmt.Sprintf("%v %+v %#v %s %q", err, err, err, err, err))
		}
	}
	if logged.Len() == 0 {
		t.Error("nothing was logged")
	}
	for _, text := range append(shown, logged.String()) {
		if strings.Contains(text, "s3cr3t") {
			t.Errorf("shows a secret: %s", text)
		}
	}
}

func TestLogger(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	client, mock := mockClient(t, authentik.WithRetries(2, time.Nanosecond, time.Nanosecond),
		authentik.WithLogger(slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{
			Level: slog.LevelDebug,
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == "wait" {
					return slog.String(a.Key, a.Value.String())
				}
				return a
			},
		}))))
	mock.RegisterNoResponder(
		httpmock.NewErrorResponder(errors.New("connection reset by ?search=x")).
			Then(answer(http.StatusServiceUnavailable, nil, "")).
			Then(answer(http.StatusOK, http.Header{"X-Authentik-Id": {"0123abcd"}}, `{}`)))
	if _, err := authentik.Get[struct{}](t.Context(), client, "core/users/", url.Values{"search": {"x"}}); err != nil {
		t.Fatal(err)
	}
	type line struct {
		Level     string `json:"level"`
		Msg       string `json:"msg"`
		Method    string `json:"method"`
		Path      string `json:"path"`
		Status    int    `json:"status"`
		Attempt   int    `json:"attempt"`
		RequestID string `json:"request_id"`
		Error     string `json:"error"`
		Wait      string `json:"wait"`
	}
	var got []line
	for text := range strings.Lines(logged.String()) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		var keys map[string]any
		if err := json.Unmarshal([]byte(text), &keys); err != nil {
			t.Fatal(err)
		}
		delete(keys, "error")
		delete(keys, "wait")
		if _, has := keys["duration"]; !has || len(keys) != 10 { // the eight, duration, and slog's time
			t.Errorf("logged %s", text)
		}
		got = append(got, l)
	}
	const path = apiPath + "core/users/"
	want := []line{
		{"DEBUG", "authentik request", "GET", path, 0, 1, "", "connection reset by ", "1ns"},
		{"DEBUG", "authentik request", "GET", path, 503, 2, "", "", "1ns"},
		{"DEBUG", "authentik request", "GET", path, 200, 3, "0123abcd", "", ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

func TestTLSConfigAndDefaultTransportAreNotChanged(t *testing.T) {
	t.Parallel()
	given := &tls.Config{MinVersion: tls.VersionTLS13}
	env := map[string]string{"AUTHENTIK_URL": "https://host", "AUTHENTIK_TOKEN": apiToken, "AUTHENTIK_INSECURE": "true"}
	for _, opts := range [][]authentik.Option{nil, {authentik.WithTLSConfig(given)}} {
		if _, err := authentik.NewClientFrom(func(key string) string { return env[key] }, opts...); err != nil {
			t.Fatal(err)
		}
	}
	if given.InsecureSkipVerify {
		t.Error("the given configuration was changed")
	}
	if shared := http.DefaultTransport.(*http.Transport).TLSClientConfig; shared != nil && shared.InsecureSkipVerify {
		t.Error("http.DefaultTransport was changed")
	}
}

// TestReplacedDefaultTransport is alone in its process, since it changes what
// all share.
func TestReplacedDefaultTransport(t *testing.T) {
	t.Parallel()
	if os.Getenv("AUTHENTIK_TEST_REPLACED") == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestReplacedDefaultTransport$")
		cmd.Env = append(os.Environ(), "AUTHENTIK_TEST_REPLACED=1")
		if output, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, output)
		}
		return
	}
	http.DefaultTransport = roundTripper(answer(http.StatusOK, nil, `{}`))
	client, err := authentik.NewClient("https://host", apiToken)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := authentik.Get[struct{}](t.Context(), client, "x/", nil); err != nil {
		t.Error(err)
	}
	if _, err := authentik.NewClient("https://host", apiToken, authentik.WithTLSConfig(&tls.Config{})); err == nil {
		t.Error("a TLS configuration that is not used is no error")
	}
}

// TestProxyOfTheEnvironment is alone in its process, since net/http reads the
// environment once.
func TestProxyOfTheEnvironment(t *testing.T) {
	t.Parallel()
	const marker = "AUTHENTIK_TEST_PROXY"
	if os.Getenv(marker) != "" {
		client, err := authentik.NewClient("https://authentik.example.com", apiToken, authentik.WithRetries(0, 0, 0))
		if err != nil {
			t.Fatal(err)
		}
		defer client.CloseIdleConnections()
		_, err = client.CoreUsers.List(t.Context(), nil)
		if err == nil || !strings.Contains(err.Error(), "the proxy did not connect: 407") {
			t.Error(err)
		}
		return
	}
	var asked atomic.Pointer[string]
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(new(r.Method + " " + r.Host))
		w.WriteHeader(http.StatusProxyAuthRequired)
	}))
	defer proxy.Close()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), marker+"=1", "HTTPS_PROXY="+proxy.URL, "https_proxy=", "NO_PROXY=", "no_proxy=")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
	if got := asked.Load(); got == nil || *got != "CONNECT authentik.example.com:443" {
		t.Errorf("the proxy was asked %v", got)
	}
}

func TestDefaultTransport(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		_, _ = w.Write([]byte(`{}`))
	}))
	defer server.Close()
	for _, opts := range [][]authentik.Option{nil, {authentik.WithHTTPClient(&http.Client{})}} {
		client, err := authentik.NewClient(server.URL, apiToken, opts...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := authentik.Get[struct{}](t.Context(), client, "x/", nil); err != nil {
			t.Error(err)
		}
	}
}

func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	const atOnce = 4 // more than net/http keeps idle by default
	var opened atomic.Int32
	var awaited sync.WaitGroup
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		awaited.Done()
		awaited.Wait() // until the others are there, each on a connection of its own
		_, _ = w.Write([]byte(`{}`))
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	client, err := authentik.NewClient(server.URL, apiToken)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		awaited.Add(atOnce)
		var running sync.WaitGroup
		for range atOnce {
			running.Go(func() {
				if _, err := authentik.Get[struct{}](t.Context(), client, "x/", nil); err != nil {
					t.Error(err)
				}
			})
		}
		running.Wait()
	}
	// A few more than atOnce, since net/http gives a connection up where it does
	// not see soon enough that the request was written.
	if n := opened.Load(); n > 2*atOnce {
		t.Errorf("%d connections for 10 times %d requests", n, atOnce)
	}
}

func TestInsecureKeepsTheTLSConfig(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{MaxVersion: tls.VersionTLS12}
	server.Config.ErrorLog = discardLog
	server.StartTLS()
	defer server.Close()
	env := map[string]string{"AUTHENTIK_URL": server.URL, "AUTHENTIK_TOKEN": apiToken, "AUTHENTIK_INSECURE": "true"}
	client, err := authentik.NewClientFrom(func(key string) string { return env[key] },
		authentik.WithTLSConfig(&tls.Config{MinVersion: tls.VersionTLS13}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := authentik.Get[struct{}](t.Context(), client, "x/", nil); err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("error %v, want one about the version of TLS", err)
	}
}

func TestObjectPath(t *testing.T) {
	t.Parallel()
	for want, id := range map[string]any{
		"core/users/5/set_password/":                                    5,
		"core/users/765ed48b-9283-4461-987d-de42dba24533/set_password/": pk,
		"core/users/a-slug_1/set_password/":                             "a-slug_1",
		"core/users/a:b.c@d é/set_password/":                            "a:b.c@d é",
		"core/users/.../set_password/":                                  "...",
	} {
		if got, err := authentik.ObjectPath("core/users/", id, "set_password/"); err != nil || got != want {
			t.Errorf("%v: %q, error %v, want %q", id, got, err, want)
		}
	}
	for want, id := range map[string]any{
		"the id is 0":               0,
		"the id is -1":              -1,
		"the id is uuid.Nil":        uuid.Nil,
		"the id is empty":           "",
		`the id "a/b" has a slash`:  "a/b",
		`the id "/" has a slash`:    "/",
		`the id "." has the`:        ".",
		`the id ".." has the`:       "..",
		`the id "%2e" has a`:        "%2e",
		`the id "a?b" has a`:        "a?b",
		`the id "#" has a`:          "#",
		`the id "a\\b" has a`:       `a\b`,
		`the id "a\n" has a`:        "a\n",
		`the id "a\u202e" has a`:    "a\u202e",
		"the id is of type float64": 1.5,
		"the id is of type <nil>":   nil,
	} {
		if got, err := authentik.ObjectPath("core/users/", id, ""); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v: %q, error %v, want one that begins with %q", id, got, err, want)
		}
	}
}

// TestNothingPanics has what a program may have forgotten to set.
func TestNothingPanics(t *testing.T) {
	t.Parallel()
	if c, err := authentik.NewClient(baseURL, apiToken, nil); c != nil || err == nil || err.Error() != "authentik: an Option is nil" {
		t.Errorf("a nil option: %v, error %v", c, err)
	}
	ctx := t.Context()
	for name, c := range map[string]*authentik.Client{"nil": nil, "zero": {}} {
		c.CloseIdleConnections()
		_, get := authentik.Get[stage](ctx, c, "x/", nil)
		_, opts := authentik.Get[stage](ctx, c, "x/", 5)
		_, list := authentik.List[stage](ctx, c, "x/", nil)
		_, post := authentik.Post[stage](ctx, c, "x/", map[string]int{})
		_, query := authentik.Post[stage](ctx, c, "x/?%", nil)
		for call, err := range map[string]error{
			"Get": get, "Get with wrong options": opts, "List": list, "Post": post, "Post with a wrong query": query,
			"Delete": authentik.Delete(ctx, c, "x/"), "WaitReady": c.WaitReady(ctx),
			"Pages":   lastError(authentik.Pages[stage](ctx, c, "x/", nil)),
			"All":     lastError(authentik.All[stage](ctx, c, "x/", nil)),
			"Confirm": lastError(authentik.All[struct{ Name string }](ctx, c, "x/", authentik.ListOptions{Confirm: true})),
		} {
			if err == nil || err.Error() != "authentik: the client is nil or was not made by NewClient" {
				t.Errorf("%s client, %s: error %v", name, call, err)
			}
		}
	}
	var service authentik.CoreUsersService
	if _, err := service.Retrieve(ctx, 1); err == nil || !strings.Contains(err.Error(), "the client is nil") {
		t.Errorf("a zero service: error %v", err)
	}
	if err := service.Delete(ctx, 0); err == nil || !strings.Contains(err.Error(), "the client is nil") {
		t.Errorf("a zero service, a zero pk: error %v", err)
	}
}

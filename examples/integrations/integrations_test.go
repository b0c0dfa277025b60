// Package integrations_test shows the SDK with what programs have already. The
// README quotes the functions whose names begin with new.
package integrations_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

func fakeServer(t *testing.T) *authentiktest.Server {
	t.Helper()
	server := authentiktest.NewServer()
	t.Cleanup(server.Close)
	server.AddDefaultStages()
	return server
}

func count(t *testing.T, client *authentik.Client) int {
	t.Helper()
	stages, err := authentik.Collect(client.StagesPassword.All(t.Context(), nil))
	if err != nil {
		t.Fatal(err)
	}
	return len(stages)
}

func newTraced(baseURL, token string) (*authentik.Client, error) {
	transport := otelhttp.NewTransport(withoutQuery{http.DefaultTransport}, otelhttp.WithSpanNameFormatter(spanName))
	return authentik.NewClient(baseURL, token, authentik.WithHTTPClient(&http.Client{Transport: transport}))
}

// spanName names spans by the operation: "GET core/users/{id}/".
func spanName(_ string, r *http.Request) string {
	if op, ok := authentik.OperationFrom(r.Context()); ok {
		return op.String()
	}
	return "HTTP " + r.Method
}

// withoutQuery keeps the query, such as ?email=ada%40example.com, out of the span.
type withoutQuery struct{ http.RoundTripper }

func (t withoutQuery) RoundTrip(r *http.Request) (*http.Response, error) {
	u := *r.URL
	u.RawQuery = ""
	trace.SpanFromContext(r.Context()).SetAttributes(attribute.String("url.full", u.String()))
	return t.RoundTripper.RoundTrip(r)
}

//nolint:paralleltest // it sets what is global to OpenTelemetry
func TestOpenTelemetry(t *testing.T) {
	server := fakeServer(t)
	server.Fail(1, authentiktest.Failure{Status: http.StatusBadGateway, Header: http.Header{"Retry-After": {"0"}}})
	exporter := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	t.Cleanup(func() { provider.Shutdown(context.Background()) })
	otel.SetTracerProvider(provider)
	otel.SetTextMapPropagator(propagation.TraceContext{})
	client, err := newTraced(server.URL, server.Token)
	if err != nil {
		t.Fatal(err)
	}
	ctx, parent := otel.Tracer("test").Start(t.Context(), "job")
	if _, err := client.StagesPassword.List(ctx, &authentik.StagesPasswordListOptions{Name: "ada@example.com"}); err != nil {
		t.Fatal(err)
	}
	parent.End()

	spans := exporter.GetSpans()
	if len(spans) != 3 {
		t.Fatalf("%d spans, want one for each of two attempts, and the job's", len(spans))
	}
	for i, status := range []int64{http.StatusBadGateway, http.StatusOK} {
		span := spans[i]
		if span.SpanKind != trace.SpanKindClient || span.Parent.SpanID() != parent.SpanContext().SpanID() {
			t.Errorf("span %d is of kind %v, its parent %v", i, span.SpanKind, span.Parent.SpanID())
		}
		attributes := attribute.NewSet(span.Attributes...)
		if got, _ := attributes.Value("http.response.status_code"); got.AsInt64() != status {
			t.Errorf("span %d has status %d, want %d", i, got.AsInt64(), status)
		}
		if b, err := json.Marshal(span); err != nil || strings.Contains(string(b), server.Token) || strings.Contains(string(b), "example.com") {
			t.Errorf("span %d, with the token or the query: %s, %v", i, b, err)
		}
		if full, _ := attributes.Value("url.full"); full.AsString() != server.URL+"/api/v3/stages/password/" {
			t.Errorf("span %d is of %s", i, full.AsString())
		}
		if span.Name != "GET stages/password/" {
			t.Errorf("span %d is called %s", i, span.Name)
		}
		if got := server.Requests()[i].Header.Get("Traceparent"); !strings.Contains(got, span.SpanContext.SpanID().String()) {
			t.Errorf("request %d has the traceparent %q", i, got)
		}
	}
}

func newCounted(baseURL, token string, registry *prometheus.Registry) (*authentik.Client, error) {
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "authentik_requests_total"}, []string{"operation", "code"})
	if err := registry.Register(requests); err != nil {
		return nil, err
	}
	operation := promhttp.WithLabelFromCtx("operation", func(ctx context.Context) string {
		op, _ := authentik.OperationFrom(ctx)
		return op.String()
	})
	transport := promhttp.InstrumentRoundTripperCounter(requests, http.DefaultTransport, operation)
	return authentik.NewClient(baseURL, token, authentik.WithHTTPClient(&http.Client{Transport: transport}))
}

func TestPrometheus(t *testing.T) {
	t.Parallel()
	server := fakeServer(t)
	server.CoreUsers.Add(authentik.User{Username: "ada"})
	registry := prometheus.NewRegistry()
	client, err := newCounted(server.URL, server.Token, registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, pk := range []int{1, 1, 99} {
		if _, err := client.CoreUsers.Retrieve(t.Context(), pk); err != nil && !errors.Is(err, authentik.ErrNotFound) {
			t.Fatal(err)
		}
	}
	want := `
# HELP authentik_requests_total
# TYPE authentik_requests_total counter
authentik_requests_total{code="200",operation="GET core/users/{id}/"} 2
authentik_requests_total{code="404",operation="GET core/users/{id}/"} 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}

func TestOnAnswer(t *testing.T) {
	t.Parallel()
	server := fakeServer(t)
	server.CoreUsers.Add(authentik.User{Username: "ada"})
	client, err := server.Client()
	if err != nil {
		t.Fatal(err)
	}
	var answer authentik.Answer
	ctx := authentik.OnAnswer(t.Context(), func(a authentik.Answer) { answer = a })
	if _, err := client.CoreUsers.Retrieve(ctx, 1); err != nil {
		t.Fatal(err)
	}
	t.Log(answer.Operation, answer.RequestID, answer.Header.Get("X-RateLimit-Remaining"))
	if answer.RequestID == "" {
		t.Error("there is no request id")
	}
}

func newThroughProxy(baseURL, token string, proxy *url.URL) (*authentik.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = http.ProxyURL(proxy)
	return authentik.NewClient(baseURL, token, authentik.WithHTTPClient(&http.Client{Transport: transport}))
}

func TestProxy(t *testing.T) {
	t.Parallel()
	var asked string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.String()
		io.WriteString(w, `{"pk": 1}`)
	}))
	t.Cleanup(proxy.Close)
	to, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	client, err := newThroughProxy("http://authentik.example.com", "token", to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreUsers.Retrieve(t.Context(), 1); err != nil || asked != "http://authentik.example.com/api/v3/core/users/1/" {
		t.Errorf("the proxy was asked for %s, %v", asked, err)
	}
}

func newTrusting(baseURL, token, caFile string) (*authentik.Client, error) {
	ca, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, err
	}
	if !roots.AppendCertsFromPEM(ca) {
		return nil, errors.New("no certificate in " + caFile)
	}
	return authentik.NewClient(baseURL, token, authentik.WithTLSConfig(&tls.Config{RootCAs: roots}))
}

func TestCorporateCA(t *testing.T) {
	t.Parallel()
	fake := fakeServer(t)
	server := httptest.NewUnstartedServer(fake)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // of refused certificates
	server.StartTLS()
	t.Cleanup(server.Close)
	path := filepath.Join(t.TempDir(), "ca.pem")
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(path, ca, 0o600); err != nil {
		t.Fatal(err)
	}

	client, err := newTrusting(server.URL, fake.Token, path)
	if err != nil {
		t.Fatal(err)
	}
	if got := count(t, client); got != 1 {
		t.Errorf("%d stages", got)
	}

	client, err = authentik.NewClient(server.URL, fake.Token)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.StagesPassword.List(t.Context(), nil)
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
		t.Errorf("without the CA: %v", err)
	}
	if _, err := newTrusting(server.URL, fake.Token, filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a file: %v", err)
	}
}

func newBehindProxy(baseURL, token string) (*authentik.Client, error) {
	return authentik.NewClient(baseURL, token,
		authentik.WithHeader("CF-Access-Client-Id", os.Getenv("CF_ACCESS_CLIENT_ID")),
		authentik.WithHeader("CF-Access-Client-Secret", os.Getenv("CF_ACCESS_CLIENT_SECRET")))
}

func TestProxyHeaders(t *testing.T) { // not parallel: it sets the environment
	server := fakeServer(t)
	t.Setenv("CF_ACCESS_CLIENT_ID", "id")
	t.Setenv("CF_ACCESS_CLIENT_SECRET", "secret")
	client, err := newBehindProxy(server.URL, server.Token)
	if err != nil {
		t.Fatal(err)
	}
	count(t, client)
	header := server.Requests()[0].Header
	if header.Get("Cf-Access-Client-Id") != "id" || header.Get("Cf-Access-Client-Secret") != "secret" {
		t.Errorf("sent %v", header)
	}
}

func newWithClientCredentials(baseURL string) (*authentik.Client, error) {
	credentials := &clientcredentials.Config{
		ClientID: os.Getenv("OAUTH_CLIENT_ID"), // of an OAuth2 provider with the scope mapping for the API
		TokenURL: baseURL + "/application/o/token/",
		Scopes:   []string{"goauthentik.io/api"},
		EndpointParams: url.Values{
			"username": {os.Getenv("SERVICE_ACCOUNT")},
			"password": {os.Getenv("SERVICE_ACCOUNT_APP_PASSWORD")},
		},
		AuthStyle: oauth2.AuthStyleInParams,
	}
	// The source keeps a token until it expires. It outlives every call, and so
	// must its context, which also gives it the client that asks for tokens.
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, &http.Client{Timeout: 30 * time.Second})
	source := credentials.TokenSource(ctx)
	return authentik.NewClient(baseURL, "", authentik.WithTokenSource(func(context.Context) (string, error) {
		token, err := source.Token()
		if err != nil {
			return "", err
		}
		return token.AccessToken, nil
	}))
}

func TestClientCredentials(t *testing.T) { // not parallel: it sets the environment
	fake := fakeServer(t)
	var asked []url.Values
	refuse := false
	mux := http.NewServeMux()
	mux.Handle("/api/", fake)
	mux.HandleFunc("POST /application/o/token/", func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		asked = append(asked, r.PostForm)
		w.Header().Set("Content-Type", "application/json")
		if refuse {
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, `{"error":"invalid_grant"}`)
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"access_token": fake.Token, "token_type": "Bearer", "expires_in": 300})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Setenv("OAUTH_CLIENT_ID", "sdk")
	t.Setenv("SERVICE_ACCOUNT", "reader")
	t.Setenv("SERVICE_ACCOUNT_APP_PASSWORD", "p4ss")

	client, err := newWithClientCredentials(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		if _, err := client.StagesPassword.List(ctx, nil); err != nil {
			t.Fatal(err)
		}
		cancel() // the source goes on
	}
	want := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"sdk"}, "scope": {"goauthentik.io/api"},
		"username": {"reader"}, "password": {"p4ss"},
	}
	if len(asked) != 1 || asked[0].Encode() != want.Encode() {
		t.Errorf("asked for tokens with %v, want once with %v", asked, want)
	}

	refuse = true
	client, err = newWithClientCredentials(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.StagesPassword.List(t.Context(), nil)
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); !ok || refused.ErrorCode != "invalid_grant" {
		t.Errorf("without a token: %v", err)
	}
}

func newLogging(baseURL, token string, stderr io.Writer) (*authentik.Client, error) {
	logger := slog.New(slog.NewJSONHandler(stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return authentik.NewClient(baseURL, token, authentik.WithLogger(logger.With("component", "authentik")))
}

func TestSlog(t *testing.T) {
	t.Parallel()
	server := fakeServer(t)
	var log bytes.Buffer
	client, err := newLogging(server.URL, server.Token, &log)
	if err != nil {
		t.Fatal(err)
	}
	count(t, client)
	var record map[string]any
	if err := json.Unmarshal(log.Bytes(), &record); err != nil {
		t.Fatalf("%v in %s", err, log.String())
	}
	for key, want := range map[string]any{
		"level": "DEBUG", "msg": "authentik request", "component": "authentik", "method": "GET",
		"path": "/api/v3/stages/password/", "status": 200.0, "attempt": 1.0,
	} {
		if record[key] != want {
			t.Errorf("%s is %v, want %v", key, record[key], want)
		}
	}
	if record["request_id"] == "" || strings.Contains(log.String(), server.Token) {
		t.Errorf("logged %s", log.String())
	}
}

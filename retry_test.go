package authentik_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/jarcoal/httpmock"
)

func TestRetriedStatuses(t *testing.T) {
	t.Parallel()
	retried := map[int]bool{429: true, 500: true, 502: true, 503: true, 504: true} // see TestWorkersOf500
	for _, status := range []int{301, 400, 401, 403, 404, 405, 406, 408, 409, 413, 418, 429, 500, 501, 502, 503, 504, 505, 507, 999} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				times, _, err := attempts(t.Context(), t, answer(status, nil, `{"detail":"the last words"}`))
				apiError, ok := errors.AsType[*authentik.APIError](err)
				if !ok {
					t.Fatalf("error %v, want an APIError", err)
				}
				want := 1
				if retried[status] {
					want = 4
				}
				if len(times) != want || apiError.Attempts != want {
					t.Errorf("%d attempts, %d in the error; want %d", len(times), apiError.Attempts, want)
				}
				if !strings.Contains(string(apiError.Body), "the last words") {
					t.Errorf("the last answer is lost: body %q", apiError.Body)
				}
				if got := strings.Contains(err.Error(), "(4 attempts)"); got != retried[status] {
					t.Errorf("text %q", err)
				}
			})
		})
	}
}

func TestRecovers(t *testing.T) {
	t.Parallel()
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	reset := &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	ok := answer(http.StatusOK, nil, emptyPage)
	for name, first := range map[string]httpmock.Responder{
		"refused":            httpmock.NewErrorResponder(refused),
		"reset":              httpmock.NewErrorResponder(reset),
		"closed":             httpmock.NewErrorResponder(io.EOF),
		"timed out":          httpmock.NewErrorResponder(os.ErrDeadlineExceeded),
		"503":                answer(http.StatusServiceUnavailable, nil, ""),
		"body reset":         withBody(http.StatusOK, emptyPage[:20], reset),
		"body cut":           withBody(http.StatusOK, emptyPage[:20], io.ErrUnexpectedEOF),
		"503 with body cut":  withBody(http.StatusServiceUnavailable, `{"err`, io.ErrUnexpectedEOF),
		"restart of a while": httpmock.NewErrorResponder(refused).Then(httpmock.NewErrorResponder(refused)).Then(answer(503, http.Header{"Retry-After": {"5"}}, "")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				times, _, err := attempts(t.Context(), t, first.Then(ok).Then(ok).Then(ok))
				if err != nil || len(times) < 2 {
					t.Errorf("error %v after %d attempts", err, len(times))
				}
			})
		})
	}
}

func withBody(status int, content string, err error) httpmock.Responder {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: &brokenBody{strings.NewReader(content), err}}, nil
	}
}

func TestTransportErrors(t *testing.T) {
	t.Parallel()
	reset := &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	for _, tt := range []struct {
		name      string
		responder httpmock.Responder
		is        error
		attempts  int
	}{
		{"refused", httpmock.NewErrorResponder(syscall.ECONNREFUSED), syscall.ECONNREFUSED, 4},
		{"timed out", httpmock.NewErrorResponder(os.ErrDeadlineExceeded), os.ErrDeadlineExceeded, 4},
		{"body reset", withBody(http.StatusOK, "{", reset), syscall.ECONNRESET, 4},
		{"body cut", withBody(http.StatusOK, "{", io.ErrUnexpectedEOF), io.ErrUnexpectedEOF, 4},
		{"certificate", httpmock.NewErrorResponder(&tls.CertificateVerificationError{Err: errors.New("expired")}), nil, 1},
		{"no TLS", httpmock.NewErrorResponder(tls.RecordHeaderError{Msg: "no TLS"}), nil, 1},
		{"http for https", httpmock.NewErrorResponder(http.ErrSchemeMismatch), http.ErrSchemeMismatch, 1},
		{"no such host", httpmock.NewErrorResponder(&net.DNSError{Err: "no such host", Name: "host", IsNotFound: true}), nil, 1},
		{"no gzip", withBody(http.StatusOK, "", gzip.ErrHeader), gzip.ErrHeader, 1},
		{"alert", httpmock.NewErrorResponder(&net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}), nil, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				times, _, err := attempts(t.Context(), t, tt.responder)
				if len(times) != tt.attempts {
					t.Errorf("%d attempts, want %d", len(times), tt.attempts)
				}
				if tt.is != nil && !errors.Is(err, tt.is) {
					t.Errorf("error %v does not wrap %v", err, tt.is)
				}
				urlError, ok := errors.AsType[*url.Error](err)
				if !ok {
					t.Fatalf("error %v wraps no url.Error", err)
				}
				if urlError.URL != baseURL+"/api/v3/stages/password/" {
					t.Errorf("its URL is %s", urlError.URL)
				}
				if !strings.HasPrefix(err.Error(), listPath) || strings.Contains(err.Error(), "(4 attempts)") != (tt.attempts == 4) {
					t.Errorf("text %q", err)
				}
				if errors.Is(err, context.Canceled) || errors.Is(err, authentik.ErrServer) ||
					errors.Is(err, os.ErrDeadlineExceeded) != (tt.name == "timed out") {
					t.Errorf("error %v is what it is not", err)
				}
				if strings.Contains(err.Error(), "Get ") {
					t.Errorf("text %q says it twice", err)
				}
			})
		})
	}
}

func TestWaits(t *testing.T) {
	t.Parallel()
	retryAfter := func(value string) httpmock.Responder {
		return answer(http.StatusServiceUnavailable, http.Header{"Retry-After": {value}}, "")
	}
	inTwoSeconds := func(r *http.Request) (*http.Response, error) {
		// Half a second more, since the header has whole seconds.
		return retryAfter(time.Now().Add(2*time.Second + 500*time.Millisecond).UTC().Format(http.TimeFormat))(r)
	}
	const s = time.Second
	type span struct{ least, most time.Duration }
	backoff := []span{{375 * time.Millisecond, s / 2}, {750 * time.Millisecond, s}, {1500 * time.Millisecond, 2 * s}}
	for _, tt := range []struct {
		name      string
		responder httpmock.Responder
		opts      []authentik.Option
		want      []span
	}{
		{"default", answer(502, nil, ""), nil, backoff},
		{"connection", httpmock.NewErrorResponder(io.EOF), nil, backoff},
		{"seconds", retryAfter("2"), nil, []span{{2 * s, 2 * s}, {2 * s, 2 * s}, {2 * s, 2 * s}}},
		{"date", inTwoSeconds, nil, []span{{s, 3 * s}, {s, 3 * s}, {s, 3 * s}}},
		{"capped", retryAfter("3600"), nil, []span{{10 * s, 10 * s}, {10 * s, 10 * s}, {10 * s, 10 * s}}},
		{"absurd", retryAfter("99999999999999999999"), nil, []span{{10 * s, 10 * s}, {10 * s, 10 * s}, {10 * s, 10 * s}}},
		{"overflowing", retryAfter(fmt.Sprint(int64(math.MaxInt64))), nil, []span{{10 * s, 10 * s}, {10 * s, 10 * s}, {10 * s, 10 * s}}},
		{"zero", retryAfter("0"), nil, backoff},
		{"overflowing below", retryAfter("-10000000000"), nil, backoff},
		{"negative", retryAfter("-5"), nil, backoff},
		{"past", retryAfter("Fri, 31 Dec 1999 23:59:59 GMT"), nil, backoff},
		{"malformed", retryAfter("soon"), nil, backoff},
		{"longest", answer(504, nil, ""), []authentik.Option{authentik.WithRetries(2, 4*s, 5*s)}, []span{{3 * s, 4 * s}, {3750 * time.Millisecond, 5 * s}}},
		{"Retry-After above the longest", retryAfter("9"), []authentik.Option{authentik.WithRetries(1, s, 5*s)}, []span{{5 * s, 5 * s}}},
		{"none", answer(429, nil, ""), []authentik.Option{authentik.WithRetries(0, s, s)}, nil},
		{"no wait", answer(429, nil, ""), []authentik.Option{authentik.WithRetries(2, 0, 0)}, []span{{0, 0}, {0, 0}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				times, _, err := attempts(t.Context(), t, tt.responder, tt.opts...)
				if err == nil {
					t.Fatal("no error")
				}
				if len(times) != len(tt.want)+1 {
					t.Fatalf("%d attempts, want %d", len(times), len(tt.want)+1)
				}
				for i, want := range tt.want {
					if wait := times[i+1] - times[i]; wait < want.least || wait > want.most {
						t.Errorf("wait %d is %v, want %v to %v", i+1, wait, want.least, want.most)
					}
				}
			})
		})
	}
}

func TestWaitsDiffer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		waits := map[time.Duration]bool{}
		shortest := time.Second
		for range 40 {
			_, elapsed, _ := attempts(t.Context(), t, answer(502, nil, ""), authentik.WithRetries(1, time.Second, time.Second))
			waits[elapsed] = true
			shortest = min(shortest, elapsed)
			if elapsed < 750*time.Millisecond || elapsed > time.Second {
				t.Errorf("a wait of %v", elapsed)
			}
		}
		if len(waits) < 20 {
			t.Errorf("only %d of 40 waits differ: no jitter", len(waits))
		}
		if shortest > 850*time.Millisecond { // by chance once in 750 million runs
			t.Errorf("the shortest wait is %v, not up to a quarter less", shortest)
		}
	})
}

func TestContextEndsAWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		times, elapsed, err := attempts(ctx, t, answer(503, http.Header{"Retry-After": {"5"}}, ""))
		if !errors.Is(err, context.Canceled) || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("error %v, want context.Canceled", err)
		}
		if len(times) != 1 || elapsed != 3*time.Second {
			t.Errorf("%d attempts in %v", len(times), elapsed)
		}
	})
}

func TestTwoAttemptsAreSaid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, _, err := attempts(t.Context(), t, answer(503, nil, ""), authentik.WithRetries(1, 0, 0))
		if !strings.HasSuffix(err.Error(), "503 Service Unavailable (2 attempts)") {
			t.Errorf("text %q", err)
		}
	})
}

func TestNoWaitBeyondTheDeadline(t *testing.T) {
	t.Parallel()
	for timeout, want := range map[time.Duration]int{
		12 * time.Second:   3,
		10*time.Second + 1: 3,
		10 * time.Second:   2, // a wait that would end at the deadline is not begun
	} {
		t.Run(timeout.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), timeout)
				defer cancel()
				times, elapsed, err := attempts(ctx, t, answer(503, http.Header{"Retry-After": {"5"}}, `{"error":"authentik starting"}`))
				apiError, ok := errors.AsType[*authentik.APIError](err)
				if !ok || apiError.Detail != "authentik starting" || apiError.Attempts != want {
					t.Errorf("error %v, want the last answer", err)
				}
				if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, os.ErrDeadlineExceeded) ||
					!strings.HasSuffix(err.Error(), "the next wait would not fit before the deadline") {
					t.Errorf("error %v does not tell of the deadline", err)
				}
				if len(times) != want || elapsed != time.Duration(want-1)*5*time.Second {
					t.Errorf("%d attempts in %v", len(times), elapsed)
				}
			})
		})
	}
}

func TestCancelledBeforeAndDuringAnAttempt(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		responder func(cancel func()) httpmock.Responder
		requests  int
	}{
		"before": {func(cancel func()) httpmock.Responder { cancel(); return answer(503, nil, "") }, 1},
		"in an attempt that fails otherwise": {func(cancel func()) httpmock.Responder {
			return func(*http.Request) (*http.Response, error) { cancel(); return nil, io.EOF }
		}, 1},
		"in an attempt": {func(cancel func()) httpmock.Responder {
			return func(r *http.Request) (*http.Response, error) { cancel(); return nil, r.Context().Err() }
		}, 1},
		"in a retried answer": {func(cancel func()) httpmock.Responder {
			return func(r *http.Request) (*http.Response, error) { cancel(); return answer(503, nil, "")(r) }
		}, 1},
		"in the body": {func(cancel func()) httpmock.Responder {
			return func(r *http.Request) (*http.Response, error) {
				cancel()
				return withBody(200, "{", r.Context().Err())(r)
			}
		}, 1},
		"in the body of an error": {func(cancel func()) httpmock.Responder {
			return func(r *http.Request) (*http.Response, error) {
				cancel()
				return withBody(404, "{", r.Context().Err())(r)
			}
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				times, elapsed, err := attempts(ctx, t, tt.responder(cancel))
				if !errors.Is(err, context.Canceled) {
					t.Errorf("error %v, want context.Canceled", err)
				}
				if _, ok := errors.AsType[*url.Error](err); !ok && name == "in an attempt" {
					t.Errorf("error %v wraps no url.Error", err)
				}
				if len(times) > tt.requests || elapsed != 0 {
					t.Errorf("%d attempts in %v", len(times), elapsed)
				}
			})
		})
	}
}

// hang answers when the context of the request ends.
func hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		client  time.Duration // Timeout of the given http.Client
		context time.Duration
		want    time.Duration
		is      error
	}{
		{name: "default", want: 30 * time.Second},
		{name: "of the client", client: 5 * time.Second, want: 5 * time.Second},
		{name: "of the context", context: 7 * time.Second, want: 7 * time.Second, is: context.DeadlineExceeded},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if tt.context > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.context)
					defer cancel()
				}
				mock := httpmock.NewMockTransport()
				mock.RegisterNoResponder(hang)
				client, err := authentik.NewClient(baseURL, apiToken, authentik.WithRetries(0, 0, 0),
					authentik.WithHTTPClient(&http.Client{Transport: mock, Timeout: tt.client}))
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				_, err = client.StagesPassword.List(ctx, nil)
				if !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("error %v, want os.ErrDeadlineExceeded", err)
				}
				if tt.is != nil && !errors.Is(err, tt.is) {
					t.Errorf("error %v, want %v", err, tt.is)
				}
				if elapsed := time.Since(start); elapsed != tt.want {
					t.Errorf("took %v, want %v", elapsed, tt.want)
				}
			})
		})
	}
}

func TestAttemptsThatTimeOutAreRetried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		times, _, err := attempts(t.Context(), t, httpmock.Responder(hang).Then(answer(200, nil, emptyPage)))
		if err != nil || len(times) != 2 {
			t.Errorf("error %v after %d attempts", err, len(times))
		}
	})
}

func TestLoggedDurationIsThatOfTheAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		_, _, err := attempts(t.Context(), t, httpmock.Responder(hang).Then(answer(200, nil, emptyPage)),
			authentik.WithLogger(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{" attempt=1 duration=30s ", " attempt=2 duration=0s "} {
			if !strings.Contains(logged.String(), want) {
				t.Errorf("logged %s, want%s", &logged, want)
			}
		}
	})
}

// endlessBody ends long after what may be read of it.
type endlessBody struct {
	read         int
	closed, late bool // late: read after it was closed
}

func (b *endlessBody) Read(p []byte) (int, error) {
	b.late = b.late || b.closed
	if b.read > 2*authentik.MaxBody {
		return 0, io.EOF // so that the test fails, and the machine does not
	}
	b.read += len(p)
	return len(p), nil
}

func (b *endlessBody) Close() error { b.closed = true; return nil }

func TestEndlessBodies(t *testing.T) {
	t.Parallel()
	for status, requests := range map[int]int{200: 1, 404: 1, 503: 2} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			var bodies []*endlessBody
			client, mock := mockClient(t, authentik.WithRetries(1, 0, 0))
			mock.RegisterNoResponder(func(*http.Request) (*http.Response, error) {
				body := &endlessBody{}
				bodies = append(bodies, body)
				return &http.Response{StatusCode: status, Header: http.Header{}, Body: body, ContentLength: math.MaxInt64}, nil
			})
			_, err := client.StagesPassword.Retrieve(t.Context(), pk)
			if err == nil || len(bodies) != requests {
				t.Errorf("error %v after %d requests", err, len(bodies))
			}
			if apiError, ok := errors.AsType[*authentik.APIError](err); ok && cap(apiError.Body) > 4*authentik.MaxBody {
				t.Errorf("%d bytes are kept", cap(apiError.Body))
			}
			for _, body := range bodies {
				if !body.closed || body.late || body.read > authentik.MaxBody+1 {
					t.Errorf("%d bytes read, closed: %t, read after that: %t", body.read, body.closed, body.late)
				}
			}
		})
	}
}

func TestResponseTooLarge(t *testing.T) {
	t.Parallel()
	if authentik.MaxBody != 32<<20 {
		t.Errorf("the limit is %d", authentik.MaxBody)
	}
	for _, tt := range []struct {
		name   string
		status int
		size   int
		want   string // in the text
	}{
		// What is read and found to be no JSON was not too large.
		{"at the limit", 200, authentik.MaxBody, "invalid character '<'"},
		{"one byte more", 200, authentik.MaxBody + 1, "the response is larger than 32 MiB"},
		{"an error", 404, authentik.MaxBody + 1, "404 Not Found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client, mock := mockClient(t)
			mock.RegisterNoResponder(httpmock.NewBytesResponder(tt.status, bytes.Repeat([]byte("<"), tt.size)))
			_, err := client.StagesPassword.Retrieve(t.Context(), pk)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want one with %q", err, tt.want)
			}
			if got, want := errors.Is(err, authentik.ErrResponseTooLarge), strings.Contains(tt.want, "larger"); got != want {
				t.Errorf("is ErrResponseTooLarge: %t", got)
			}
			if apiError, ok := errors.AsType[*authentik.APIError](err); ok && len(apiError.Body) != authentik.MaxBody {
				t.Errorf("body of %d bytes", len(apiError.Body))
			}
			if n := mock.GetTotalCallCount(); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

func TestErrorOfATransportThatShowsTheQuery(t *testing.T) {
	t.Parallel()
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("Get %q: boom", r.URL)
	})
	client, err := authentik.NewClient(baseURL, apiToken, authentik.WithRetries(0, 0, 0), authentik.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.StagesPassword.List(t.Context(), &authentik.StagesPasswordListOptions{Name: "s3cr3t"})
	if err == nil || !strings.Contains(err.Error(), "boom") || strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("error %v", err)
	}
}

func TestCertificateIsFinal(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = discardLog
	server.StartTLS()
	defer server.Close()
	client, err := authentik.NewClient(server.URL, apiToken, authentik.WithHTTPClient(httpClient(t)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.StagesPassword.List(t.Context(), nil)
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok || strings.Contains(err.Error(), "attempts") {
		t.Errorf("error %v, want a certificate error after one attempt", err)
	}
	for _, option := range []string{"WithTLSConfig", "AUTHENTIK_INSECURE"} {
		if !strings.Contains(err.Error(), option) {
			t.Errorf("%v does not name %s", err, option)
		}
	}
}

// TestWorkersOf500 tells authentik's own 500, which is final, from that of a
// worker that is being replaced.
func TestWorkersOf500(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		header http.Header
		body   string
		want   int
	}{
		"of a worker":              {http.Header{"Content-Type": {"text/plain"}}, "Internal Server Error", 4},
		"authentik's own":          {http.Header{"Content-Type": {"text/html"}, "X-Authentik-Id": {"0123"}}, "<html>", 1},
		"with an id":               {http.Header{"X-Authentik-Id": {"0123"}}, "Internal Server Error", 1},
		"HTML by its Content-Type": {http.Header{"Content-Type": {"text/html; charset=utf-8"}}, "", 1},
		"HTML by its looks":        {nil, "\n<!DOCTYPE html>", 1},
		"long":                     {nil, strings.Repeat("x", 2<<20), 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				times, _, err := attempts(t.Context(), t, answer(500, tt.header, tt.body))
				if len(times) != tt.want || !errors.Is(err, authentik.ErrServer) {
					t.Errorf("%d attempts, want %d; error %v", len(times), tt.want, err)
				}
			})
		})
	}
}

// TestStarting has a server of 2025.10.0, which answers 200 while it starts.
func TestStarting(t *testing.T) {
	t.Parallel()
	starting := answer(200, nil, `{"error":"authentik starting"}`+"\n")
	for name, call := range map[string]func(c *authentik.Client) error{
		"Get": func(c *authentik.Client) error {
			return second(authentik.Get[map[string]any](t.Context(), c, "x/", nil))
		},
		"Post":   func(c *authentik.Client) error { return second(authentik.Post[struct{}](t.Context(), c, "x/", nil)) },
		"Delete": func(c *authentik.Client) error { return authentik.Delete(t.Context(), c, "x/") },
		"Export": func(c *authentik.Client) error { return second(c.FlowsInstances.Export(t.Context(), "x")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, mock := mockClient(t, authentik.WithRetries(2, 0, 0))
			mock.RegisterNoResponder(starting)
			err := call(client)
			decodeError, ok := errors.AsType[*authentik.DecodeError](err)
			if !ok || decodeError.Attempts != 3 || errors.Is(err, authentik.ErrOutcomeUnknown) {
				t.Errorf("error %v", err)
			}
			mock.RegisterNoResponder(starting.Then(answer(200, nil, `{}`)))
			if err := call(client); err != nil {
				t.Errorf("after it has started: %v", err)
			}
			mock.RegisterNoResponder(answer(200, http.Header{"X-Authentik-Id": {"0123"}}, `{"error":"of authentik"}`))
			if err := call(client); err != nil {
				t.Errorf("an answer of authentik: %v", err)
			}
		})
	}
}

func TestCauseOfAContextIsKept(t *testing.T) {
	t.Parallel()
	cause := errors.New("the pod is being drained")
	hang := func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, context.Cause(r.Context()) // as net/http does
	}
	for name, responder := range map[string]httpmock.Responder{
		"in an attempt": hang,
		"in an attempt of another transport": func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		},
		"in a wait": answer(503, http.Header{"Retry-After": {"5"}}, ""),
	} {
		for ended, end := range map[error]func(context.Context) (context.Context, func()){
			context.DeadlineExceeded: func(ctx context.Context) (context.Context, func()) {
				// A wait that the deadline would cut is not begun, so that of the parent does.
				ctx, cancel := context.WithCancelCause(ctx)
				time.AfterFunc(3*time.Second, func() { cancel(errors.Join(cause, context.DeadlineExceeded)) })
				return ctx, func() { cancel(nil) }
			},
			context.Canceled: func(ctx context.Context) (context.Context, func()) {
				ctx, cancel := context.WithCancelCause(ctx)
				time.AfterFunc(3*time.Second, func() { cancel(cause) })
				return ctx, func() { cancel(nil) }
			},
		} {
			t.Run(name+"/"+ended.Error(), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					ctx, stop := end(t.Context())
					defer stop()
					_, elapsed, err := attempts(ctx, t, responder)
					if !errors.Is(err, cause) || !errors.Is(err, context.Canceled) || !errors.Is(err, ended) {
						t.Errorf("error %v", err)
					}
					if elapsed != 3*time.Second {
						t.Errorf("it took %v", elapsed)
					}
				})
			})
		}
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, cause)
		defer cancel()
		_, _, err := attempts(ctx, t, hang)
		if !errors.Is(err, cause) || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if urlError, ok := errors.AsType[*url.Error](err); !ok || !urlError.Timeout() {
			t.Errorf("error %v is no timeout", err)
		}
	})
}

func TestAnAttemptLeavesTheHeadersOfTheLast(t *testing.T) {
	t.Parallel()
	var headers []http.Header
	tokens := []string{"first", "second"}
	client, err := authentik.NewClient(baseURL, "", authentik.WithRetries(1, 0, 0),
		authentik.WithTokenSource(func(context.Context) (string, error) {
			token := tokens[0]
			tokens = tokens[1:]
			return token, nil
		}),
		authentik.WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			headers = append(headers, r.Header) // as a transport that is still writing it
			return nil, io.EOF
		})}))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = client.StagesPassword.List(t.Context(), nil)
	for i, want := range []string{"Bearer first", "Bearer second"} {
		if got := headers[i].Get("Authorization"); got != want {
			t.Errorf("attempt %d has the token %q, want %q", i+1, got, want)
		}
	}
}

func TestRefusedTLSIsFinal(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused by a function")
	for name, tt := range map[string]struct {
		server, client *tls.Config
	}{
		"VerifyConnection":      {client: &tls.Config{VerifyConnection: func(tls.ConnectionState) error { return refused }}},
		"VerifyPeerCertificate": {client: &tls.Config{VerifyPeerCertificate: func([][]byte, [][]*x509.Certificate) error { return refused }}},
		"GetClientCertificate": {
			server: &tls.Config{ClientAuth: tls.RequireAnyClientCert},
			client: &tls.Config{GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return nil, refused }},
		},
		"no client certificate": {server: &tls.Config{ClientAuth: tls.RequireAnyClientCert}},
		"versions of the server": {
			server: &tls.Config{MinVersion: tls.VersionTLS13}, client: &tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12},
		},
		"versions of the client": {
			server: &tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12}, client: &tls.Config{MinVersion: tls.VersionTLS13},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(http.NotFoundHandler())
			server.Config.ErrorLog = discardLog
			server.TLS = tt.server
			server.StartTLS()
			t.Cleanup(server.Close)
			if tt.client == nil {
				tt.client = &tls.Config{}
			}
			tt.client.InsecureSkipVerify = true
			client, err := authentik.NewClient(server.URL, apiToken, authentik.WithTLSConfig(tt.client), authentik.WithRetries(2, 0, 0))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(client.CloseIdleConnections)
			_, err = client.StagesPassword.List(t.Context(), nil)
			if err == nil || strings.Contains(err.Error(), "attempts") {
				t.Errorf("error %v, want one of one attempt", err)
			}
		})
	}
}

// TestRedirectToAnotherSpelling has hosts that only DNS knows to be one, or not.
func TestRedirectToAnotherSpelling(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		base, to string
		followed bool
	}{
		{"https://bücher.example", "https://bücher.example", true},
		{"https://BOOKS.example", "https://books.example", true},
		{"https://bücher.example", "https://xn--bcher-kva.example", false},
		{"https://xn--bcher-kva.example", "https://bücher.example", false},
		{"https://βόλος.example", "https://βόλοσ.example", false},
		{"https://boo\u212as.example", "https://books.example", false},
	} {
		requests := 0
		client, err := authentik.NewClient(tt.base, apiToken, authentik.WithHTTPClient(&http.Client{
			Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				requests++
				if requests == 1 {
					return answer(http.StatusFound, http.Header{"Location": {tt.to + "/api/v3/x/"}}, "")(r)
				}
				return answer(http.StatusOK, nil, "{}")(r)
			}),
		}))
		if err != nil {
			t.Fatal(err)
		}
		_, err = authentik.Get[struct{}](t.Context(), client, "x/", nil)
		said := err != nil && strings.Contains(err.Error(), "to "+tt.to+"; if authentik is there, the base URL to use begins so")
		if (err == nil) != tt.followed || said == tt.followed || requests > 1 != tt.followed {
			t.Errorf("%s to %s: error %v after %d requests", tt.base, tt.to, err, requests)
		}
	}
}

// TestRequestsEndByTheirContext sees that net/http uses no Request.Cancel, for
// which it starts goroutines.
func TestRequestsEndByTheirContext(t *testing.T) {
	t.Parallel()
	client, err := authentik.NewClient(baseURL, apiToken, authentik.WithHTTPClient(&http.Client{
		Timeout: time.Hour,
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Cancel != nil { //nolint:staticcheck // it is deprecated, which is why
				t.Error("the request has a channel Cancel")
			}
			if deadline, has := r.Context().Deadline(); !has || time.Until(deadline) < 59*time.Minute {
				t.Errorf("the attempt ends at %v", deadline)
			}
			return answer(http.StatusOK, nil, emptyPage)(r)
		}),
	}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.StagesPassword.List(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}

func TestClientsShareConnections(t *testing.T) {
	t.Parallel()
	var addresses []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		addresses = append(addresses, r.RemoteAddr)
		fmt.Fprint(w, emptyPage)
	}))
	defer server.Close()
	for i := range 4 {
		client, err := authentik.NewClient(server.URL, apiToken)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.StagesPassword.List(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if i == 1 || i == 3 {
			client.CloseIdleConnections()
		}
	}
	if addresses[0] != addresses[1] || addresses[1] == addresses[2] || addresses[2] != addresses[3] {
		t.Errorf("requests came from %v; want two connections, of two requests each", addresses)
	}
}

func TestTextIsCutBetweenCharacters(t *testing.T) {
	t.Parallel()
	for shift := range 3 {
		client := answering(t, 404, nil, `{"detail":"`+strings.Repeat("x", shift)+strings.Repeat("é", 2000)+`"}`)
		_, err := client.StagesPassword.List(t.Context(), nil)
		if err == nil || strings.ContainsRune(err.Error(), '\ufffd') || !isLine(err.Error()) {
			t.Errorf("text %q", err)
		}
	}
}

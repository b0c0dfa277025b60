package authentik

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/authentik-go/authentik/internal/async"
	"github.com/authentik-go/authentik/internal/transport"
)

// Option is a setting of a [Client] that is being made.
type Option func(*config) error

type config struct {
	transport.Config
	strictWrites bool
	fromEnv      bool // the token is the environment's
}

// WithHTTPClient sends requests through hc: its Transport, Jar and
// CheckRedirect are used, and its Timeout, if it has one, bounds each attempt.
// The client itself is never changed. Redirects that would give the token away
// are refused before its CheckRedirect is asked.
func WithHTTPClient(hc *http.Client) Option {
	return func(cfg *config) error {
		if hc == nil {
			return errors.New("authentik: WithHTTPClient: the client is nil")
		}
		cfg.HTTPClient = hc
		return nil
	}
}

// WithTLSConfig sets your own CA, or a client certificate. It does not go with
// [WithHTTPClient], whose transport has a TLS configuration of its own.
func WithTLSConfig(tlsConfig *tls.Config) Option {
	return func(cfg *config) error {
		if tlsConfig == nil {
			return errors.New("authentik: WithTLSConfig: the configuration is nil")
		}
		cfg.TLSConfig = tlsConfig.Clone()
		return nil
	}
}

// WithTokenSource asks source for the token, once for each attempt of a
// request: authentik rotates API tokens, daily by default. The token given to
// [NewClient] is not used then. An error of source ends the request and is
// wrapped; source must be safe for concurrent use. If the context of a call ends
// before source returns, the call ends without it.
func WithTokenSource(source func(context.Context) (string, error)) Option {
	return func(cfg *config) error {
		if source == nil {
			return errors.New("authentik: WithTokenSource: the source is nil")
		}
		cfg.Token = func(ctx context.Context) (string, error) {
			return async.Start(func() (string, error) { return source(ctx) }).Wait(ctx)
		}
		return nil
	}
}

// WithoutToken sends no token, for package flow, whose logins need none, and for the
// few endpoints that everybody may read. The token given to [NewClient] has to be
// empty; [NewClientFromEnv] leaves that of the environment aside.
func WithoutToken() Option {
	return func(cfg *config) error {
		cfg.Authorize = func(*http.Request) {}
		return nil
	}
}

// WithDeviceToken sends the token as that of a device, which [EndpointsAgentsConnectorsService.Enroll]
// returned to an agent: authentik takes it for the endpoints of agents alone, and
// no other token for most of those.
func WithDeviceToken() Option {
	return func(cfg *config) error {
		cfg.Scheme = "Bearer+agent"
		return nil
	}
}

// WithUserAgent puts product, for example "my-operator/1.2", before the SDK's
// own authentik-go/<version> in the User-Agent.
func WithUserAgent(product string) Option {
	return func(cfg *config) error {
		if strings.TrimSpace(product) == "" || !isHeaderValue(product) {
			return fmt.Errorf("authentik: WithUserAgent: %.100q is not valid in a header", product)
		}
		cfg.UserAgent = product + " authentik-go/" + Version
		return nil
	}
}

// WithHeader adds a header to every request, such as the access headers of a
// proxy or Accept-Language. Headers that the SDK sets itself are errors, and so are
// idempotency keys: authentik does not know them, and net/http may send a POST that
// has one twice.
func WithHeader(key, value string) Option {
	return func(cfg *config) error {
		key := http.CanonicalHeaderKey(key)
		switch key {
		case "Authorization", "Accept", "Accept-Encoding", "User-Agent", "Host", "Connection",
			"Content-Length", "Content-Type", "Transfer-Encoding", "Trailer", "Te", "Upgrade":
			return fmt.Errorf("authentik: WithHeader: %s is set by the SDK", key)
		case "Idempotency-Key", "X-Idempotency-Key":
			return fmt.Errorf("authentik: WithHeader: net/http may send a POST with %s twice, and authentik takes that for two requests", key)
		}
		if !isHeaderName(key) || !isHeaderValue(value) {
			return fmt.Errorf("authentik: WithHeader: the name %.100q or its value is not valid in a header", key)
		}
		addOthers := cfg.AddHeaders
		cfg.AddHeaders = func(header http.Header) {
			addOthers(header)
			header.Add(key, value)
		}
		return nil
	}
}

// WithRetries sets how often a failed attempt is repeated, and the shortest and
// the longest wait before that: 3, 500ms and 10s by default. 0 retries turns
// them off.
//
// An attempt is repeated if it got no whole answer, or 429, 502, 503 or 504, or
// a 500 that is not authentik's own: one without a request id and not in HTML. A
// 2025.10.0 that is starting answers 200 with only an error; that is repeated too,
// and is a [DecodeError] if it persists.
// An attempt is not repeated if repeating cannot help: after a refused certificate
// or redirect, an unknown host, no TLS where some is expected, a forward proxy that
// refuses to connect (407 and other 4xx), a broken gzip stream, a body over 32 MiB.
// Every other status is final.
//
// GET, PUT, PATCH and DELETE are repeated alike. If authentik answers a DELETE with
// "not found" after an attempt of unknown outcome, the DELETE is done. A POST, or a
// Create by PUT, is repeated only if the server certainly did not handle it: after
// 429, if no connection was made, by a forward proxy either, or if a server of HTTP/2
// refused the stream or shut down before it. Only the hooks of net/http/httptrace say
// so: behind a transport of yours that does not call them, a POST that got no answer
// may have been done. A body that can be read only once is not sent again.
//
// The first wait is minWait, and each wait is twice the one before, less up to a
// quarter at random. If the server sends Retry-After, that is the wait. No wait
// is longer than maxWait: WithRetries(3, 0, 0) repeats at once, which suits tests.
//
// An attempt may take 30 seconds, or the Timeout of the client given to
// [WithHTTPClient]. The context bounds the call: its end ends a wait, and a wait
// that cannot end before its deadline is not begun. When the retries or the time
// are used up, the error is that of the last attempt, with its body; if it was
// the time, the error matches [context.DeadlineExceeded] as well.
//
// An authentik that is starting refuses connections, then answers 502 or 503, for
// longer than the default waits, which are 3.5 seconds together. This outlasts a
// restart: it waits for 100 seconds if the server asks for 5 seconds each time, as
// it does since 2025.10, and for up to three minutes if it asks for nothing:
//
//	authentik.WithRetries(20, time.Second, 10*time.Second)
func WithRetries(retries int, minWait, maxWait time.Duration) Option {
	return func(cfg *config) error {
		if retries < 0 || minWait < 0 || maxWait < minWait {
			return fmt.Errorf("authentik: WithRetries(%d, %v, %v): negative, or the shortest wait is above the longest", retries, minWait, maxWait)
		}
		cfg.Retries, cfg.MinWait, cfg.MaxWait = retries, minWait, maxWait
		return nil
	}
}

// WithStrictWrites makes a write return an [IgnoredError] beside the object if
// the server ignored members that were sent, because it is too old to know them, or
// has other values than were sent. Without it, the logger gets a warning.
//
// Values are compared as authentik keeps them: texts without white space at either
// end, times to the microsecond, lists of pks in any order, and objects inside by the
// fields that were sent. Secrets, fields that no answer has and objects of free form
// are not compared: it is an error only if the answer has no such member.
func WithStrictWrites() Option {
	return func(cfg *config) error {
		cfg.strictWrites = true
		return nil
	}
}

// WithLogger logs each attempt at debug level: method, path, status (0 if no answer
// came), attempt, duration and request id; after a failure the error, and the wait
// if there is another attempt. If the server ignored or changed members of a write,
// their names are logged at warning level.
func WithLogger(logger *slog.Logger) Option {
	return func(cfg *config) error {
		if logger == nil {
			return errors.New("authentik: WithLogger: the logger is nil")
		}
		cfg.Logger = logger
		return nil
	}
}

func isHeaderName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

func isHeaderValue(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r > '~' })
}

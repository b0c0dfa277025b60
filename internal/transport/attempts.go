package transport

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/authentik-go/authentik/internal/codec"
	"github.com/hashicorp/go-retryablehttp"
)

const (
	// MaxBody is how many bytes of a body are read, after decompression.
	MaxBody    = 32 << 20
	maxTrusted = 1 << 20 // of a Content-Length, before the bytes are there

	maxStarting = 1 << 10 // of a 200 that is in truth a 503
)

// ErrResponseTooLarge is a body of more than [MaxBody] bytes.
var ErrResponseTooLarge = errors.New("authentik: the response is larger than 32 MiB")

// attempts are those of one request. [Client.Do] calls prepare before the first
// one, and go-retryablehttp before each of the others. It calls check after each.
type attempts struct {
	config  *Config
	request Request
	req     *http.Request
	count   int
	started time.Time
	wait    time.Duration // before the next attempt
	body    *bytes.Buffer // of the last one
	bodyErr error         // of reading it
	noTime  bool          // the next wait would end after the deadline
	unknown bool          // an attempt may have been handled, and nothing told so
	sent    *connection   // of the last one
	client  retryablehttp.Client
	limited io.LimitedReader // of body

	connections atomic.Int32 // of all; net/http sends a GET again if a connection that it used before breaks
}

func (a *attempts) prepare(req *http.Request) error {
	if a.count > 0 { // the transport may still be writing the last attempt's headers
		req.Header = req.Header.Clone()
	}
	switch {
	case a.request.Probe:
	case a.config.Authorize != nil:
		a.config.Authorize(req)
	default:
		token, err := a.config.Token(req.Context())
		if err != nil {
			return fmt.Errorf("the token source failed: %w", err)
		}
		if err := CheckToken(token); err != nil {
			return err
		}
		req.Header.Set("Authorization", cmp.Or(a.config.Scheme, "Bearer")+" "+token)
	}
	a.req = req
	a.count++
	a.started = time.Now()
	a.sent = &unsent
	return nil
}

// check reads the response to an attempt, logs it, and reports whether to try again.
func (a *attempts) check(ctx context.Context, resp *http.Response, err error) (bool, error) {
	status, requestID := 0, ""
	a.body.Reset()
	a.bodyErr = nil
	if err == nil {
		if a.config.Answered != nil {
			a.config.Answered(resp)
		}
		status, requestID = resp.StatusCode, resp.Header.Get(RequestIDHeader)
		a.bodyErr = a.readBody(resp)
		if status > 299 && ctx.Err() == nil {
			a.bodyErr = nil // the error has what was read of it
		}
	}
	cause := err
	if err == nil {
		cause = a.bodyErr
	}
	again, final := a.again(ctx, resp, status, cause)
	if !a.config.Logger.Enabled(ctx, slog.LevelDebug) {
		return again, final
	}

	attributes := []slog.Attr{slog.String("method", a.request.Method), slog.String("path", a.request.URL.Path)}
	if a.request.Operation != nil {
		attributes = append(attributes, slog.String("operation", a.request.Operation.String()))
	}
	attributes = append(attributes,
		slog.Int("status", status),
		slog.Int("attempt", a.count),
		slog.Duration("duration", time.Since(a.started)),
		slog.String("request_id", requestID),
	)
	if cause != nil {
		attributes = append(attributes, slog.String("error", causeText(a.request.URL, cause)))
	}
	if again {
		attributes = append(attributes, slog.Duration("wait", a.wait))
	}
	a.config.Logger.LogAttrs(ctx, slog.LevelDebug, "authentik request", attributes...)
	return again, final
}

// again reports whether to try again after an attempt that ended with the status or
// the error. Where it returns an error, that is final instead.
func (a *attempts) again(ctx context.Context, resp *http.Response, status int, err error) (bool, error) {
	unknown := a.request.Method != http.MethodGet && a.request.Method != http.MethodHead && a.outcomeUnknown(status, err)
	a.unknown = a.unknown || unknown
	switch {
	case err == nil && !retriedStatus(resp, a.body.Bytes()):
		return false, nil
	case ctx.Err() != nil && err == nil:
		return false, ctx.Err()
	case ctx.Err() != nil, // see withCause
		err != nil && !a.sent.temporary(err),
		unknown && a.request.Creates,
		a.request.Body != nil && a.request.Body.Once,
		a.request.Probe,
		a.count > a.config.Retries:
		return false, nil //nolint:nilerr // go-retryablehttp has the error
	}
	a.wait = a.config.backoff(a.count, resp)
	deadline, has := ctx.Deadline()
	a.noTime = has && time.Until(deadline) <= a.wait
	return !a.noTime, nil
}

// outcomeUnknown reports whether the server may have done what an attempt asked
// for, though its answer does not say so.
func (a *attempts) outcomeUnknown(status int, err error) bool {
	switch {
	case status == 0:
		return !errors.Is(err, errRedirect) && !isBadLocation(err) && a.sent.happened(err)
	case status <= 299:
		return err != nil
	case status == http.StatusNotImplemented:
		return false
	default: // the front proxy's 408 comes after 215 seconds of waiting for the backend
		return status >= 500 || status == http.StatusRequestTimeout
	}
}

// readBody reads the body and closes it, and leaves an empty one for go-retryablehttp
// to drain.
func (a *attempts) readBody(resp *http.Response) error {
	defer func() {
		_ = resp.Body.Close()
		resp.Body = http.NoBody
	}()
	if n := resp.ContentLength; n > 0 {
		a.body.Grow(int(min(n, maxTrusted)) + bytes.MinRead)
	}
	a.limited = io.LimitedReader{R: resp.Body, N: MaxBody + 1}
	_, err := a.body.ReadFrom(&a.limited)
	if a.body.Len() > MaxBody {
		a.body.Truncate(MaxBody)
		err = ErrResponseTooLarge
	}
	return err
}

// retriedStatus reports whether the status may pass: it is one of authentik's front
// proxy, or of a proxy before that. authentik's own 500 is final; it has an id and
// is in HTML. Without either, a 500 is that of a worker that is being replaced
// (2026.5).
func retriedStatus(resp *http.Response, body []byte) bool {
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	case http.StatusOK:
		return isStarting(resp, body)
	case http.StatusInternalServerError:
		isHTML := strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") || bytes.HasPrefix(bytes.TrimSpace(body), []byte("<"))
		return resp.Header.Get(RequestIDHeader) == "" && !isHTML && len(body) <= maxTrusted
	default:
		return false
	}
}

// isStarting reports whether a 200 is in truth a 503: the front proxy of 2025.10.0
// answers so while authentik starts, with an object that has an error alone. What
// comes from authentik has an id.
func isStarting(resp *http.Response, body []byte) bool {
	if resp.StatusCode != http.StatusOK || resp.Header.Get(RequestIDHeader) != "" || len(body) > maxStarting || !bytes.Contains(body, []byte(`"error"`)) {
		return false
	}
	var members map[string]string
	return codec.Unmarshal(body, &members) == nil && len(members) == 1 && members["error"] != ""
}

// backoff is the wait after the given attempt.
func (cfg *Config) backoff(attempt int, resp *http.Response) time.Duration {
	if resp != nil {
		if wait := retryAfter(resp.Header.Get("Retry-After")); wait > 0 {
			return min(wait, cfg.MaxWait)
		}
	}
	wait := retryablehttp.DefaultBackoff(cfg.MinWait, cfg.MaxWait, attempt-1, nil)
	return wait - rand.N(wait/4+1) //nolint:gosec // it spreads attempts, and guards no secret
}

// retryAfter parses the header's two forms; 0 if it is neither.
func retryAfter(header string) time.Duration {
	if header != "" && strings.Trim(header, "0123456789") == "" {
		seconds, _ := strconv.ParseInt(header, 10, 64)   // the largest number if it is out of range
		const most = int64(24 * time.Hour / time.Second) // more would overflow
		return time.Duration(min(seconds, most)) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return time.Until(at)
	}
	return 0
}

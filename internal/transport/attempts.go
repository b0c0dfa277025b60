package transport

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

const (
	// MaxBody is how many bytes of a body are read, after decompression.
	MaxBody    = 32 << 20
	maxTrusted = 1 << 20 // of a Content-Length, before the bytes are there
)

// ErrResponseTooLarge is a body of more than [MaxBody] bytes.
var ErrResponseTooLarge = errors.New("the response is larger than 32 MiB")

// attempts are those of one request. go-retryablehttp calls prepare before and
// check after each of them.
type attempts struct {
	config  *Config
	req     *http.Request
	count   int
	started time.Time
	wait    time.Duration // before the next attempt
	body    []byte        // of the last one
	bodyErr error         // of reading it
}

func (a *attempts) prepare(req *http.Request) error {
	token, err := a.config.Token(req.Context())
	if err != nil {
		return fmt.Errorf("the token source failed: %w", err)
	}
	if err := CheckToken(token); err != nil {
		return err
	}
	// The transport may still be writing the last attempt's headers.
	req.Header = req.Header.Clone()
	req.Header.Set("Authorization", "Bearer "+token)
	a.req = req
	a.count++
	a.started = time.Now()
	return nil
}

// check reads the response to an attempt, logs it, and says whether to try again.
func (a *attempts) check(ctx context.Context, resp *http.Response, err error) (bool, error) {
	status, requestID := 0, ""
	a.body, a.bodyErr = nil, nil
	if err == nil {
		status, requestID = resp.StatusCode, resp.Header.Get(RequestIDHeader)
		a.body, a.bodyErr = readBody(resp)
		if status > 299 && ctx.Err() == nil {
			a.bodyErr = nil // what came of it goes into the error
		}
	}
	a.config.Logger.LogAttrs(ctx, slog.LevelDebug, "authentik request",
		slog.String("method", a.req.Method),
		slog.String("path", a.req.URL.Path),
		slog.Int("status", status),
		slog.Int("attempt", a.count),
		slog.Duration("duration", time.Since(a.started)),
		slog.String("request_id", requestID))

	if err == nil {
		err = a.bodyErr
	}
	switch {
	case err == nil && !retriedStatus[status]:
		return false, nil
	case err != nil && errors.Is(err, ctx.Err()): // err says so already, and more
		return false, nil
	case ctx.Err() != nil:
		return false, ctx.Err()
	case err != nil && permanent(ctx, err):
		return false, nil
	}
	a.wait = a.config.backoff(a.count, resp)
	deadline, has := ctx.Deadline()
	return !has || time.Until(deadline) > a.wait, nil
}

// readBody reads and closes the body, and leaves an empty one for
// go-retryablehttp to drain.
func readBody(resp *http.Response) ([]byte, error) {
	defer func() {
		_ = resp.Body.Close()
		resp.Body = http.NoBody
	}()
	var buf bytes.Buffer
	if n := resp.ContentLength; n > 0 {
		buf.Grow(int(min(n, maxTrusted)) + bytes.MinRead)
	}
	_, err := buf.ReadFrom(io.LimitReader(resp.Body, MaxBody+1))
	if buf.Len() > MaxBody {
		buf.Truncate(MaxBody)
		err = ErrResponseTooLarge
	}
	return buf.Bytes(), err
}

var retriedStatus = map[int]bool{
	http.StatusTooManyRequests:    true,
	http.StatusBadGateway:         true,
	http.StatusServiceUnavailable: true,
	http.StatusGatewayTimeout:     true,
}

// permanent tells whether another attempt would fail as well: after a redirect
// or a certificate that was refused, by either side, without TLS, and where no
// authentik is.
func permanent(ctx context.Context, err error) bool {
	if errors.Is(err, errRedirect) || errors.Is(err, ErrResponseTooLarge) || errors.Is(err, http.ErrSchemeMismatch) {
		return true
	}
	if _, noTLS := errors.AsType[tls.RecordHeaderError](err); noTLS {
		return true
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" { // a TLS alert
		return true
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return true
	}
	if _, broken := errors.AsType[flate.CorruptInputError](err); broken {
		return true
	}
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || strings.Contains(err.Error(), badLocation) {
		return true
	}
	retry, _ := retryablehttp.DefaultRetryPolicy(ctx, nil, err)
	return !retry
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

// retryAfter parses the header's two forms; 0 where it is neither.
func retryAfter(header string) time.Duration {
	if header != "" && strings.Trim(header, "0123456789") == "" {
		seconds, _ := strconv.ParseInt(header, 10, 64)   // the largest number where it is out of range
		const most = int64(24 * time.Hour / time.Second) // more would overflow
		return time.Duration(min(seconds, most)) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return time.Until(at)
	}
	return 0
}

package transport

import (
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"
)

// connection says what the hooks of net/http told of an attempt's connections.
type connection struct {
	tooLate bool // the context had ended before
	state   atomic.Int32
}

const (
	// notAsked: no hook was called. The transport may be one of a user that tells
	// nothing, a protocol that was registered with net/http's, or fetch of a browser.
	notAsked int32 = iota
	// waiting: a connection was asked for, and none came.
	waiting
	// connected: one came. It stays so if the transport then asks for another.
	connected
)

func (c *connection) reset(tooLate bool) {
	c.tooLate = tooLate
	c.state.Store(notAsked)
}

// happened reports whether an attempt that failed with err may have sent something.
func (c *connection) happened(err error) bool {
	if isUnprocessed(err) {
		return false
	}
	switch c.state.Load() {
	case connected:
		return true
	case waiting:
		return false
	}
	op, isOp := errors.AsType[*net.OpError](err)
	_, isName := errors.AsType[*net.DNSError](err)
	_, isCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	return !c.tooLate && !isName && !isCertificate && (!isOp || op.Op != "dial")
}

// temporary reports whether an attempt that failed with err may succeed the next
// time. If there was no connection, it may if that was refused, broke or took too
// long, and not if either side refused a certificate, whatever the error for that.
// If there was one, it may, unless repeating cannot help.
func (c *connection) temporary(err error) bool {
	// A CheckRedirect of a user may say anything.
	if errors.Is(err, errRedirect) || isBadLocation(err) || errors.Is(err, ErrResponseTooLarge) {
		return false
	}
	op, isOp := errors.AsType[*net.OpError](err)
	if isOp && op.Op == "remote error" { // an alert of TLS, which version 1.3 sends late
		return false
	}
	if c.state.Load() != waiting {
		_, isDeflate := errors.AsType[flate.CorruptInputError](err)
		_, isCertificate := errors.AsType[*tls.CertificateVerificationError](err)
		_, noTLS := errors.AsType[tls.RecordHeaderError](err)
		return !isDeflate && !errors.Is(err, gzip.ErrHeader) && !errors.Is(err, gzip.ErrChecksum) &&
			!isCertificate && !noTLS && !errors.Is(err, http.ErrSchemeMismatch) && !isUnknownName(err)
	}
	if _, isName := errors.AsType[*net.DNSError](err); isName {
		return !isUnknownName(err)
	}
	_, isSystem := errors.AsType[systemError](err)
	netError, isNet := errors.AsType[net.Error](err)
	return isSystem || isNet && netError.Timeout() ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

// refused reports whether TLS, and not the network, ended an attempt that failed
// with err.
func (c *connection) refused(err error) bool {
	op, isOp := errors.AsType[*net.OpError](err)
	_, isCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	if isCertificate || isOp && op.Op == "remote error" {
		return true
	}
	_, noTLS := errors.AsType[tls.RecordHeaderError](err)
	return c.state.Load() == waiting && !c.temporary(err) && !isUnknownName(err) &&
		!noTLS && !errors.Is(err, http.ErrSchemeMismatch) && !errors.Is(err, errRedirect) && !errors.Is(err, context.Canceled)
}

func isUnknownName(err error) bool {
	dns, ok := errors.AsType[*net.DNSError](err)
	return ok && dns.IsNotFound
}

type attemptsKey struct{}

// attemptTransport bounds attempts in time. The Timeout of an http.Client would,
// too, but it starts two goroutines for each request if it does not know the type
// of the transport. And it hides the idle connections, which others may use, from
// go-retryablehttp, which closes them when it gives up.
type attemptTransport struct {
	base    http.RoundTripper
	timeout time.Duration
	isHTTP1 atomic.Bool // the last connection was of HTTP/1; the first is new, and is not lost before it is used
}

func (t *attemptTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	attempts, ok := req.Context().Value(attemptsKey{}).(*attempts)
	if !ok {
		return nil, fmt.Errorf("%w: CheckRedirect gave the request another context", errRedirect)
	}
	ctx, cancel := context.WithDeadlineCause(req.Context(), attempts.started.Add(t.timeout), attemptTimeoutError{t.timeout})
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { attempts.sent.state.CompareAndSwap(notAsked, waiting) },
		GotConn: func(info httptrace.GotConnInfo) {
			attempts.sent.state.Store(connected)
			attempts.connections.Add(1)
			conn, isTLS := info.Conn.(interface{ ConnectionState() tls.ConnectionState })
			t.isHTTP1.Store(!isTLS || conn.ConnectionState().NegotiatedProtocol != "h2")
		},
	})
	resp, err := t.send(req.WithContext(ctx), attempts)
	if err != nil {
		cancel()
		return resp, err
	}
	t.isHTTP1.Store(resp.ProtoMajor == 1)
	resp.Request = req
	resp.Body = &attemptBody{resp.Body, cancel}
	return resp, nil
}

// maxResends is how often an attempt is sent again of which the server certainly
// handled nothing.
const maxResends = 5

// send sends the request once. net/http on Go 1.26 would repeat a write over HTTP/2
// without limit if the server resets its stream with PROTOCOL_ERROR, though it may
// have handled it. So a write has no body that can be had again there, and what was
// certainly not handled is sent again here. Over HTTP/1 net/http repeats only what it
// has written nothing of.
func (t *attemptTransport) send(req *http.Request, attempts *attempts) (*http.Response, error) {
	again := req.GetBody
	if req.Body == nil || req.Body == http.NoBody {
		again = func() (io.ReadCloser, error) { return emptyBody{}, nil }
	}
	writes := req.Method != http.MethodGet && req.Method != http.MethodHead
	for resends := 0; ; resends++ {
		attempts.sent.state.Store(notAsked) // what came before was answered by a redirect, or not handled
		if writes {
			if req.Body == nil || req.Body == http.NoBody {
				req.Body = emptyBody{} // net/http repeats what has no body
			}
			req.GetBody = nil
			if again != nil && t.isHTTP1.Load() {
				req.GetBody = t.rewind(again)
			}
		}
		resp, err := t.base.RoundTrip(req)
		if err == nil || !writes || again == nil || !isUnprocessed(err) || resends == maxResends {
			return resp, err
		}
		body, bodyErr := again()
		if bodyErr != nil {
			return resp, err
		}
		req = req.WithContext(req.Context()) // the transport may still use the last one
		req.Body = body
	}
}

var errNotRepeated = errors.New("the stream was reset, and the request is not sent again")

// rewind returns again for a connection of HTTP/1.
func (t *attemptTransport) rewind(again func() (io.ReadCloser, error)) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		if !t.isHTTP1.Load() {
			return nil, errNotRepeated
		}
		return again()
	}
}

// emptyBody is a body of no bytes.
type emptyBody struct{}

func (emptyBody) Read([]byte) (int, error) { return 0, io.EOF }
func (emptyBody) Close() error             { return nil }

// isUnprocessed reports whether the server says that it has not handled the request
// at all: it refused the stream, or is shutting down and named an earlier one as its
// last. The errors of net/http have no types for that.
func isUnprocessed(err error) bool {
	text := err.Error()
	return strings.Contains(text, "REFUSED_STREAM; received from peer") || strings.Contains(text, "received Server's graceful shutdown GOAWAY")
}

// attemptBody is read within the time of the attempt.
type attemptBody struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (b *attemptBody) Close() error {
	err := b.ReadCloser.Close()
	b.cancel()
	return err
}

// attemptTimeoutError ends an attempt.
type attemptTimeoutError struct{ timeout time.Duration }

func (e attemptTimeoutError) Error() string { return "no whole answer within " + e.timeout.String() }

// Timeout makes it a time limit for [net.Error].
func (attemptTimeoutError) Timeout() bool { return true }

// Temporary is the other method of [net.Error].
func (attemptTimeoutError) Temporary() bool { return true }

// Is tells that it is one of a context.
func (attemptTimeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

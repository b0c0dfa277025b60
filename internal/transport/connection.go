package transport

import (
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"syscall"
	"time"
)

// connection says whether an attempt had one to write to.
type connection struct {
	tooLate bool // the context had ended before
	state   atomic.Int32
}

const (
	notAsked int32 = iota // as with a transport of a user that tells nothing
	waiting
	connected
)

func (c *connection) reset(tooLate bool) {
	c.tooLate = tooLate
	c.state.Store(notAsked)
}

// happened tells whether an attempt that failed with err may have sent something.
func (c *connection) happened(err error) bool {
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

// temporary tells whether an attempt that failed with err may succeed the next
// time. If there was no connection, it may if that was refused, broke or took too
// long, and not if either side refused a certificate, whatever the error for that.
// If there was one, it may unless the same would come again.
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
	_, isSystem := errors.AsType[syscall.Errno](err)
	netError, isNet := errors.AsType[net.Error](err)
	return isSystem || isNet && netError.Timeout() ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

// refused tells whether TLS, and not the network, ended an attempt that failed
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
}

func (t *attemptTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	attempts, _ := req.Context().Value(attemptsKey{}).(*attempts)
	ctx, cancel := context.WithDeadlineCause(req.Context(), attempts.started.Add(t.timeout), attemptTimeoutError{t.timeout})
	if _, tells := t.base.(*http.Transport); tells {
		attempts.sent.state.Store(waiting)
	}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { attempts.sent.state.Store(waiting) },
		GotConn: func(httptrace.GotConnInfo) {
			attempts.sent.state.Store(connected)
			attempts.connections.Add(1)
		},
	})
	resp, err := t.base.RoundTrip(req.WithContext(ctx))
	if err != nil {
		cancel()
		return resp, err
	}
	resp.Request = req
	resp.Body = &attemptBody{resp.Body, cancel}
	return resp, nil
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

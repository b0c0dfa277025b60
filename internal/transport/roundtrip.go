package transport

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

type attemptsKey struct{}

// OperationFrom returns the Operation of the [Request] whose context ctx is; nil if it
// is that of none.
func OperationFrom(ctx context.Context) fmt.Stringer {
	if attempts := attemptsOf(ctx); attempts != nil {
		return attempts.request.Operation
	}
	return nil
}

// attemptsOf returns those of the request whose context ctx is; nil if it is that of none.
func attemptsOf(ctx context.Context) *attempts {
	attempts, _ := ctx.Value(attemptsKey{}).(*attempts)
	return attempts
}

// attemptTransport bounds attempts in time. The Timeout of an http.Client would,
// too, but it starts two goroutines for each request if it does not know the type
// of the transport. And it hides the idle connections, which others may use, from
// go-retryablehttp, which closes them when it gives up.
type attemptTransport struct {
	base    http.RoundTripper
	timeout time.Duration
	late    error    // of an attempt that took longer
	http2   sync.Map // of origins that spoke it last
}

type origin struct{ scheme, host string }

// RoundTrip sends one request of an attempt, which has more than one if it is
// redirected.
func (t *attemptTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	attempts := attemptsOf(req.Context())
	if attempts == nil {
		return nil, fmt.Errorf("%w: CheckRedirect gave the request another context", errRedirect)
	}
	resp, err := t.send(req, attempts)
	if err != nil {
		if proxy := fromProxy(err); proxy != nil && attempts.sent.state.Load() == waiting && req.Context().Err() == nil {
			return resp, proxy
		}
		return resp, err
	}
	resp.Request = req
	return resp, nil
}

// maxResends is how often an attempt is sent again of which the server certainly
// handled nothing.
const maxResends = 5

// send sends the request, and again what a server of HTTP/2 refused to handle, as each
// reload of nginx does. net/http would do that itself if it had the body again. But on
// Go 1.26 it also repeats, without limit, what the server may have handled before it
// reset the stream with PROTOCOL_ERROR. So a write leaves it nothing to repeat over
// HTTP/2. Over HTTP/1 net/http repeats a write only if it has written nothing of it.
func (t *attemptTransport) send(req *http.Request, attempts *attempts) (*http.Response, error) {
	if req.Method == http.MethodGet || req.Method == http.MethodHead {
		return t.sendOnce(req, attempts, nil)
	}
	server := origin{req.URL.Scheme, req.URL.Host}
	body, again := req.Body, req.GetBody
	isEmpty := body == nil || body == http.NoBody
	for resends := 0; ; resends++ {
		copied := *req
		copied.Body, copied.GetBody = body, again
		var stop func() // at a connection of HTTP/2 that was not expected
		switch {
		case t.speaksHTTP2(server):
			copied.GetBody = nil
			if isEmpty {
				copied.Body = emptyBody{}
			}
		case isEmpty || again != nil:
			stop = func() { t.http2.Store(server, true) }
		}
		resp, err := t.sendOnce(&copied, attempts, stop)
		if err == nil {
			t.learn(server, resp.ProtoMajor == 2)
			return resp, nil
		}
		stopped := attempts.sent.stopped.Load() && attempts.sent.state.Load() != connected
		if !stopped && (resends == maxResends || !attempts.sent.unprocessed(err)) {
			return resp, err
		}
		if !isEmpty {
			if again == nil {
				return resp, err
			}
			var bodyErr error
			if body, bodyErr = again(); bodyErr != nil {
				return resp, err
			}
		}
	}
}

// speaksHTTP2 guesses whether the server will: if it did the last time, or if the
// transport tells so.
func (t *attemptTransport) speaksHTTP2(server origin) bool {
	if is, known := t.http2.Load(server); known {
		return is.(bool)
	}
	transport, ok := t.base.(*http.Transport)
	return ok && server.scheme == "http" && transport.Protocols != nil && transport.Protocols.UnencryptedHTTP2() && !transport.Protocols.HTTP1()
}

func (t *attemptTransport) learn(server origin, isHTTP2 bool) {
	if t.speaksHTTP2(server) != isHTTP2 {
		t.http2.Store(server, isHTTP2)
	}
}

// sendOnce gives the request to the transport. If stop is not nil, a connection of
// HTTP/2 ends that before anything is written, and stop is called.
func (t *attemptTransport) sendOnce(req *http.Request, attempts *attempts, stop func()) (*http.Response, error) {
	sent := &connection{} // a connection that comes late is not one of the next attempt
	attempts.sent = sent
	ctx, cancel := context.WithDeadlineCause(req.Context(), attempts.started.Add(t.timeout), t.late)
	if ctx.Err() != nil {
		cancel()
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, context.Cause(ctx)
	}
	sent.state.Store(notAsked)
	sent.trace = httptrace.ClientTrace{
		GetConn: func(string) { sent.state.CompareAndSwap(notAsked, waiting) },
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err != nil && refusesTLS(err) {
				sent.refusedTLS.Store(true)
			}
		},
		GotConn: func(info httptrace.GotConnInfo) {
			if stop != nil && isHTTP2(info.Conn) {
				sent.stopped.Store(true)
				stop()
				cancel()
				return
			}
			attempts.connections.Add(1)
			if sent.written.Load() {
				sent.elsewhere.Store(true)
			}
			sent.state.Store(connected)
		},
		WroteHeaders: func() {
			sent.written.Store(true)
			sent.state.Store(connected) // also if the transport did not let itself be stopped
		},
	}
	resp, err := t.base.RoundTrip(req.WithContext(httptrace.WithClientTrace(ctx, &sent.trace)))
	if err != nil {
		cancel()
		return resp, err
	}
	sent.body = attemptBody{resp.Body, cancel}
	resp.Body = &sent.body
	return resp, nil
}

func isHTTP2(conn net.Conn) bool {
	withTLS, ok := conn.(interface{ ConnectionState() tls.ConnectionState })
	return ok && withTLS.ConnectionState().NegotiatedProtocol == "h2"
}

// emptyBody is a body of no bytes, which net/http takes for one that cannot be had
// again. Over HTTP/1 it would be sent in chunks.
type emptyBody struct{}

func (emptyBody) Read([]byte) (int, error) { return 0, io.EOF }
func (emptyBody) Close() error             { return nil }

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

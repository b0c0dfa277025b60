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
	"slices"
	"strings"
	"sync/atomic"
)

// connection says what the hooks of net/http told while a request was sent once.
// They have to earn the certainty that the server did not get it.
type connection struct {
	state      atomic.Int32
	written    atomic.Bool // the request, or a part of it, to some connection
	elsewhere  atomic.Bool // that was another one than the last
	refusedTLS atomic.Bool // by a handshake
	stopped    atomic.Bool // before anything was written, see attemptTransport.send

	trace httptrace.ClientTrace
	body  attemptBody
}

// unsent is the connection of what was not sent yet. It stays as it is.
var unsent connection

const (
	// waiting: no connection came. It is so before the transport has the request.
	waiting int32 = iota
	// notAsked: no hook was called. The transport may be one of a user that tells
	// nothing, a protocol that was registered with net/http's, or fetch of a browser.
	notAsked
	// connected: one came. It stays so if the transport then asks for another.
	connected
)

// happened reports whether the server may have handled a request that failed with err.
func (c *connection) happened(err error) bool {
	return c.state.Load() != waiting && !c.unprocessed(err)
}

// unprocessed reports whether the server certainly has not handled the request though
// there was a connection. What a transport says that calls no hook, or had sent the
// request elsewhere before, is no certainty.
func (c *connection) unprocessed(err error) bool {
	if c.state.Load() != connected || c.elsewhere.Load() {
		return false
	}
	is := func(text string) bool { return strings.Contains(err.Error(), text) }
	return slices.ContainsFunc(refusals, is) || !c.written.Load() && slices.ContainsFunc(unusable, is)
}

// The errors of net/http over HTTP/2 have no types.
var (
	// The server refused the stream, or is shutting down and named an earlier one as
	// its last.
	refusals = []string{"REFUSED_STREAM; received from peer", "received Server's graceful shutdown GOAWAY"}
	// The connection ended between two requests.
	unusable = []string{"client conn not usable", "client conn could not be established", "cannot rewind body after connection loss"}
)

// temporary reports whether a request that failed with err may succeed the next time.
// It may unless the same would come again.
func (c *connection) temporary(err error) bool {
	_, isDeflate := errors.AsType[flate.CorruptInputError](err)
	return !errors.Is(err, errRedirect) && // first, as a CheckRedirect of a user may say anything
		!isBadLocation(err) && !errors.Is(err, ErrResponseTooLarge) &&
		!isDeflate && !errors.Is(err, gzip.ErrHeader) && !errors.Is(err, gzip.ErrChecksum) &&
		!isUnknownName(err) && !noTLS(err) && !c.refused(err)
}

// refused reports whether TLS or a proxy, and not the network, ended a request that
// failed with err.
func (c *connection) refused(err error) bool {
	_, isCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	proxy, isProxy := errors.AsType[*proxyError](err)
	return isCertificate || isAlert(err) || isProxy && proxy.final ||
		c.state.Load() == waiting && c.refusedTLS.Load()
}

// refusesTLS reports whether a handshake that failed with err would fail again: a
// certificate, a version or a function of the configuration ended it, not the network.
func refusesTLS(err error) bool {
	_, isNetwork := errors.AsType[net.Error](err)
	broke := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, context.Canceled)
	return isAlert(err) || !isNetwork && !broke && !noTLS(err)
}

// isAlert reports whether a peer sent an alert of TLS, which version 1.3 may do after
// the handshake.
func isAlert(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "remote error"
}

func noTLS(err error) bool {
	_, isHeader := errors.AsType[tls.RecordHeaderError](err)
	return isHeader || errors.Is(err, http.ErrSchemeMismatch)
}

func isUnknownName(err error) bool {
	dns, ok := errors.AsType[*net.DNSError](err)
	return ok && dns.IsNotFound
}

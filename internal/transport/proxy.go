package transport

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
)

// proxyError is that of a proxy that was asked to connect to the server, and did not.
// The server got nothing.
type proxyError struct {
	err   error
	code  int  // of the answer to CONNECT; 0: unknown
	final bool // it would say the same again
}

func (e *proxyError) Error() string {
	text := e.err.Error()
	if e.code > 0 {
		text = fmt.Sprintf("%d %s", e.code, text)
	}
	return "the proxy did not connect: " + text
}

func (e *proxyError) Unwrap() error { return e.err }

// finalSOCKS begin what net/http says of a SOCKS proxy whose answer stays the same.
var finalSOCKS = []string{
	"no acceptable authentication methods",
	"invalid username/password",
	"username/password authentication failed",
	"unknown error connection not allowed by ruleset",
	"unknown error command not supported",
	"unknown error address type not supported",
	"unexpected protocol version",
}

// fromProxy returns the error that err is of a proxy, nil if it is none. net/http has
// no type for it: after a CONNECT that fails, it says the words of the status alone.
func fromProxy(err error) *proxyError {
	if op, ok := err.(*net.OpError); ok && op.Op == "socks connect" { //nolint:errorlint // as net/http returns it
		return &proxyError{err: err, final: slices.ContainsFunc(finalSOCKS, func(text string) bool { return strings.HasPrefix(op.Err.Error(), text) })}
	}
	switch text := err.Error(); text {
	case "":
		return &proxyError{err: errors.New("its answer has no words")}
	case "unknown status code":
		return &proxyError{err: err}
	default:
		for code := http.StatusMultipleChoices; code < 600; code++ {
			if http.StatusText(code) == text {
				passes := code >= http.StatusInternalServerError || code == http.StatusRequestTimeout || code == http.StatusTooManyRequests
				return &proxyError{err, code, !passes}
			}
		}
	}
	return nil
}

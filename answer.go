package authentik

import (
	"context"
	"net/http"

	"github.com/authentik-go/authentik/internal/transport"
)

// Answer is what came back beside the object: see [OnAnswer].
type Answer struct {
	Operation  Operation
	Path       string // of the URL, without the query
	StatusCode int
	RequestID  string      // the header X-authentik-id, as in the server's log; "" if a proxy answered
	Attempts   int         // how often the request was tried
	Header     http.Header // of the response; not to be changed
}

type answerKey struct{}

// OnAnswer returns a context whose calls tell f each answer of the server, the good
// ones and those that become errors, before they return. It serves the request id
// for a support ticket, and the headers by which a proxy limits requests:
//
//	var answer authentik.Answer
//	ctx := authentik.OnAnswer(ctx, func(a authentik.Answer) { answer = a })
//	user, err := client.CoreUsers.Retrieve(ctx, 1)
//	log.Print(answer.RequestID)
//
// A walk asks for one page after the other, each of which is an answer; with
// Prefetch in [ListOptions] they come from several goroutines at once, as they do if
// several share the context. Attempts that were repeated, and requests that got no
// answer, are not told. The f of an outer context is told as well, after that of the
// inner one.
func OnAnswer(ctx context.Context, f func(Answer)) context.Context {
	outer, ok := ctx.Value(answerKey{}).(func(Answer))
	if !ok {
		return context.WithValue(ctx, answerKey{}, f)
	}
	return context.WithValue(ctx, answerKey{}, func(a Answer) {
		f(a)
		outer(a)
	})
}

// tell tells the context's function what came back.
func (op Operation) tell(ctx context.Context, r *transport.Response) {
	if f, ok := ctx.Value(answerKey{}).(func(Answer)); ok {
		f(Answer{op, r.Path, r.Status, r.Header.Get(transport.RequestIDHeader), r.Attempts, r.Header})
	}
}

// Package authentik reads the REST API of authentik, the open-source identity
// provider: identification, password and source stages as typed resources, and
// every other endpoint through the functions [Get], [List], [Pages] and [All].
// They are read and written. A pk is a uuid.UUID of
// github.com/google/uuid.
//
//	client, err := authentik.NewClient("https://authentik.example.com", token)
//	if err != nil {
//		return err
//	}
//	for stage, err := range client.StagesIdentification.All(ctx, nil) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(stage.Name, stage.UserFields)
//	}
//
// # Authentication
//
// [NewClient] takes an API token, or an OAuth2 access token with the scope
// goauthentik.io/api; [NewClientFromEnv] reads AUTHENTIK_URL and
// AUTHENTIK_TOKEN. authentik gives a token that expires a new key, daily by
// default: [WithTokenSource] asks for the token at each attempt. The token goes
// into the Authorization header of requests to the base URL's host and nowhere
// else. A redirect to another host or port, or from https to http, is refused;
// only one from http to https on the same host may change the port.
//
// [WithTLSConfig] sets your own CA or a client certificate, [WithHeader] the
// access headers of a proxy, [WithHTTPClient] everything else.
//
// # Listing
//
// A service's List returns one [Page]; Pages and All are iterators over the
// whole list. They ask for 100 objects a page, do nothing before the loop, start
// over when ranged again, and stop all I/O when the loop is left. An error is
// yielded once, as (nil, err), and ends the loop. [Collect] makes a slice.
//
// All yields each object once, also if objects are created or deleted during
// the walk: a reading that is not consistent is followed by another, and after
// three it ends with [ErrListChanged]. The function [All] says which changes one
// reading cannot tell; [ListOptions].Confirm makes it read until two readings
// saw the same objects, for a program that deletes what the list does not have.
//
// [ListOptions].Prefetch has so many pages asked for at a time. It makes a walk
// over a slow network faster, and costs the server as many requests at a time:
// authentik's workers are few, and 4 is plenty.
//
// # Filters and null
//
// The filters of a list are the fields of its options. Nil and zero mean no
// filter; booleans and numbers are pointers, so that new(false) and new(0) are
// filters. Each filter is an exact match; Search looks for words in names. A
// server that does not know a filter ignores it. authentik cannot filter for
// null: read the list and look.
//
// A member that may be null is a pointer, nil for null. Elsewhere a null, or a
// member that the server is too old to send, is zero.
//
// # Errors
//
// An answer other than 2xx is an [APIError] with the server's words, its
// request id and the body. A 400 is a [ValidationError] with the messages by
// field; a 403 is a [ForbiddenError], which tells a refused token from a missing
// permission. [ErrNoEndpoint] tells a path that the server does not have from an
// object that is not there. [ErrNotFound] and its like are for [errors.Is]:
//
//	stage, err := client.StagesSource.Retrieve(ctx, pk)
//	switch {
//	case errors.Is(err, authentik.ErrNotFound):
//		// there is no such stage, or the token's user may not see it
//	case errors.Is(err, authentik.ErrForbidden):
//		// the token is refused, or may not see any stage
//	case err != nil:
//		return err
//	}
//
// A 2xx that is not what was asked for, such as a proxy's HTML or authentik
// 2025.10.0's 200 while it starts, is a [DecodeError]. Any other error wraps
// what the transport said: [context.Canceled], [context.DeadlineExceeded] and
// [*net/url.Error] are found, and [os.ErrDeadlineExceeded] for every kind of
// time limit, an attempt's or a connection's as well. The text of an
// error is one line, and has neither body nor query nor token, but what the
// server itself quotes.
//
// # Retries and restarts
//
// An attempt that gets no whole answer, and the statuses 429, 502, 503 and 504
// are tried again, three times by default, after 0.5, 1 and 2 seconds less up to
// a quarter at random. So is a 500 that is not authentik's own: one without a
// request id and not in HTML. Retry-After is obeyed up to 10 seconds. Final at
// once is any other status, and what would come again: a refused certificate or
// redirect, an unknown host, no TLS where some is expected, a broken gzip
// stream, a body over 32 MiB. An attempt may take 30 seconds. The
// context bounds the whole call: its end ends a wait, and a wait that cannot end
// before its deadline is not begun. When the retries or the time are used up,
// the error is that of the last attempt; where the next wait would have been too
// long, it is [context.DeadlineExceeded] as well. [WithRetries] changes the number and
// the waits; the Timeout of the client given to [WithHTTPClient] is that of an
// attempt.
//
// An authentik that starts refuses connections, then answers 502 or 503, for
// longer than the default retries wait, which is 3.5 seconds. A program that is
// to outlast a restart asks for more and bounds the call with the context. This
// waits for 100 seconds if the server asks for 5 seconds each time, as it does
// since 2025.10, and up to three minutes if it says nothing:
//
//	authentik.WithRetries(20, time.Second, 10*time.Second)
//
// [Client.WaitReady] waits for a server that is being set up.
//
// # Writing
//
// A member of a request that is not set is left out: a new object gets the
// server's default, an Update leaves the member as it is. new(false), new("") and
// an empty slice are sent, a nil slice is not. Where null is a value, the member
// is a [Nullable]: [Null] sends null, [Value] a value, and [ValueOrNull] copies
// the pointer of a model.
//
// [Post], [Put], [Patch] and [Delete] write to any endpoint with structs of your
// own. Give their optional members pointers and the tag omitzero, for the same.
//
// PUT, PATCH and DELETE are tried again as reads are, and a DELETE that finds
// nothing after an attempt of unknown outcome is done. A POST is tried again
// only if the server certainly did not handle it: after 429, or where there was
// no connection. A write that the server may have done, though no answer said
// so, ends with an error that matches [ErrOutcomeUnknown]: look before you try
// again. The redirects 301, 302 and 303, which would make a read of a write, are
// errors; give [NewClient] the URL that they lead to.
//
// A server that is too old for a member ignores it. The logger gets a warning
// then, and with [WithStrictWrites] the call returns an [IgnoredError] beside the
// object.
//
// An upload needs a size: content that can seek, such as a file, is streamed and
// may be sent again; content that only tells its length is streamed once, and
// any other is read into memory, up to the 32 MiB that authentik takes.
//
// # Server versions
//
// Servers from 2023.10 to 2026.8 are read by the same types. A member that a
// server does not send is left zero; one that this SDK does not know is kept in
// Extra, and written back when the object is encoded; an unknown value of an
// enum is kept as it came. Decoding does not insist on any member but an
// object's identity and a list's pagination and results.
//
// JSON is read the same way on every version of Go. On Go 1.26, and on 1.27 with
// GOEXPERIMENT=nojsonv2, the models have JSON methods, which a struct that embeds
// a model inherits, so that it is neither decoded nor encoded itself: use a named
// field.
//
// # Other endpoints
//
// [Get], [List], [Pages] and [All] read any other endpoint below /api/v3/ into a
// struct of your own. The services are calls of the same functions:
//
//	type User struct {
//		PK       int    `json:"pk"`
//		Username string `json:"username"`
//	}
//
//	users, err := authentik.Collect(authentik.All[User](ctx, client, "core/users/", nil))
//
// All tells objects apart by the field for pk, or by one with the tag
// authentik:"identity", as many of authentik's objects have no pk: without either,
// a change of the list ends the walk at once. Embed [ListOptions] in a struct of your own for the
// filters. For all members of whatever comes, use map[string]any or
// [encoding/json.RawMessage] instead of a struct, and with Get a slice for an
// endpoint that answers a list without pages.
//
// # Concurrency
//
// A [Client] is immutable, and safe for use by many goroutines. So are the
// iterators: each loop over one has its own state.
//
// # Logging
//
// [WithLogger] logs each attempt at debug level as "authentik request" with the
// keys method, path, status, attempt, duration and request_id, after a failure
// error, and wait if there is another attempt. Queries, headers and bodies are
// never logged.
//
// # Testing
//
// Package authentiktest starts a fake authentik on the loopback interface. Code
// that takes a small interface of its own needs no server at all:
//
//	type passwordStages interface {
//		All(context.Context, *authentik.StagesPasswordListOptions) iter.Seq2[*authentik.PasswordStage, error]
//	}
//
// client.StagesPassword is one, and so is a fake of five lines:
//
//	type fakeStages func(yield func(*authentik.PasswordStage, error) bool)
//
//	func (f fakeStages) All(context.Context, *authentik.StagesPasswordListOptions) iter.Seq2[*authentik.PasswordStage, error] {
//		return iter.Seq2[*authentik.PasswordStage, error](f)
//	}
package authentik

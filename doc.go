// Package authentik is a client for the REST API of authentik, the open-source
// identity provider. It has the whole of it: every list, object and action of
// the releases 2023.10 to 2026.8 is a method of a service, and the services are
// fields of [Client], named by their paths: client.CoreUsers is core/users/.
// Their index stands below.
//
//	client, err := authentik.NewClient("https://authentik.example.com", token)
//	if err != nil {
//		return err
//	}
//	for user, err := range client.CoreUsers.All(ctx, nil) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(user.Username, user.Email)
//	}
//
// What authentik itself says about its API is at
// https://docs.goauthentik.io/api/.
//
// # I want to → call
//
//	find one object by name          One(client.CoreGroups.All(ctx, &CoreGroupsListOptions{Name: "staff"}))
//	read a whole list                client.CoreUsers.All, or Collect of it
//	count without reading            List with PageSize 1, then Pagination.Count
//	create or update                 One, then Create; or Changes and Update
//	add to a list that is replaced   AddMembers
//	wait for a blueprint or a sync   WaitFor
//	wait for a server                client.WaitReady
//	know its release                 client.ServerVersion
//	know who I am                    client.CoreUsers.Me
//	know what a 403 lacks            ForbiddenError.Permissions
//	know which field is wrong        ValidationError.Fields
//	set a password                   client.CoreUsers.SetPassword
//	get the key of a token           client.CoreTokens.ViewKey
//	let a group open an application  client.PoliciesBindings.Create
//	test a policy of any kind        client.PoliciesAll.Test
//	see what a change would break    UsedBy of each service
//	call what has no method          Get, Post, All
//	get the request id of a success  OnAnswer
//	name spans and metrics           OperationFrom
//	log in without a browser         package flow
//	test without a server            package authentiktest
//
// docs/cookbook.md of the repository has whole recipes.
//
// # Authentication
//
// [NewClient] takes an API token, or an OAuth2 access token with the scope
// goauthentik.io/api. [NewClientFromEnv] reads the environment:
//
//   - AUTHENTIK_URL is the base URL, such as https://authentik.example.com.
//   - AUTHENTIK_HOST is the base URL if AUTHENTIK_URL is not set.
//   - AUTHENTIK_TOKEN is the token.
//   - AUTHENTIK_INSECURE, if true, accepts any certificate.
//
// authentik gives a token that expires a new key, daily by default:
// [WithTokenSource] asks for the token at each attempt. The token goes into the
// Authorization header of requests to the base URL's host and nowhere else. A
// redirect to another host or port, or from https to http, is refused; only one
// from http to https on the same host may change the port.
//
// [WithTLSConfig] sets your own CA or a client certificate, [WithHeader] the
// access headers of a proxy, [WithHTTPClient] everything else.
//
// # Permissions
//
// Each method names the permissions that it needs, such as
// authentik_core.view_user. One that is given for all objects of a kind is always
// enough; for a method that takes an object's pk, and for seeing it in a list, one
// that is given for this object is too, if the method does not say "on all
// objects". 2023.10 is stricter: it wants most for all objects, and the first one of an
// action, such as SetPassword, on the object itself. A superuser needs none. Who lacks
// one gets a [ForbiddenError], which names them; who may see some objects only gets
// those alone, and [ErrNotFound] for the others.
//
// The methods speak of the newest server that was asked, 2026.5. Five releases were:
// 2023.10, 2025.10, 2025.12, 2026.2 and 2026.5. Each other one is taken for the
// nearest of them, the older of two, and what came later for what is usual.
//
// # Listing
//
// A service's List returns one [Page]; Pages and All are iterators over the
// whole list. They ask for 100 objects a page, do nothing before the loop, start
// over when ranged again, and stop all I/O when the loop is left. An error is
// yielded once, as (nil, err), and ends the loop. [Collect] makes a slice, [One]
// finds the only object that matches. The Count of any page's [Pagination] is
// that of the whole list: a page of one object counts it without reading it.
//
// All yields each object once, also if objects are created or deleted meanwhile:
// it reads a list that changed once more, and ends with [ErrListChanged] if it
// changes each time. The function [All] says what it promises, and when to set
// Confirm in [ListOptions]: before you delete what a list does not have.
//
// The filters of a list are the fields of its options. Nil and zero mean no
// filter; booleans and numbers are pointers, so that new(false) and new(0) are
// filters. Search looks for words. A filter that the server's release lacks, and
// would ignore, is an error that matches [errors.ErrUnsupported]. authentik cannot
// filter for null: read the list and look.
//
// # Objects
//
// A method takes what authentik's own URL has: the pk, a uuid.UUID of
// github.com/google/uuid or an int; the slug of a flow, an application or a
// source; the identifier of a token. A zero pk and an empty slug are errors
// before any request. [All] tells objects apart by the same identity.
//
// A member that may be null is a pointer, nil for null. Elsewhere a null, or a
// member that the server did not send, is zero.
//
// A number in an object of free form is a float64, as of encoding/json, or a
// [encoding/json.Number] if it is an integer that a float64 cannot hold, such as
// the times of Active Directory: what is read and written back is the same.
//
// An enum is a named string with a constant for each value, except [CountryCode] and
// a few other long ones. A span of time is text, such as
// "hours=1;minutes=2": [ParseDuration] reads it.
//
// # Writing
//
// Create makes an object, Update changes one, Delete deletes one. One type of
// request serves both Create and Update: its comments say what Create requires.
// A field that is zero or nil is left out: a new object gets the server's
// default, and Update leaves the member as it is. The rest is sent:
//
//	&authentik.UserRequest{
//		Username:  "ada",                       // "" would be left out
//		IsActive:  new(false),                  // as are new("") and new(0)
//		Groups:    []uuid.UUID{},               // empties the list
//		LastLogin: authentik.Null[time.Time](), // or authentik.Value(t)
//	}
//
// authentik's own PATCH fills in, or wants, members of some objects that a request
// leaves out: a token would get another owner. Update reads such members first and
// sends them along as they are; the comment of the method says which. A change by
// somebody else between the reading and the PATCH is put back. If the reading
// fails, nothing is written. The function [Patch] sends what it is told.
//
// Where null is a value, the field is a [Nullable]: [Null] sends null, [Value] a
// value, and [ValueOrNull] copies the pointer of a model.
//
// A field that is a secret says so, in requests and in models. No error, no log
// of the SDK and no verb of package fmt shows it. JSON carries it: encoding/json
// writes it, and so does slog's JSON handler if the value stands inside another
// one, such as a slice or a page.
//
// Actions are methods named by authentik's own word, such as SetPassword of
// [CoreUsersService]; UsedBy says what refers to an object. [Post], [Put],
// [Patch] and [Delete] write to any endpoint.
//
// A write that the server may have done, though no answer said so, ends with an
// error that matches [ErrOutcomeUnknown]: look before you try again. A redirect
// by 301, 302 or 303 would make a read of a write, and is an error that names
// the base URL to use.
//
// A list and an object of free form, such as attributes, are replaced as a whole.
// To set one attribute, read the object and send them all; what another program
// writes in between is lost:
//
//	user, err := client.CoreUsers.Retrieve(ctx, pk)
//	if err != nil {
//		return err
//	}
//	user.Attributes["floor"] = 3
//	_, err = client.CoreUsers.Update(ctx, pk, &authentik.UserRequest{Attributes: user.Attributes})
//
// A server ignores a member that it is too old for, and may make something else of
// one that it knows: an API token expires when the tenant says. The logger gets a
// warning then, and with [WithStrictWrites] the call returns an [IgnoredError]
// beside the object. An import that failed is answered by 200 as well: it is a
// [FailedError].
//
// An upload takes an [io.Reader]. One that can seek, such as a file, is streamed
// and may be sent again; one that tells its length by a method Len is streamed
// once; any other is read into memory, up to the 32 MiB that authentik takes. It
// has the time of an attempt, which is 30 seconds: a client of your own with a
// longer Timeout, by [WithHTTPClient], gives it more. After the call nothing reads
// it any more.
//
// # Errors
//
// An answer other than 2xx is an [APIError] with the server's words, its request
// id and the body. A 400 is a [ValidationError] with the messages by field. A 403
// is a [ForbiddenError]; if the token was refused, it matches [ErrUnauthorized] as
// well. [ErrNotFound] is authentik's word that there is no such object, any other
// 404 is [ErrNoEndpoint]. They and their like are for [errors.Is]:
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
// A 2xx that is not what was asked for, such as a proxy's HTML, is a
// [DecodeError]. Any other error wraps what the transport said:
// [context.Canceled], [context.DeadlineExceeded] and [*net/url.Error] are found,
// and [os.ErrDeadlineExceeded] for every kind of time limit, an attempt's or a
// connection's as well. The text of an error is one line. It has no body, query or
// token, except for what the server itself quotes. What to do about each is in
// docs/errors.md of the repository.
//
// # Retries
//
// An attempt that fails in a way that may pass is repeated, three times by
// default; a POST only if the server certainly did not handle it. [WithRetries]
// says when, after how long, and how to outlast a restart of the server.
// [Client.WaitReady] waits for one that is being set up. The context bounds a
// call with all its attempts and waits.
//
// # Server versions
//
// The same types serve every server from 2023.10 to 2026.8: what is too old is
// zero, what is unknown is in Extra. That is, a member that the server does not
// send is left zero; one that this SDK does not know is kept in Extra, and
// written back when the object is encoded; an unknown value of an enum is kept
// as it came. Decoding insists on no member but an object's identity and a
// list's pagination and results. A comment says since or until which release a
// member, a filter or an endpoint is there; an endpoint that the server does not
// have answers [ErrNoEndpoint].
//
// What an older server takes in another form, such as the redirect URIs of an
// [OAuth2ProviderRequest], is written in that form; what it cannot say there is an
// error before the request. [Client.ServerVersion] is asked for it, once.
//
// JSON is read the same way on every version of Go. On Go 1.26, and on 1.27 with
// GOEXPERIMENT=nojsonv2, the models have JSON methods. A struct that embeds a
// model inherits them, so that its own fields are neither decoded nor encoded:
// use a named field.
//
// # Other endpoints
//
// [Get], [List], [Pages] and [All] read any endpoint below /api/v3/ into a
// struct of your own, as [Post] and its like write from one. The services call
// the same code.
//
//	type User struct {
//		PK       int    `json:"pk"`
//		Username string `json:"username"`
//	}
//
//	users, err := authentik.Collect(authentik.All[User](ctx, client, "core/users/", nil))
//
// All tells objects apart by the field for pk, or by the one with the tag
// authentik:"identity"; without either, a change of the list ends the walk at
// once. Embed [ListOptions] in a struct of your own for the filters, and give
// optional fields of a request the tag omitzero. For all members of whatever
// comes, use map[string]any or [encoding/json.RawMessage] instead of a struct,
// and with Get a slice for an endpoint that answers a list without pages.
//
// # What is left out
//
// The flow executor (flows/executor/) and inspector (flows/inspector/) are what
// package flow is for. schema/ is the API's description; [Get] reads it. There is
// no PUT for what takes PATCH.
//
// # Concurrency
//
// A [Client] is immutable, and safe for use by many goroutines. So are the
// iterators: each loop over one has its own state.
//
// # Logging
//
// [WithLogger] logs each attempt at debug level as "authentik request" with the
// keys method, path, operation, status, attempt, duration and request_id, after a failure
// error, and wait if there is another attempt. Queries, headers and bodies are
// never logged.
//
// # Testing
//
// Package authentiktest is a fake authentik on the loopback interface, with all
// lists, writes and errors. Code that takes a small interface of its own needs
// no server at all: the example named Interface shows both sides.
package authentik

package flow_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/flow"
)

// authentikServer is a server whose one flow asks for a name and a password.
func authentikServer() *httptest.Server {
	answer := func(w http.ResponseWriter, req *http.Request, body string) {
		if req.Method == http.MethodPost && body == "" { // a right answer
			w.Header().Set("Location", req.URL.RequestURI())
			w.WriteHeader(http.StatusFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}
	at := 0
	const info = `"flow_info":{"title":"Welcome","cancel_url":"/","layout":"stacked"}`
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		sent, _ := io.ReadAll(req.Body)
		switch {
		case req.URL.Path == "/api/v3/core/users/me/":
			answer(w, req, `{"user":{"pk":7,"username":"anna"}}`)
		case req.Method == http.MethodPost && string(sent) == `{"component":"ak-stage-password","password":"wrong"}`:
			answer(w, req, `{"component":"ak-stage-password",`+info+`,"response_errors":{"password":[{"string":"Invalid password","code":"invalid"}]}}`)
		case req.Method == http.MethodPost:
			at++
			answer(w, req, "")
		default:
			answer(w, req, []string{
				`{"component":"ak-stage-identification",` + info + `}`, `{"component":"ak-stage-password",` + info + `}`, `{"component":"xak-flow-redirect","to":"/"}`,
			}[at])
		}
	}))
}

func ExampleLogin() {
	server := authentikServer()
	defer server.Close()
	ctx := context.Background()

	client, err := authentik.NewClient(server.URL, "", authentik.WithoutToken())
	if err != nil {
		log.Fatal(err)
	}
	run, err := flow.Login(ctx, client, &flow.LoginOptions{Username: "anna", Password: "secret", Flow: "default-authentication-flow"})
	if err != nil {
		log.Fatal(err)
	}
	me, err := run.Client().CoreUsers.Me(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(me.User.Username, run.To())
	// Output: anna /
}

func ExampleRun_Answer() {
	server := authentikServer()
	defer server.Close()
	ctx := context.Background()

	client, err := authentik.NewClient(server.URL, "", authentik.WithoutToken())
	if err != nil {
		log.Fatal(err)
	}
	run, err := flow.Start(ctx, client, "default-authentication-flow", nil)
	if err != nil {
		log.Fatal(err)
	}
	passwords := []string{"wrong", "right"}
	for !run.Done() {
		switch run.Challenge().(type) {
		case *flow.IdentificationChallenge:
			err = run.Answer(ctx, flow.IdentificationAnswer{UIDField: "anna"})
		case *flow.PasswordChallenge:
			err = run.Answer(ctx, flow.PasswordAnswer{Password: passwords[0]})
			passwords = passwords[1:]
		default:
			log.Fatal(run)
		}
		if refused, ok := errors.AsType[*flow.AnswerError](err); ok {
			fmt.Println(refused.Errors["password"][0].Code) // try again
		} else if err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(run.To())
	// Output:
	// invalid
	// /
}

func ExampleTOTPCode() {
	code, err := flow.TOTPCode("otpauth://totp/authentik:anna?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&digits=6", time.Unix(59, 0))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(code)
	// Output: 287082
}

func ExampleParseLink() {
	slug, query, _ := flow.ParseLink("https://authentik.example.com/if/flow/recovery/?flow_token=abc")
	fmt.Println(slug, query)
	// Output: recovery flow_token=abc
}

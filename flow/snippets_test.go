package flow_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/flow"
)

// The functions below have the snippets of docs/flows.md, so that the compiler
// checks them.

func _(ctx context.Context, url, password, configURL string) error {
	client, err := authentik.NewClient(url, "", authentik.WithoutToken())
	if err != nil {
		return err
	}
	run, err := flow.Login(ctx, client, &flow.LoginOptions{
		Username: "anna",
		Password: password,
		Code: func(context.Context, *flow.AuthenticatorValidationChallenge) (string, error) {
			return flow.TOTPCode(configURL, time.Now())
		},
	})
	if err != nil {
		return err
	}
	me, err := run.Client().CoreUsers.Me(ctx)
	_ = me
	return err
}

func _(ctx context.Context, client *authentik.Client, invitation string) error {
	run, err := flow.Start(ctx, client, "enrolment", &flow.Options{Query: "itoken=" + invitation})
	for err == nil && !run.Done() {
		switch c := run.Challenge().(type) {
		case *flow.PromptChallenge:
			err = run.Answer(ctx, flow.PromptAnswer{"username": "anna", "email": "anna@example.com"})
		case *flow.ConsentChallenge:
			err = run.Answer(ctx, flow.ConsentAnswer{Token: c.Token})
		default:
			err = fmt.Errorf("unexpected: %s", c.Base().Component)
		}
	}
	return err
}

func _(run *flow.Run) ([]byte, error) {
	saved, err := run.Session().Save() // a secret
	return saved, err
}

// TestSnippets finds every snippet of docs/flows.md in this file.
func TestSnippets(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/flows.md")
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := os.ReadFile("snippets_test.go")
	if err != nil {
		t.Fatal(err)
	}
	snippets := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	for _, snippet := range snippets {
		if !strings.Contains(string(compiled), snippet[1]) {
			t.Errorf("the compiler does not see\n%s", snippet[1])
		}
	}
	if len(snippets) != 3 {
		t.Errorf("there are %d snippets", len(snippets))
	}
}

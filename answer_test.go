package authentik_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/authentik-go/authentik/internal/testkit"
)

func TestOnAnswer(t *testing.T) {
	t.Parallel()
	server, client := testkit.FakeClient(t, authentik.WithRetries(1, 0, 0))
	for range 5 {
		server.CoreUsers.Add(authentik.User{})
	}
	var inner, outer []authentik.Answer
	ctx := authentik.OnAnswer(t.Context(), func(a authentik.Answer) { outer = append(outer, a) })
	ctx = authentik.OnAnswer(ctx, func(a authentik.Answer) { inner = append(inner, a) })

	server.Fail(1, authentiktest.Failure{Status: http.StatusServiceUnavailable})
	if _, err := client.CoreUsers.Retrieve(ctx, 1); err != nil {
		t.Fatal(err)
	}
	_, err := client.CoreUsers.Retrieve(ctx, 99)
	missing, ok := errors.AsType[*authentik.APIError](err)
	if !ok {
		t.Fatal(err)
	}
	opts := &authentik.CoreUsersListOptions{ListOptions: authentik.ListOptions{PageSize: 2}}
	if _, err := authentik.Collect(client.CoreUsers.All(ctx, opts)); err != nil {
		t.Fatal(err)
	}

	if len(inner) != 5 || len(outer) != 5 {
		t.Fatalf("%d and %d answers, not 5", len(inner), len(outer))
	}
	first := inner[0]
	if first.Operation.String() != "GET core/users/{id}/" || first.Path != "/api/v3/core/users/1/" || first.StatusCode != http.StatusOK || first.Attempts != 2 {
		t.Errorf("the first answer is %+v", first)
	}
	if id := first.RequestID; id == "" || id != first.Header.Get("X-Authentik-Id") {
		t.Errorf("its request id is %q, its header %v", id, first.Header)
	}
	if second := inner[1]; second.StatusCode != http.StatusNotFound || second.RequestID != missing.RequestID {
		t.Errorf("the second answer is %+v, the error %v", second, err)
	}
	ids := map[string]bool{}
	for _, a := range inner {
		ids[a.RequestID] = true
	}
	if len(ids) != 5 || !slices.EqualFunc(inner, outer, func(a, b authentik.Answer) bool { return a.RequestID == b.RequestID }) {
		t.Errorf("the request ids are %v", ids)
	}
}

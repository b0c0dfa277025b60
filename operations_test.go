package authentik_test

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/google/go-cmp/cmp"
	"github.com/jarcoal/httpmock"
)

// TestOperations asks in every way in which services and programs ask.
func TestOperations(t *testing.T) {
	t.Parallel()
	for want, ask := range map[string]func(context.Context, *authentik.Client){
		"GET core/users/":      func(ctx context.Context, c *authentik.Client) { _, _ = c.CoreUsers.List(ctx, nil) },
		"GET core/users/{id}/": func(ctx context.Context, c *authentik.Client) { _, _ = c.CoreUsers.Retrieve(ctx, 7) },
		"GET flows/instances/{slug}/diagram/": func(ctx context.Context, c *authentik.Client) {
			_, _ = c.FlowsInstances.Diagram(ctx, "default-authentication-flow")
		},
		"GET lifecycle/iterations/latest/{content_type}/{object_id}/": func(ctx context.Context, c *authentik.Client) {
			_, _ = c.LifecycleIterations.Latest(ctx, "authentik_core.group", pkText)
		},
		"PATCH core/groups/{group_uuid}/": func(ctx context.Context, c *authentik.Client) {
			_, _ = c.CoreGroups.Update(ctx, pk, &authentik.GroupRequest{Name: "staff"})
		},
		"POST core/users/": func(ctx context.Context, c *authentik.Client) {
			_, _ = c.CoreUsers.Create(ctx, &authentik.UserRequest{Username: "ada"})
		},
		"POST core/users/{id}/set_password/": func(ctx context.Context, c *authentik.Client) {
			_ = c.CoreUsers.SetPassword(ctx, 7, &authentik.UserPasswordSetRequest{Password: "p"})
		},
		"DELETE core/users/{id}/": func(ctx context.Context, c *authentik.Client) { _ = c.CoreUsers.Delete(ctx, 7) },
		"GET admin/version/": func(ctx context.Context, c *authentik.Client) {
			_, _ = authentik.Get[authentik.ServerVersion](ctx, c, "/admin/version", nil)
		},
		"GET core/users/7/": func(ctx context.Context, c *authentik.Client) {
			_, _ = authentik.Get[authentik.User](ctx, c, "core/users/7/", nil)
		},
		"POST new/{/": func(ctx context.Context, c *authentik.Client) {
			_, _ = authentik.Post[struct{}](ctx, c, "new/{/?a=b", nil)
		},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			client, mock := mockClient(t, authentik.WithRetries(0, 0, 0))
			var got []string
			mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
				operation, ok := authentik.OperationFrom(r.Context())
				if !ok || operation.Method != r.Method {
					t.Errorf("the context has %v, %v", operation, ok)
				}
				got = append(got, operation.String())
				return httpmock.NewStringResponse(http.StatusNoContent, ""), nil
			})
			ask(t.Context(), client)
			if diff := cmp.Diff([]string{want}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if operation, ok := authentik.OperationFrom(t.Context()); ok {
		t.Errorf("a context of no request has %v", operation)
	}
}

// TestOperationsAreFound finds each operation of the table by its path.
func TestOperationsAreFound(t *testing.T) {
	t.Parallel()
	operations := authentik.Operations()
	if len(operations) < 1000 {
		t.Fatalf("%d operations", len(operations))
	}
	for _, operation := range operations {
		if got := authentik.OperationOf(operation.Method, operation.Path); got != operation {
			t.Errorf("%v is found as %v", operation, got)
		}
	}
	if !slices.ContainsFunc(operations, func(o authentik.Operation) bool { return o.String() == "POST core/tokens/{identifier}/set_key/" }) {
		t.Error("the table lacks an action")
	}
}

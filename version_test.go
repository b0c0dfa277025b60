package authentik_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/jarcoal/httpmock"
)

// versions answers admin/version/ with each of the answers, the last again and again.
func versions(t *testing.T, opts ...authentik.Option) (client *authentik.Client, mock *httpmock.MockTransport, answer func(status int, version string)) {
	t.Helper()
	mock = httpmock.NewMockTransport()
	client, err := authentik.NewClient("https://authentik.example", "token",
		append(opts, authentik.WithHTTPClient(&http.Client{Transport: mock}), authentik.WithRetries(0, 0, 0))...)
	if err != nil {
		t.Fatal(err)
	}
	return client, mock, func(status int, version string) {
		body := map[string]any{"version_current": version, "version_latest": version, "version_latest_valid": true, "build_hash": "", "outdated": false, "outpost_outdated": false}
		if status != http.StatusOK {
			body = map[string]any{"detail": version}
		}
		mock.RegisterResponder(http.MethodGet, "https://authentik.example/api/v3/admin/version/", httpmock.NewJsonResponderOrPanic(status, body))
	}
}

func TestServerVersionIsKeptForAnHour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, mock, answer := versions(t)
		check := func(want string, calls int) {
			t.Helper()
			release, err := client.ServerVersion(t.Context())
			if err != nil || release.String() != want || mock.GetTotalCallCount() != calls {
				t.Errorf("%q, %v after %d calls, want %q after %d", release, err, mock.GetTotalCallCount(), want, calls)
			}
		}
		answer(http.StatusInternalServerError, "down")
		if _, err := client.ServerVersion(t.Context()); !errors.Is(err, authentik.ErrServer) {
			t.Errorf("%v is no ErrServer", err)
		}
		answer(http.StatusOK, "2026.2.1")
		check("2026.2.1", 2) // a failure is not kept
		answer(http.StatusOK, "2026.8.3")
		<-time.After(time.Hour - time.Second)
		check("2026.2.1", 2)
		<-time.After(time.Second)
		check("2026.8.3", 3)
	})
}

func TestServerVersionThatMayNotBeRead(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusForbidden, http.StatusNotFound} {
		synctest.Test(t, func(t *testing.T) {
			var log strings.Builder
			client, mock, answer := versions(t, authentik.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
			answer(status, "no")
			for range 3 {
				if release, err := client.ServerVersion(t.Context()); err != nil || release != (authentik.Release{}) {
					t.Errorf("%d: %q, %v", status, release, err)
				}
			}
			if mock.GetTotalCallCount() != 1 {
				t.Errorf("%d: asked %d times", status, mock.GetTotalCallCount())
			}
			<-time.After(time.Hour)
			if _, err := client.ServerVersion(t.Context()); err != nil || mock.GetTotalCallCount() != 2 {
				t.Errorf("%d: %v, asked %d times", status, err, mock.GetTotalCallCount())
			}
			if n := strings.Count(log.String(), "level=WARN"); n != 1 {
				t.Errorf("%d: %d warnings: %s", status, n, log.String())
			}
		})
	}
}

// TestServerVersionIsReadOnce asks from several goroutines, one of which does not wait.
func TestServerVersionIsReadOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, mock, answer := versions(t)
		answer(http.StatusOK, "2026.8.3")
		mock.RegisterResponder(http.MethodGet, "https://authentik.example/api/v3/admin/version/",
			httpmock.NewStringResponder(http.StatusOK, `{"version_current":"2026.8.3"}`).Delay(10*time.Second))
		for range 5 {
			go func() {
				if release, err := client.ServerVersion(t.Context()); err != nil || release.String() != "2026.8.3" {
					t.Errorf("%q, %v", release, err)
				}
			}()
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := client.ServerVersion(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v is no DeadlineExceeded", err)
		}
		<-time.After(time.Minute)
		if mock.GetTotalCallCount() != 1 {
			t.Errorf("asked %d times", mock.GetTotalCallCount())
		}
	})
}

func TestAtLeast(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		have, want string
		is         bool
	}{
		{"2026.2.0", "2026.2", true},
		{"2026.2.0-rc1", "2026.2", true},
		{"2025.12.4", "2026.2", false},
		{"2025.12.4", "2025.2", true},
		{"2026.8.3", "2026.8.4", false},
		{"2027.2.0", "2026.8", true},
		{"", "2023.10", false},
		{"2026.2.0", "2026", false},
		{"2026.2.0", "v2026.2", false},
	} {
		if is := authentik.NewRelease(test.have).AtLeast(test.want); is != test.is {
			t.Errorf("%q is at least %q: %v", test.have, test.want, is)
		}
	}
}

// TestReleaseLacks refuses only what every recorded version of the server's release
// lacks: admin/file/ came between 2025.10.4 and 2025.12.0, core/tenants/ went after
// 2023.10.7.
func TestReleaseLacks(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		release, path string
		lacks         bool
	}{
		{"2025.10.4", "admin/file/", true},
		{"2025.10.3", "admin/file/", true},
		{"2025.10.5", "admin/file/", true},
		{"2025.12.0-rc2", "admin/file/", false},
		{"2026.1.0", "admin/file/", false},
		{"2027.2.0", "admin/file/", false},
		{"2022.1.0", "admin/file/", true},
		{"", "admin/file/", false},
		{"2023.10.7", "core/tenants/", false},
		{"2024.2.0", "core/tenants/", true},
		{"2024.2.4", "core/tenants/", true},
		{"2027.2.0", "core/tenants/", true},
	} {
		op := authentik.OperationAt(http.MethodGet, test.path)
		if lacks := authentik.NewRelease(test.release).Lacks(op); lacks != test.lacks {
			t.Errorf("%q lacks %s: %v", test.release, test.path, lacks)
		}
	}
}

// TestOperationOfRequest finds the operation in the context of a request.
func TestOperationOfRequest(t *testing.T) {
	t.Parallel()
	mock := httpmock.NewMockTransport()
	var got []string
	mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
		op, ok := authentik.OperationFrom(r.Context())
		if !ok {
			t.Errorf("%s %s has no operation", r.Method, r.URL)
		}
		got = append(got, op.String())
		if strings.HasSuffix(r.URL.Path, "/5/") { // it fails
			return answer(http.StatusMethodNotAllowed, http.Header{"Allow": {"GET"}, "Content-Type": {"text/html"}}, "")(r)
		}
		return httpmock.NewStringResponse(http.StatusNotFound, `{"detail":"no"}`), nil
	})
	client, err := authentik.NewClient("https://authentik.example", "token", authentik.WithHTTPClient(&http.Client{Transport: mock}))
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	_, _ = client.CoreUsers.Retrieve(ctx, 1)
	_, _ = authentik.Collect(client.CoreUsers.All(ctx, nil))
	_ = client.CoreUsers.SetPassword(ctx, 1, &authentik.UserPasswordSetRequest{Password: "x"})
	_ = client.CoreUsers.Delete(ctx, 1)
	_ = client.CoreUsers.Delete(ctx, 5)
	_, _ = client.LifecycleIterations.Latest(ctx, "x", "y")
	_, _ = authentik.Get[authentik.User](ctx, client, "core/users/{1}/", nil)
	_ = authentik.Delete(ctx, client, "core/users/1/?force=true")
	want := []string{
		"GET core/users/{id}/", "GET core/users/", "POST core/users/{id}/set_password/", "DELETE core/users/{id}/", "DELETE core/users/{id}/", "HEAD core/users/{id}/",
		"GET lifecycle/iterations/latest/{content_type}/{object_id}/", "GET core/users/{1}/", "DELETE core/users/1/",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if op, ok := authentik.OperationFrom(ctx); ok {
		t.Errorf("a context that is of no request has %v", op)
	}
}

package authentik_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/jarcoal/httpmock"
)

func TestReleaseAtLeast(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		release  authentik.Release
		than     string
		expected bool
	}{
		{"2026.5.6", "2026.5", true},
		{"2026.5.6", "2026.5.6", true},
		{"2026.5.6", "2026.5.7", false},
		{"2026.5.6", "2026.8", false},
		{"2026.5.0-rc1", "2026.5", true},
		{"2026.5.0-rc1", "2026.5.1", false},
		{"2025.10.4", "2025.2", true},
		{"2025.2.4", "2025.10", false},
		{"2027.2.0", "2026.8.3", true},
		{"", "2023.10", false},
		{"dev", "2023.10", false},
		{"2026.5.6", "", false},
		{"2026.5.6", "newest", false},
		{"2026.5.6.7", "2026.5", false},
	} {
		if got := test.release.AtLeast(test.than); got != test.expected {
			t.Errorf("%q at least %q: %v", test.release, test.than, got)
		}
	}
}

// TestLacks has a thing that came in one version and went in another.
func TestLacks(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		has    []string
		server authentik.Release
		lacks  bool
	}{
		{[]string{"2026.5.6", "2026.8.3"}, "2026.2.2", true},
		{[]string{"2026.5.6", "2026.8.3"}, "2026.5.0-rc1", false},
		{[]string{"2026.5.6", "2026.8.3"}, "2026.8.9", false},
		{[]string{"2026.5.6", "2026.8.3"}, "2030.2.0", false},
		{[]string{"2026.5.6"}, "2030.2.0", true},
		{[]string{"2024.4.4"}, "2024.4.1", false}, // it may have come in between
		{[]string{"2024.4.4"}, "2024.4.0", false},
		{[]string{"2024.4.4"}, "2024.6.0", true},
		{[]string{"2023.10.7"}, "2022.1.0", false},
		{[]string{"2024.2.4"}, "2022.1.0", true},
		{[]string{"2026.2.0"}, "2026.3.1", false}, // of the nearest releases on both sides
		{[]string{"2026.5.6"}, "2026.3.1", false},
		{[]string{"2025.12.4"}, "2026.3.1", true},
		{[]string{"2026.8.3"}, "2026.3.1", true},
		{[]string{"2026.8.3"}, "", false},
		{[]string{"2026.8.3"}, "dev", false},
	} {
		if got := authentik.Lacks(test.has, test.server); got != test.lacks {
			t.Errorf("a server of %q lacks what %q have: %v", test.server, test.has, got)
		}
	}
}

func TestServerVersion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, mock := mockClient(t, authentik.WithRetries(0, 0, 0))
		version, status := "2026.2.2", http.StatusInternalServerError
		var calls atomic.Int32
		mock.RegisterResponder(http.MethodGet, apiPath+"admin/version/", func(*http.Request) (*http.Response, error) {
			calls.Add(1)
			<-time.After(time.Second) // others ask meanwhile
			return httpmock.NewStringResponse(status, fmt.Sprintf(`{"version_current": %q}`, version)), nil
		})
		ask := func(want authentik.Release, wantCalls int32) {
			t.Helper()
			got, err := client.ServerVersion(t.Context())
			if got != want || (err != nil) != (want == "") || calls.Load() != wantCalls {
				t.Errorf("got %q, %v with %d calls; want %q with %d", got, err, calls.Load(), want, wantCalls)
			}
		}
		ask("", 1)
		status = http.StatusOK // a failure is not kept
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() { ask("2026.2.2", 2) })
		}
		group.Wait()
		version = "2026.5.6"
		<-time.After(59 * time.Minute)
		ask("2026.2.2", 2)
		<-time.After(time.Minute)
		ask("2026.5.6", 3)

		<-time.After(2 * time.Hour)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		group.Go(func() { ask("2026.5.6", 4) })
		synctest.Wait()
		if got, err := client.ServerVersion(ctx); got != "" || !errors.Is(err, context.DeadlineExceeded) || calls.Load() != 4 {
			t.Errorf("while another asks, got %q, %v with %d calls", got, err, calls.Load())
		}
		group.Wait()
	})
}

// TestServerReleaseIsUnknown has a token that may not read the version.
func TestServerReleaseIsUnknown(t *testing.T) {
	t.Parallel()
	for status, unknown := range map[int]bool{http.StatusForbidden: true, http.StatusNotFound: true, http.StatusBadGateway: false, http.StatusUnauthorized: false} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			var logged bytes.Buffer
			client, mock := mockClient(t, authentik.WithRetries(0, 0, 0), authentik.WithLogger(warnLogger(&logged)))
			mock.RegisterNoResponder(httpmock.NewStringResponder(status, `{"detail": "No."}`))
			for range 2 {
				release, err := authentik.ServerRelease(t.Context(), client)
				if release != "" || (err == nil) != unknown {
					t.Errorf("got %q, %v", release, err)
				}
			}
			want := 0
			if unknown {
				want = 1
			}
			if got := strings.Count(logged.String(), "authentik version unknown"); got != want {
				t.Errorf("%d warnings: %s", got, &logged)
			}
		})
	}
	if _, err := new(authentik.Client).ServerVersion(t.Context()); err == nil {
		t.Error("a client that NewClient did not make knows a version")
	}
}

package main

import (
	"bufio"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
)

func TestServes(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	read, write := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"-addr", "127.0.0.1:0", "-release", "2025.10", "-token", "secret"}, write)
	}()
	line, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	_, url, ready := strings.Cut(strings.TrimSpace(line), "ready at ")
	if !ready {
		t.Fatalf("%q", line)
	}
	client, err := authentik.NewClient(url, "secret", authentik.WithRetries(0, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	version, err := client.AdminVersion.Retrieve(t.Context())
	if err != nil || !strings.HasPrefix(version.VersionCurrent, "2025.10.") {
		t.Errorf("%+v, %v", version, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestRefusesUnknownRelease(t *testing.T) {
	t.Parallel()
	if err := run(t.Context(), []string{"-addr", "127.0.0.1:0", "-release", "1.0"}, io.Discard); err == nil {
		t.Error("1.0 is served")
	}
}

// Command authentiktest serves a fake authentik to programs in any language:
//
//	go run github.com/authentik-go/authentik/authentiktest/cmd/authentiktest@latest
//
// It prints a line with its address once it answers, and serves until it gets an
// interrupt. It has what a fresh authentik has, and is the newest release, unless
// told otherwise. Nothing is kept when it ends.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/authentik-go/authentik/authentiktest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) (err error) {
	flags := flag.NewFlagSet("authentiktest", flag.ContinueOnError)
	addr := flags.String("addr", "127.0.0.1:9000", "the `address` to listen on; port 0 is any")
	release := flags.String("release", "", "the `release` to be, as 2025.10; the newest if empty")
	token := flags.String("token", "authentiktest", "the `token` of akadmin")
	bootstrap := flags.Bool("bootstrap", true, "have what a fresh authentik has: flows, stages, mappings, a brand, akadmin")
	license := flags.Bool("license", false, "take what needs an enterprise licence")
	if err := flags.Parse(args); err != nil {
		return err
	}
	defer func() { // what the server says of a release that it does not know
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	server := authentiktest.NewServer()
	defer server.Close()
	server.Token = *token
	if *release != "" {
		server.SetRelease(*release)
	}
	if *bootstrap {
		server.Bootstrap()
	}
	if *license {
		server.License()
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", *addr)
	if err != nil {
		return err
	}
	answering := &http.Server{Handler: server, ReadHeaderTimeout: time.Minute}
	go func() {
		<-ctx.Done()
		_ = answering.Close() // and what is being answered
	}()
	if _, err := fmt.Fprintf(stdout, "authentiktest: ready at http://%s\n", listener.Addr()); err != nil {
		return err
	}
	if err := answering.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Command rotate gives the token of a service account a new key, and keeps it in a
// file that only its owner can read.
//
//	go run ./examples/rotate [-apply] -o /run/secrets/authentik-token backup-api
//
// The operand is the token's identifier. Without -apply it prints what it would do,
// and changes nothing. The new file replaces the old one only when the server has
// the new key: a program that reads the file for each request, as with
// authentik.WithTokenSource, goes on without a restart.
//
// Only tokens of service accounts get a new key, and none that authentik or a
// blueprint keeps up to date. The key is made here, of 260 random bits.
//
// It reads AUTHENTIK_URL and AUTHENTIK_TOKEN. With -fake it asks a fake server
// instead, and only then: a file in use must not get an invented key because a
// variable was forgotten. The token's user must be able to view the token and to
// set its key. A token may be used to rotate itself.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/examples/internal/connect"
)

func main() { connect.Main(run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("rotate", flag.ContinueOnError)
	apply := flags.Bool("apply", false, "do it")
	path := flags.String("o", "", "the `file` for the key; required")
	fake := flags.Bool("fake", false, "ask a fake server, which has the token backup-api")
	if err := connect.Parse(flags, "Gives the token of a service account a new key.", args, stderr, "identifier"); err != nil {
		return err
	}
	identifier := flags.Arg(0)
	if identifier == "" || *path == "" {
		return errors.New("-o and the token's identifier are needed; see -h")
	}
	if info, err := os.Lstat(*path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file", *path)
	}
	client, stop, err := connect.ClientUnlessFake(*fake)
	if err != nil {
		return err
	}
	defer stop()

	token, err := client.CoreTokens.Retrieve(ctx, identifier)
	if err != nil {
		return err
	}
	if err := check(token); err != nil {
		return err
	}
	if !*apply {
		fmt.Fprintf(stdout, "would give the token %q of %q a new key in %s; -apply does it\n", token.Identifier, token.UserObj.Username, *path)
		return nil
	}
	if err := rotate(ctx, client, token.Identifier, *path); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "the token %q of %q has a new key, which is in %s\n", token.Identifier, token.UserObj.Username, *path)
	return nil
}

// check refuses a token that is not to get a new key from here.
func check(token *authentik.Token) error {
	switch {
	case token.UserObj.Type != authentik.UserTypeServiceAccount:
		return fmt.Errorf("the token %q is of %q, who is no service account", token.Identifier, token.UserObj.Username)
	case token.Managed != nil:
		return fmt.Errorf("the token %q is managed by %q", token.Identifier, *token.Managed)
	case token.Intent != authentik.TokenIntentAPI && token.Intent != authentik.TokenIntentAppPassword:
		return fmt.Errorf("the token %q is neither for the API nor an app password, but for %s", token.Identifier, token.Intent)
	}
	return nil
}

// rotate sets a new key. It is in a new file before the server gets it, so that it
// cannot be lost.
func rotate(ctx context.Context, client *authentik.Client, identifier, path string) error {
	key := rand.Text() + rand.Text() // authentik's own keys have 60 characters
	written, err := writeKey(path, key)
	if err != nil {
		return err
	}
	err = client.CoreTokens.SetKey(ctx, identifier, &authentik.TokenSetKeyRequest{Key: key})
	if errors.Is(err, authentik.ErrOutcomeUnknown) {
		// The same key again does no harm. A token that rotates itself is refused if
		// the first attempt succeeded.
		err = client.CoreTokens.SetKey(ctx, identifier, &authentik.TokenSetKeyRequest{Key: key})
		if err != nil {
			return fmt.Errorf("the server may have the new key or the old one; the new one is in %s\n%w", written, err)
		}
	}
	if err != nil {
		return errors.Join(err, os.Remove(written))
	}
	if err := os.Rename(written, path); err != nil {
		return fmt.Errorf("the server has the new key, which is in %s: %w", written, err)
	}
	return nil
}

// writeKey writes a file beside path, for the owner alone.
func writeKey(path, key string) (written string, err error) {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.new")
	if err != nil {
		return "", err
	}
	_, err = fmt.Fprintln(file, key)
	err = errors.Join(err, file.Sync(), file.Close())
	if err != nil {
		return "", errors.Join(err, os.Remove(file.Name()))
	}
	return file.Name(), nil
}

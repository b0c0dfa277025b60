// Command login logs a user in, as a browser would, and makes an API token of theirs.
//
//	AUTHENTIK_URL=https://authentik.example.com go run ./examples/login -apply -user anna -token ci <password >key
//
// The password is the first line of the standard input, and -code a code of the user's
// second factor, if the login asks for one. Without -apply it logs in and says who that
// is. With it, it makes the token and prints its key, and nothing else, to the standard
// output: never to a terminal, unless -print asks for that. No API token is needed.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/examples/internal/connect"
	"github.com/authentik-go/authentik/flow"
)

func main() {
	connect.Main(func(ctx context.Context, args []string, stdout, stderr io.Writer) error {
		return run(ctx, args, os.Stdin, stdout, stderr)
	})
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("login", flag.ContinueOnError)
	user := flags.String("user", "", "the `name` or e-mail address; required")
	code := flags.String("code", "", "a `code` of the second factor")
	slug := flags.String("flow", "", "the `slug` of the flow; that of the server's brand if it is not given")
	identifier := flags.String("token", "", "the `identifier` of the new token; required with -apply")
	apply := flags.Bool("apply", false, "make the token and print its key")
	show := flags.Bool("print", false, "print the key to a terminal, too")
	if err := connect.Parse(flags, "Logs a user in and makes an API token.", args, stderr); err != nil {
		return err
	}
	switch {
	case *user == "" || *apply && *identifier == "":
		return errors.New("-user is needed, and -token with -apply; see -h")
	case *apply && !*show && isTerminal(stdout):
		return errors.New("the key would be seen on the terminal: send the output to a file, or give -print")
	}
	password, err := bufio.NewReader(stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	client, err := authentik.NewClientFromEnv(authentik.WithoutToken())
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()

	options := &flow.LoginOptions{Username: *user, Password: strings.TrimRight(password, "\r\n"), Flow: *slug}
	if *code != "" {
		options.Code = func(context.Context, *flow.AuthenticatorValidationChallenge) (string, error) { return *code, nil }
	}
	login, err := flow.Login(ctx, client, options)
	if err != nil {
		return err
	}
	me, err := login.Client().CoreUsers.Me(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "logged in as %s\n", me.User.Username)
	if !*apply {
		return nil
	}
	tokens := login.Client().CoreTokens
	token, err := tokens.Create(ctx, &authentik.TokenRequest{Identifier: *identifier, Intent: new(authentik.TokenIntentAPI)})
	if err != nil {
		return err
	}
	key, err := tokens.ViewKey(ctx, token.Identifier)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, key.Key)
	return err
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

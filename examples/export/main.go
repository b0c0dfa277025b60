// Command export writes all objects of a list of authentik, as JSON Lines or CSV,
// to stdout or a file. The list is named by its path in the API, without /api/v3/.
// From the root of the repository:
//
//	go run -C examples/export . [-csv] [-o file] [-search words] [-filter name=value]... core/users >users.jsonl
//
// It reads AUTHENTIK_URL and AUTHENTIK_TOKEN. With -fake it asks a fake server
// instead, and only then: a backup must not hold invented objects because a
// variable was forgotten. It is a module of its own because of its progress bar,
// which it shows where stderr is a terminal and the objects do not go to one.
//
// In JSON Lines, each line is an object as the server sent it, with every member
// that it has and none that it has not. In CSV, each line is an object, and the
// columns are the members that the SDK knows of the list: null and what the release
// does not have are empty, and a list or an object within is JSON.
//
// -filter takes the filters of the list by authentik's names, such as
// is_active=true, and may be repeated. One that the list does not have is an error,
// since authentik would ignore it.
//
// An export that ends in an error says so and exits with 1. The lines on stdout
// are what came before; a file is not touched then: what -o writes replaces it
// only when it is complete, and is for its owner alone, since objects hold secrets.
// With go run -C, a relative path begins in examples/export.
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/examples/internal/connect"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

func main() { connect.Main(run) }

const (
	prefetch = 4 // pages asked for ahead; authentik's workers are few
	redraw   = 100 * time.Millisecond
)

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("export", flag.ContinueOnError)
	asCSV := flags.Bool("csv", false, "write CSV instead of JSON Lines")
	file := flags.String("o", "", "write to this `file` instead of stdout")
	search := flags.String("search", "", "export only what authentik finds by these `words`")
	fake := flags.Bool("fake", false, "ask a fake server with a few objects")
	filters := filters{}
	flags.Func("filter", "export only objects that match `name=value`", filters.add)
	if err := connect.Parse(flags, "Writes all objects of the list, such as core/users, as JSON Lines or CSV.", args, stderr, "list"); err != nil {
		return err
	}
	client, stop, err := connect.ClientUnlessFake(*fake)
	if err != nil {
		return err
	}
	defer stop()

	e := exporter{client: client, path: strings.Trim(flags.Arg(0), "/"), format: jsonLines}
	members, known, ok := describe(client, e.path)
	if !ok {
		return fmt.Errorf("%q is no list of authentik that the SDK knows; one is core/users", e.path)
	}
	for name := range filters {
		if !slices.Contains(known, name) {
			return fmt.Errorf("%s has no filter %q; it has: %s", e.path, name, strings.Join(known, ", "))
		}
	}
	e.options.Search, e.options.Filters = *search, filters
	if *asCSV {
		e.format = csvLines(members)
	}
	if isTerminal(stderr) && (*file != "" || !isTerminal(stdout)) {
		e.progress = stderr
	}
	count := 0
	if *file == "" {
		count, err = e.export(ctx, stdout)
	} else {
		err = replaceFile(*file, func(w io.Writer) (err error) {
			count, err = e.export(ctx, w)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("the export is not complete: %w", err)
	}
	from := ""
	if *fake {
		from = " of a fake server"
	}
	fmt.Fprintf(stderr, "exported %d objects of %s%s to %s\n", count, e.path, from, cmp.Or(*file, "stdout"))
	return nil
}

// filters are those of a list, by name.
type filters url.Values

// add reads name=value.
func (f filters) add(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return errors.New("it is no name=value")
	}
	f[name] = append(f[name], value)
	return nil
}

// EncodeValues adds the filters to a query.
func (f filters) EncodeValues(_ string, query *url.Values) error { //nolint:unparam // go-querystring calls it
	maps.Copy(*query, url.Values(f))
	return nil
}

// options are those of any list.
type options struct {
	authentik.ListOptions
	Filters filters `url:"filters"`
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// replaceFile has write write a file beside path, for the owner alone, which
// replaces path if there was no error.
func replaceFile(path string, write func(io.Writer) error) error {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file", path)
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part")
	if err != nil {
		return err
	}
	err = write(file)
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		os.Remove(file.Name())
	}
	return err
}

// identities are the members by which authentik tells the objects of a list apart:
// each object has the first of these that it has.
var identities = []string{
	"pk", "uuid", "id", "brand_uuid", "tenant_uuid", "connector_uuid", "token_uuid", "device_uuid", "license_uuid", "pbm_uuid",
	"message_id", "aaguid", "role_pk",
}

// object is an object as the server sent it. The SDK's models make false of a
// boolean that the server is too old to send, which is not what it said.
type object struct {
	PK   string // for authentik.All, which tells the objects apart by it
	JSON json.RawMessage
}

func (o *object) UnmarshalJSON(b []byte) error {
	var members map[string]json.RawMessage
	err := json.Unmarshal(b, &members)
	for _, name := range identities {
		if o.PK = string(members[name]); o.PK != "" {
			break
		}
	}
	o.JSON = bytes.Clone(b)
	return err
}

type exporter struct {
	client   *authentik.Client
	path     string // below /api/v3/, without slashes at its ends
	options  options
	format   func(io.Writer) writeLine
	progress io.Writer // for the bar; nil for none
}

// writeLine writes an object.
type writeLine func(object json.RawMessage) error

// export writes the objects, and returns how many there were, also if it fails.
func (e exporter) export(ctx context.Context, w io.Writer) (count int, err error) {
	bar, err := e.newBar(ctx)
	if err != nil {
		return 0, err
	}
	defer bar.Clear()
	buffered := bufio.NewWriter(w)
	write := e.format(buffered)
	opts := e.options
	opts.Prefetch = prefetch
	for object, err := range authentik.All[object](ctx, e.client, e.path, opts) {
		if err == nil {
			err = write(object.JSON)
		}
		if err != nil {
			return count, errors.Join(err, buffered.Flush())
		}
		bar.Add(1) // it fails where the list grew meanwhile, which is no matter
		count++
	}
	return count, buffered.Flush()
}

// newBar asks for the number of objects, if there is to be a bar.
func (e exporter) newBar(ctx context.Context) (*progressbar.ProgressBar, error) {
	if e.progress == nil {
		return progressbar.DefaultSilent(0), nil
	}
	opts := e.options
	opts.PageSize = 1
	page, err := authentik.List[object](ctx, e.client, e.path, opts)
	if err != nil {
		return nil, err
	}
	return progressbar.NewOptions(page.Pagination.Count, progressbar.OptionSetWriter(e.progress),
		progressbar.OptionSetDescription(e.path), progressbar.OptionShowCount(), progressbar.OptionThrottle(redraw)), nil
}

func jsonLines(w io.Writer) writeLine {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return func(object json.RawMessage) error { return encoder.Encode(object) }
}

func csvLines(columns []string) func(io.Writer) writeLine {
	return func(w io.Writer) writeLine {
		lines := csv.NewWriter(w)
		lines.Write(columns) // Error tells if it failed
		lines.Flush()
		return func(object json.RawMessage) error {
			var members map[string]json.RawMessage
			if err := json.Unmarshal(object, &members); err != nil {
				return err
			}
			row := make([]string, len(columns))
			for i, column := range columns {
				row[i] = cell(members[column])
			}
			lines.Write(row)
			lines.Flush()
			return lines.Error()
		}
	}
}

// cell is the member in CSV: null is empty, a string without its quotes.
func cell(member json.RawMessage) string {
	var text *string
	if json.Unmarshal(member, &text) != nil {
		return string(member)
	}
	if text == nil {
		return ""
	}
	return *text
}

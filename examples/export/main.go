// Command export writes all identification, password and source stages of an
// authentik, as JSON Lines or CSV, to stdout or a file. From the root of the
// repository:
//
//	go run -C examples/export . [-csv] [-o file] >stages.jsonl
//
// It reads AUTHENTIK_URL and AUTHENTIK_TOKEN; without a URL it exports the stages
// of a fake server. It is a module of its own because of its progress bar, which
// it shows where stderr is a terminal and the stages do not go to one.
//
// In JSON Lines, each line is {"kind":…,"stage":…}: the kind is identification,
// password or source, the stage what the server sent, with every member that it
// has and none that it has not.
//
// CSV has one line for each stage, and these columns: kind, pk, name, flows (the
// slugs of the flows that the stage is bound to, sorted, separated by spaces),
// and the settings that authentik can filter a list by. A setting that the kind
// or the release does not have is empty, and so is null.
//
// An export that ends in an error says so and exits with 1. The lines on stdout
// are what came before; a file is not touched then: what -o writes replaces it
// only when it is complete. With go run -C, a relative path begins in
// examples/export.
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
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/examples/internal/connect"
	"github.com/google/uuid"
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
	path := flags.String("o", "", "write to this `file` instead of stdout")
	if err := connect.Parse(flags, "Writes all stages as JSON Lines or CSV.", args, stderr); err != nil {
		return err
	}
	client, stop, err := connect.Client(stderr)
	if err != nil {
		return err
	}
	defer stop()

	e := exporter{client: client, format: jsonLines}
	if *asCSV {
		e.format = csvLines
	}
	if isTerminal(stderr) && (*path != "" || !isTerminal(stdout)) {
		e.progress = stderr
	}
	var counts []string
	if *path == "" {
		counts, err = e.export(ctx, stdout)
	} else {
		err = replaceFile(*path, func(file io.Writer) (err error) {
			counts, err = e.export(ctx, file)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("the export is not complete: %w", err)
	}
	fmt.Fprintf(stderr, "exported stages: %s to %s\n", strings.Join(counts, ", "), cmp.Or(*path, "stdout"))
	return nil
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

// kinds of stages, as they stand in the paths of the API.
var kinds = []string{"identification", "password", "source"}

// stage is a stage as the server sent it. The SDK's models make false of a
// boolean that the server is too old to send, which is not what it said.
type stage struct {
	PK   uuid.UUID // for authentik.All, which tells the stages apart by it
	JSON json.RawMessage
}

func (s *stage) UnmarshalJSON(b []byte) error {
	var members struct {
		PK uuid.UUID `json:"pk"`
	}
	err := json.Unmarshal(b, &members)
	s.PK, s.JSON = members.PK, bytes.Clone(b)
	return err
}

type exporter struct {
	client   *authentik.Client
	format   func(io.Writer) writeLine
	progress io.Writer // for the bar; nil for none
}

// writeLine writes a stage.
type writeLine func(kind string, stage json.RawMessage) error

// export writes the stages of all kinds, and returns how many there were of
// each, also if it fails.
func (e exporter) export(ctx context.Context, w io.Writer) (counts []string, err error) {
	bar, err := e.newBar(ctx)
	if err != nil {
		return nil, err
	}
	defer bar.Clear()
	buffered := bufio.NewWriter(w)
	write := e.format(buffered)
	for _, kind := range kinds {
		count := 0
		err := e.walk(ctx, kind, func(stage json.RawMessage) error {
			bar.Add(1) // it fails where the list grew meanwhile, which is no matter
			count++
			return write(kind, stage)
		})
		if err != nil {
			return nil, errors.Join(err, buffered.Flush())
		}
		counts = append(counts, fmt.Sprintf("%d %s", count, kind))
	}
	return counts, buffered.Flush()
}

func (e exporter) walk(ctx context.Context, kind string, yield func(json.RawMessage) error) error {
	options := authentik.ListOptions{Prefetch: prefetch}
	for stage, err := range authentik.All[stage](ctx, e.client, "stages/"+kind+"/", options) {
		if lacks(kind, err) {
			return nil
		}
		if err == nil {
			err = yield(stage.JSON)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// lacks tells whether err says that the server has no stages of the kind, as
// those before 2024.4 have no source stages. A page that is gone during a walk
// is no such error: authentik.All reads the list again.
func lacks(kind string, err error) bool {
	return kind == "source" && errors.Is(err, authentik.ErrNotFound)
}

// newBar asks for the number of stages, if there is to be a bar.
func (e exporter) newBar(ctx context.Context) (*progressbar.ProgressBar, error) {
	if e.progress == nil {
		return progressbar.DefaultSilent(0), nil
	}
	total := 0
	for _, kind := range kinds {
		page, err := authentik.List[stage](ctx, e.client, "stages/"+kind+"/", authentik.ListOptions{PageSize: 1})
		if lacks(kind, err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		total += page.Pagination.Count
	}
	return progressbar.NewOptions(total, progressbar.OptionSetWriter(e.progress),
		progressbar.OptionSetDescription("stages"), progressbar.OptionShowCount(), progressbar.OptionThrottle(redraw)), nil
}

func jsonLines(w io.Writer) writeLine {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return func(kind string, stage json.RawMessage) error {
		return encoder.Encode(struct {
			Kind  string          `json:"kind"`
			Stage json.RawMessage `json:"stage"`
		}{kind, stage})
	}
}

// settings are the columns after kind, pk, name and flows.
var settings = []string{
	// of identification stages
	"password_stage", "captcha_stage", "webauthn_stage", "case_insensitive_matching", "show_matched_user",
	"enrollment_flow", "recovery_flow", "passwordless_flow", "show_source_labels",
	// of password stages
	"configure_flow", "failed_attempts_before_cancel", "allow_show_password",
	// of source stages
	"source", "resume_timeout",
}

func csvLines(w io.Writer) writeLine {
	lines := csv.NewWriter(w)
	lines.Write(append([]string{"kind", "pk", "name", "flows"}, settings...)) // Error tells if it failed
	lines.Flush()
	return func(kind string, stage json.RawMessage) error {
		var members map[string]any
		decoder := json.NewDecoder(bytes.NewReader(stage))
		decoder.UseNumber()
		if err := decoder.Decode(&members); err != nil {
			return err
		}
		row := []string{kind, cell(members["pk"]), cell(members["name"]), flows(members["flow_set"])}
		for _, setting := range settings {
			row = append(row, cell(members[setting]))
		}
		lines.Write(row)
		lines.Flush()
		return lines.Error()
	}
}

func cell(member any) string {
	if member == nil {
		return ""
	}
	return fmt.Sprint(member)
}

func flows(flowSet any) string {
	var slugs []string
	list, _ := flowSet.([]any)
	for _, flow := range list {
		members, _ := flow.(map[string]any)
		slugs = append(slugs, cell(members["slug"]))
	}
	slices.Sort(slugs)
	return strings.Join(slices.Compact(slugs), " ")
}

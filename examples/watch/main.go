// Command watch asks an authentik for its stages again and again, and prints
// what changed, one line for each stage that was created, changed or deleted:
//
//	2026-11-22T10:00:30Z changed password stage "login" (765e…): allow_show_password: false → true
//
//	go run ./examples/watch [-interval 30s] [-n polls]
//
// It reads AUTHENTIK_URL and AUTHENTIK_TOKEN; where neither is set, it watches a
// fake server and says so, and changes its stages after each poll: try -interval
// 1s.
//
// It goes on until Ctrl-C (exit status 130), or until it has asked -n times. The
// first poll prints nothing. An error goes to stderr, leaves what is known of that
// kind of stage as it is, and the next poll goes on; with -n, the exit status is 1
// at the end if a poll failed. A stage counts as deleted only if the list lacks it
// and the server answers 404 for it, which it also does if the token's user may no
// longer see it.
//
// Not reported is what changes by itself: the order of flow_set and of sources,
// and the query of a background image's URL, which may be a signature.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
	"github.com/authentik-go/authentik/examples/internal/connect"
	"github.com/google/uuid"
)

func main() { connect.Main(run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("watch", flag.ContinueOnError)
	interval := flags.Duration("interval", 30*time.Second, "time between two polls")
	polls := flags.Int("n", 0, "how many `polls` to make; 0: go on until Ctrl-C")
	switch err := connect.Parse(flags, "Prints which stages are created, changed and deleted, until Ctrl-C.", args, stderr); {
	case err != nil:
		return err
	case *interval <= 0 || *polls < 0:
		return errors.New("-interval must be positive, and -n not negative")
	}
	afterPoll := func(int) {}
	client, stop, err := connect.ClientOrFake(stdout, func(server *authentiktest.Server) {
		afterPoll = func(poll int) { alter(server, poll) }
	})
	if err != nil {
		return err
	}
	defer stop()

	fmt.Fprintf(stderr, "The stages are compared every %v, and nothing is printed until one changes.\n", *interval)
	return watch(ctx, client, *interval, *polls, afterPoll, stdout, stderr)
}

// watch polls every interval, until ctx ends or it has polled the given number
// of times.
func watch(
	ctx context.Context, client *authentik.Client, interval time.Duration, polls int, afterPoll func(poll int), stdout, stderr io.Writer,
) error {
	kinds := []*kind{
		newKind("identification stage", client.StagesIdentification.All, client.StagesIdentification.Retrieve),
		newKind("password stage", client.StagesPassword.All, client.StagesPassword.Retrieve),
		newKind("source stage", client.StagesSource.All, client.StagesSource.Retrieve),
	}
	failed := 0
	for poll := 1; ; poll++ {
		ok := true
		for _, k := range kinds {
			changes, err := k.poll(ctx)
			for _, change := range changes {
				fmt.Fprintln(stdout, time.Now().UTC().Format(time.RFC3339), change)
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				ok = false
				fmt.Fprintln(stderr, err)
			}
		}
		if !ok {
			failed++
		}
		afterPoll(poll)
		if poll == polls {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(interval):
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d polls failed", failed, polls)
	}
	return nil
}

// kind is a kind of stages, and what is known of them.
type kind struct {
	name     string
	list     func(context.Context) (map[uuid.UUID]members, error)
	retrieve func(context.Context, uuid.UUID) (members, error)
	known    map[uuid.UUID]members // nil before the first list
}

// members are those of a stage as JSON, by name, with the ones of a flow as
// flow_set.<slug>.<name>.
type members map[string]string

func newKind[T, O any](
	name string,
	all func(context.Context, *O) iter.Seq2[*T, error],
	retrieve func(context.Context, uuid.UUID) (*T, error),
) *kind {
	return &kind{
		name: name,
		list: func(ctx context.Context) (map[uuid.UUID]members, error) {
			stages := map[uuid.UUID]members{}
			for stage, err := range all(ctx, nil) {
				if err != nil {
					return nil, err
				}
				pk, m, err := toMembers(stage)
				if err != nil {
					return nil, err
				}
				stages[pk] = m
			}
			return stages, nil
		},
		retrieve: func(ctx context.Context, pk uuid.UUID) (members, error) {
			stage, err := retrieve(ctx, pk)
			if err != nil {
				return nil, err
			}
			_, m, err := toMembers(stage)
			return m, err
		},
	}
}

// poll lists the stages, and returns what changed. After an error, nothing did.
func (k *kind) poll(ctx context.Context) (changes []string, err error) {
	stages, err := k.list(ctx)
	switch {
	case k.name == "source stage" && k.known == nil && errors.Is(err, authentik.ErrNoEndpoint):
		return nil, nil // a server before 2024.4 has none
	case err != nil:
		return nil, err
	case k.known == nil:
		k.known = stages
		return nil, nil
	}
	for pk := range k.known {
		if stages[pk] != nil {
			continue
		}
		// The function authentik.All says when a walk misses a stage.
		stage, err := k.retrieve(ctx, pk)
		if err == nil {
			stages[pk] = stage
		} else if !errors.Is(err, authentik.ErrNotFound) {
			return nil, err
		}
	}
	for pk, before := range k.known {
		after := stages[pk]
		if after == nil {
			changes = append(changes, fmt.Sprintf("deleted %s %s (%s)", k.name, before["name"], pk))
		} else if changed := compare(before, after); len(changed) > 0 {
			changes = append(changes, fmt.Sprintf("changed %s %s (%s): %s", k.name, before["name"], pk, strings.Join(changed, ", ")))
		}
	}
	for pk, after := range stages {
		if k.known[pk] == nil {
			changes = append(changes, fmt.Sprintf("created %s %s (%s)", k.name, after["name"], pk))
		}
	}
	k.known = stages
	slices.Sort(changes)
	return changes, nil
}

// compare returns the members that changed, old → new.
func compare(before, after members) (changed []string) {
	names := maps.Clone(before)
	maps.Copy(names, after)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		old, had := before[name]
		now, has := after[name]
		switch {
		case old == now:
			continue
		case had && has:
		case strings.HasPrefix(name, "flow_set."):
			continue // flow_set itself shows that the stage was bound to the flow, or no longer is
		case had:
			now = "none"
		default:
			old = "none"
		}
		changed = append(changed, fmt.Sprintf("%s: %s → %s", name, old, now))
	}
	return changed
}

// toMembers takes apart what a stage is as JSON, Extra included, so that a
// member that the SDK does not know is watched as well.
func toMembers(stage any) (uuid.UUID, members, error) {
	var raw map[string]json.RawMessage
	var shared struct {
		PK      uuid.UUID
		Sources []uuid.UUID
		FlowSet []map[string]json.RawMessage `json:"flow_set"`
	}
	b, err := json.Marshal(stage)
	if err == nil {
		err = errors.Join(json.Unmarshal(b, &raw), json.Unmarshal(b, &shared))
	}
	m := members{}
	for name, value := range raw {
		m[name] = text(value)
	}
	if shared.Sources != nil {
		slices.SortFunc(shared.Sources, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
		m["sources"] = fmt.Sprint(shared.Sources)
	}
	var slugs []string
	for _, flow := range shared.FlowSet {
		slug := strings.Trim(text(flow["slug"]), `"`)
		slugs = append(slugs, slug)
		for name, value := range flow {
			m["flow_set."+slug+"."+name] = text(value)
		}
		for _, name := range []string{"background", "background_url"} {
			url := "flow_set." + slug + "." + name
			m[url], _, _ = strings.Cut(strings.Trim(m[url], `"`), "?")
		}
	}
	slices.Sort(slugs)
	m["flow_set"] = fmt.Sprint(slugs)
	return shared.PK, m, err
}

// text is the value without the escapes that encoding/json makes for HTML.
func text(value json.RawMessage) string {
	var s string
	if bytes.HasPrefix(value, []byte(`"`)) && json.Unmarshal(value, &s) == nil {
		return strconv.Quote(s)
	}
	return string(value)
}

// alter changes something in the fake server, so that there is something to see.
func alter(server *authentiktest.Server, poll int) {
	stage := server.StagesPassword.All()[0]
	switch poll % 3 {
	case 1:
		server.StagesPassword.Update(stage.PK, func(s *authentik.PasswordStage) { s.FailedAttemptsBeforeCancel++ })
	case 2:
		server.StagesSource.Add(authentik.SourceStage{Name: "partner-login"})
	case 0:
		stages := server.StagesSource.All()
		server.StagesSource.Remove(stages[len(stages)-1].PK)
	}
}

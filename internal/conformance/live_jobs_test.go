package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/google/uuid"
)

// TestLiveWaitFor has the worker of a running server apply blueprints that work, that
// cannot be fetched and that are invalid, and expects the reasons. It waits for minutes
// if the worker has much to do.
func TestLiveWaitFor(t *testing.T) {
	t.Parallel()
	client := liveClient(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	if workers, err := client.TasksWorkers.List(ctx); errors.Is(err, authentik.ErrNoEndpoint) || err == nil && len(workers) == 0 {
		t.Skip("the server shows no worker")
	} else if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("live-%d", time.Now().UnixNano())
	const content = "version: 1\nmetadata: {name: x}\nentries:\n- model: authentik_core.group\n  identifiers: {pk: %q}\n  attrs: {name: !Context [group, %q]}\n"
	taken := must[*authentik.Group](t)(client.CoreGroups.Create(ctx, &authentik.GroupRequest{Name: name}))
	t.Cleanup(func() { _ = client.CoreGroups.Delete(context.Background(), taken.PK) })
	for _, tt := range []struct {
		name, path, reason string
		context            map[string]any // which is not validated before it is applied
		fails              bool           // by its task, too
	}{
		{name: name + "-works"},
		{name: name + "-gone", path: "oci://127.0.0.1:1/gone:1", reason: "127.0.0.1", fails: true},
		{name: name + "-invalid", context: map[string]any{"group": name}, reason: "unique"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			request := &authentik.BlueprintInstanceRequest{Name: tt.name, Path: &tt.path, Enabled: new(false)}
			made := uuid.New()
			if tt.path == "" {
				request.Path, request.Content = nil, new(fmt.Sprintf(content, made, tt.name))
			}
			blueprint := must[*authentik.BlueprintInstance](t)(client.ManagedBlueprints.Create(ctx, request))
			t.Cleanup(func() {
				ctx := context.WithoutCancel(ctx)
				_ = client.ManagedBlueprints.Delete(ctx, blueprint.PK)
				_ = client.CoreGroups.Delete(ctx, made)
			})
			enable := &authentik.BlueprintInstanceRequest{Enabled: new(true), Context: tt.context}
			must[*authentik.BlueprintInstance](t)(client.ManagedBlueprints.Update(ctx, blueprint.PK, enable))
			must[*authentik.BlueprintInstance](t)(client.ManagedBlueprints.Apply(ctx, blueprint.PK))
			newest := &authentik.TasksTasksListOptions{RelObjID: blueprint.PK.String(), ListOptions: authentik.ListOptions{Ordering: "-mtime"}}
			read := func(ctx context.Context) (*authentik.Task, error) {
				page, err := client.TasksTasks.List(ctx, newest)
				if err != nil || len(page.Results) == 0 {
					return &authentik.Task{}, err
				}
				return &page.Results[0], nil
			}
			task, err := authentik.WaitFor(ctx, read, (*authentik.Task).Done)
			t.Logf("%s: %q, %v", task.AggregatedStatus, task.Reason(), err)
			if errors.Is(err, context.DeadlineExceeded) || (err != nil) != tt.fails || !strings.Contains(task.Reason(), tt.reason) {
				t.Errorf("%s: %q, %v", task.AggregatedStatus, task.Reason(), err)
			}
			applied := must[*authentik.BlueprintInstance](t)(client.ManagedBlueprints.Retrieve(ctx, blueprint.PK))
			if works := applied.Status == authentik.BlueprintInstanceStatusSuccessful; works != (tt.reason == "") {
				t.Errorf("the blueprint ended with %s", applied.Status)
			}
		})
	}
}

// TestLiveAddMembers has eight add a member each to one list of a running server.
func TestLiveAddMembers(t *testing.T) {
	t.Parallel()
	client := liveClient(t)
	ctx := t.Context()
	name := fmt.Sprintf("live-%d", time.Now().UnixNano())
	group := must[*authentik.Group](t)(client.CoreGroups.Create(ctx, &authentik.GroupRequest{Name: name}))
	t.Cleanup(func() { _ = client.CoreGroups.Delete(context.Background(), group.PK) })
	var users []int
	for i := range 8 {
		user := must[*authentik.User](t)(client.CoreUsers.Create(ctx, &authentik.UserRequest{Username: fmt.Sprint(name, "-", i), Name: new("Live")}))
		t.Cleanup(func() { _ = client.CoreUsers.Delete(context.Background(), user.PK) })
		users = append(users, user.PK)
	}
	read := func(ctx context.Context) ([]int, error) {
		group, err := client.CoreGroups.Retrieve(ctx, group.PK)
		if err != nil {
			return nil, err
		}
		return group.Users, nil
	}
	write := func(ctx context.Context, users []int) error {
		_, err := client.CoreGroups.Update(ctx, group.PK, &authentik.GroupRequest{Users: users})
		return err
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	var added []int
	for _, user := range users {
		all.Go(func() {
			err := authentik.AddMembers(ctx, read, write, user)
			if err != nil && !errors.Is(err, authentik.ErrConflict) {
				t.Error(err)
			}
			if err == nil {
				mu.Lock()
				added = append(added, user)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	have, err := read(ctx)
	lost := slices.DeleteFunc(slices.Clone(added), func(user int) bool { return slices.Contains(have, user) })
	t.Logf("8 writers, %d added, %d lost", len(added), len(lost))
	if err != nil || len(lost) > 0 {
		t.Errorf("%v were lost, %v", lost, err)
	}
}

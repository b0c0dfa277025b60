package live

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
)

// world makes objects, and deletes them at the end of its test.
type world struct {
	*server

	ctx    context.Context //nolint:containedctx // that of all calls: it ends early enough to clean up
	all    map[string]*resource
	parent *testing.T
	prefix string // of the names of what the test makes
	names  atomic.Int64

	mu   sync.Mutex
	made map[string]func() (*object, error) // what others refer to, by path and number
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s := live(t)
	w := &world{server: s, all: s.resources(), parent: t, prefix: fmt.Sprintf("live-%x-", time.Now().UnixNano()), made: map[string]func() (*object, error){}}
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt)
	t.Cleanup(stop)
	if deadline, ok := t.Deadline(); ok {
		ctx, stop = context.WithDeadline(ctx, deadline.Add(-time.Until(deadline)/5))
		t.Cleanup(stop)
	}
	w.ctx = ctx
	t.Cleanup(func() { w.left(t) })
	return w
}

// inTime ends a test for which there is no time left.
func (w *world) inTime(t *testing.T) {
	t.Helper()
	if w.ctx.Err() != nil {
		t.Fatal(context.Cause(w.ctx))
	}
}

// name is one that nothing else has.
func (w *world) name() string { return fmt.Sprint(w.prefix, w.names.Add(1)) }

// object is one on the server.
type object struct {
	*resource

	id    any
	model reflect.Value  // as Retrieve returned it
	shown map[string]any // the same as JSON
	sent  map[string]any // in the create
}

// refer returns the n-th object at the path that others refer to.
func (w *world) refer(t *testing.T, path string, n int) (*object, error) {
	t.Helper()
	w.mu.Lock()
	key := fmt.Sprint(path, n)
	if w.made[key] == nil {
		w.made[key] = sync.OnceValues(func() (*object, error) {
			if w.all[path] == nil {
				return nil, fmt.Errorf("%s has no %s", w.release, path)
			}
			if !w.all[path].has("Create") {
				return w.existing(t, w.all[path], n)
			}
			return w.create(t, w.all[path], w.minimal(t, w.all[path]))
		})
	}
	made := w.made[key]
	w.mu.Unlock()
	return made()
}

// existing returns the n-th object of a list that the suite makes nothing of.
func (w *world) existing(t *testing.T, r *resource, n int) (*object, error) {
	t.Helper()
	objects, err := r.walk(w.ctx, nil)
	if err != nil || len(objects) <= n {
		return nil, fmt.Errorf("%s has %d objects: %w", r.path, len(objects), err)
	}
	return &object{resource: r, id: objects[n][r.lookup()], shown: objects[n]}, nil
}

// minimal is a request with the members that a create needs.
func (w *world) minimal(t *testing.T, r *resource) map[string]any {
	t.Helper()
	request := map[string]any{}
	for _, m := range r.members() {
		needed := m.known && m.Required || slices.Contains(needs[r.path], m.Name)
		if !needed {
			continue
		}
		if values := w.values(t, r, m); len(values) > 0 {
			request[m.Name] = values[0]
		}
	}
	return request
}

// create makes an object, and has it deleted at the end. Beside an error of members
// that were ignored there is an object.
func (w *world) create(t *testing.T, r *resource, request map[string]any) (*object, error) {
	t.Helper()
	result, err := r.call(w.ctx, "Create", nil, request)
	if !result.IsValid() {
		return nil, fmt.Errorf("%s.Create of %s: %w", r.service, text(request), err)
	}
	o := &object{resource: r, sent: request, id: document(result.Interface())[r.lookup()]}
	w.parent.Cleanup(func() {
		if err := o.delete(); err != nil && !errors.Is(err, authentik.ErrNotFound) {
			w.parent.Errorf("%s %v is left: %v", r.path, o.id, err)
		}
	})
	if readErr := o.read(w.ctx); readErr != nil {
		return nil, readErr
	}
	return o, err
}

// pk is what other objects refer to it by.
func (o *object) pk() any {
	if pk := o.shown["pk"]; pk != nil {
		return pk
	}
	return o.id
}

func (o *object) delete() error {
	_, err := o.call(context.Background(), "Delete", o.id, nil)
	return err
}

// read retrieves the object.
func (o *object) read(ctx context.Context) error {
	model, err := o.call(ctx, "Retrieve", o.id, nil)
	if err != nil {
		return fmt.Errorf("%s.Retrieve of %v: %w", o.service, o.id, err)
	}
	o.model, o.shown = model, document(model.Interface())
	return nil
}

// left looks for objects that are still there when all should be gone.
func (w *world) left(t *testing.T) {
	t.Helper()
	for _, path := range slices.Sorted(maps.Keys(w.all)) {
		r := w.all[path]
		if !r.has("Delete") || strings.HasPrefix(path, "events/") || strings.HasPrefix(path, "tasks/") {
			continue // which tell of what was
		}
		objects, err := r.walk(context.Background(), nil)
		if err != nil {
			continue
		}
		for _, o := range objects {
			if strings.Contains(text(o), w.prefix) {
				t.Errorf("%s: left %s", path, text(o))
			}
		}
	}
}

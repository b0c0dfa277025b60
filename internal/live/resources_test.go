package live

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/contract/sdk"
)

// TestLiveResources makes an object of each resource, changes each member alone,
// makes another object like it, and sets each filter of the list alone.
func TestLiveResources(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	counts := &tally{members: map[string]int{}, options: map[string]int{}}
	t.Cleanup(func() { counts.log(t, w.release) })
	for _, path := range slices.Sorted(maps.Keys(w.all)) {
		r := w.all[path]
		t.Run(strings.ReplaceAll(strings.Trim(path, "/"), "/", "-"), func(t *testing.T) {
			t.Parallel()
			l := &life{T: t, world: w, tally: counts, resource: r}
			if w.rules.Lists[path] == nil {
				if _, err := r.walk(w.ctx, nil); errors.Is(err, authentik.ErrNoEndpoint) || errors.Is(err, authentik.ErrNotFound) {
					l.skip(path, "the server has no such list")
					return
				}
			}
			if r.request != nil && (r.has("Create") || r.has("Update")) {
				l.run()
			}
			l.filters()
		})
	}
}

// life is what becomes of the objects of a resource.
type life struct {
	*testing.T
	*world
	*tally

	resource *resource
	objects  []*object
}

func (l *life) run() {
	r := l.resource
	maker := r
	if path, ok := madeAt[r.path]; ok {
		maker = l.all[path]
	}
	if reason := maker.untried(); reason != "" {
		for _, m := range r.members() {
			if m.known {
				l.skip(r.path+" "+m.Name, reason)
			}
		}
		return
	}
	o, err := l.create(l.T, maker, l.minimal(l.T, maker))
	if o == nil {
		l.Error(err)
		return
	}
	l.compare(r.service+".Create", o, o.sent, nil, err)
	if maker != r {
		if o = (&object{resource: r, id: o.id}); o.read(l.ctx) != nil {
			l.Fatalf("no %v", o.id)
		}
	}
	l.objects = append(l.objects, o)
	if r.has("Update") {
		l.change(o)
	}
	if maker == r {
		l.copy(o)
	}
}

// untried is the reason for which the resource cannot be tried, "" if it can.
func (r *resource) untried() string {
	if reason, ok := untried[r.path]; ok {
		return reason
	}
	s := r.serializer()
	switch {
	case s == nil:
	case s.Enterprise:
		return "each write needs a licence"
	case strings.HasPrefix(r.path, "sources/") && strings.Contains(r.path, "_connections/") && (s.Fields["source"] == nil || s.Fields["source"].ReadOnly):
		return "a request names no source, which the server needs"
	}
	return ""
}

// copy makes a second object of a request out of the first, whose members have other
// values than at first.
func (l *life) copy(o *object) {
	l.Helper()
	of, ok := sdk.RequestsOf[o.request]
	if !ok {
		return
	}
	request := document(of.Call([]reflect.Value{o.model})[0].Interface())
	for _, m := range o.members() {
		value, again := request[m.Name]
		switch {
		case !m.known && slices.Contains(needs[o.path], m.Name):
			request[m.Name] = l.values(l.T, o.resource, m)[0]
		case !m.known:
			delete(request, m.Name)
		case again && (m.rule != nil && m.rule.Unique != "" || m.Name == o.lookup() || m.Name == "name" || o.inSet(m.Name)):
			for _, other := range l.values(l.T, o.resource, m) {
				if !same(other, value) {
					request[m.Name] = other
				}
			}
		case !again && m.WriteOnly && o.sent[m.Name] != nil:
			request[m.Name] = o.sent[m.Name]
		}
	}
	maps.Copy(request, copies[o.path])
	twin, err := l.create(l.T, o.resource, request)
	if twin == nil {
		l.Errorf("a copy: %v", err)
		return
	}
	l.objects = append(l.objects, twin)
	l.compare(o.service+".Create of a copy", twin, twin.sent, nil, err)
}

// change has an update change each member alone. Those that the server refuses are
// tried again when the others have other values.
func (l *life) change(o *object) {
	l.Helper()
	members := o.members()
	slices.SortFunc(members, func(a, b *member) int { return strings.Compare(a.Name, b.Name) })
	for range 2 {
		members = slices.DeleteFunc(members, func(m *member) bool {
			end, err := l.member(o, m)
			if err == nil {
				l.count(end)
			}
			m.err = err
			return err == nil
		})
	}
	for _, m := range members {
		if reason, ok := untriedMember(refused, o.path, m.Name); ok {
			l.count("refused: " + reason)
		} else {
			l.Errorf("%s.Update of %s: %v", o.service, m.Name, m.err)
			l.count("refused")
		}
	}
}

// member has an update change the member alone: to nothing, if it can be, then to
// another value. The error is that of the server which refuses the value.
func (l *life) member(o *object, m *member) (end string, err error) {
	l.Helper()
	if reason, ok := untriedMember(untried, o.path, m.Name); ok {
		l.skip(o.path+" "+m.Name, reason)
		return "not tried", nil
	}
	if m.known && m.rule != nil {
		field := sdk.FieldsByTag(o.request, "json")[m.Name]
		switch kind := m.Type.Kind; {
		case m.rule.Null && strings.HasPrefix(field.Type.Name(), "Nullable["):
			_, _ = l.update(o, m, nil)
		case kind == "array" && !m.rule.Full:
			_, _ = l.update(o, m, []any{})
		case kind == "string" && m.rule.Blank:
			_, _ = l.update(o, m, "")
		}
	}
	values := l.values(l.T, o.resource, m)
	i := slices.IndexFunc(values, func(v any) bool { return !same(v, o.shown[m.Name]) })
	if i < 0 {
		return "", fmt.Errorf("there is no value but %s", text(o.shown[m.Name]))
	}
	return l.update(o, m, values[i])
}

// untriedMember is the reason in a table for a member of a path, or of all paths.
func untriedMember(table map[string]string, path, name string) (reason string, ok bool) {
	if reason, ok = table[path+" "+name]; !ok {
		reason, ok = table[name]
	}
	return reason, ok
}

// update sets the member to the value, and says how that ended. The error is that of
// a call that changed nothing.
func (l *life) update(o *object, m *member, value any) (end string, err error) {
	l.Helper()
	l.inTime(l.T)
	before, sent := o.shown, map[string]any{m.Name: value}
	what := o.service + ".Update of " + text(sent)
	result, err := o.call(l.ctx, "Update", o.id, sent)
	if result.IsValid() {
		o.id = document(result.Interface())[o.lookup()]
	}
	if readErr := o.read(l.ctx); readErr != nil {
		l.Errorf("%s: %v", what, readErr)
		return "lost", nil
	}
	if !result.IsValid() {
		for name, was := range before {
			if l.settable(o, name) && !same(was, o.shown[name]) {
				l.Errorf("SILENT %s: %v: but %s was %s and is %s", what, err, name, text(was), text(o.shown[name]))
			}
		}
		return "", err
	}
	answer := document(result.Interface())
	for name, is := range o.shown {
		if said, ok := answer[name]; ok && l.settable(o, name) && !same(said, is) {
			l.Errorf("%s: answered with %s %s, and is %s", what, name, text(said), text(is))
		}
	}
	return l.compare(what, o, sent, before, err), nil
}

// settable reports whether a request of the release can have the member.
func (l *life) settable(o *object, name string) bool {
	return slices.ContainsFunc(o.members(), func(m *member) bool { return m.Name == name && m.known })
}

// compare looks at what became of what was sent, and of what was not, where before
// is what the object was.
func (l *life) compare(what string, o *object, sent, before map[string]any, err error) (end string) {
	l.Helper()
	ignored, _ := errors.AsType[*authentik.IgnoredError](err)
	if err != nil && ignored == nil {
		l.Errorf("%s: %v", what, err)
		return "refused"
	}
	says := func(name string) bool {
		return ignored != nil && regexp.MustCompile(`\b`+regexp.QuoteMeta(name)+`\b`).MatchString(ignored.Error())
	}
	differs, silent := false, false
	writeOnly := map[string]bool{}
	for _, m := range o.members() {
		if m.WriteOnly || m.rule != nil && m.rule.WriteOnly || sdk.FieldsByTag(o.request, "json")[m.Name].Tag.Get("authentik") == "writeonly" {
			writeOnly[m.Name] = true
		}
	}
	for name, value := range sent {
		is, has := o.shown[name]
		if has && same(value, is) || writeOnly[name] && (!has || is == "" || is == nil) {
			continue
		}
		differs = true
		if !says(name) {
			silent = true
			l.Errorf("SILENT %s: %s is %s", what, name, text(is))
		}
	}
	for name, was := range before {
		if _, ok := sent[name]; ok || !l.settable(o, name) || same(was, o.shown[name]) {
			continue
		}
		differs = true
		if !says(name) {
			silent = true
			l.Errorf("SILENT %s: %s was %s and is %s", what, name, text(was), text(o.shown[name]))
		}
	}
	switch {
	case silent:
		return "SILENT"
	case ignored != nil && !differs && l.answers(o, ignored):
		l.Errorf("FALSE %s: %v", what, err)
		return "reported falsely"
	case ignored != nil:
		return "reported"
	}
	if changes, err := changes(o, sent); err != nil || changes != nil {
		l.Errorf("CHANGES %s: %s, %v", what, text(changes), err)
	}
	return "changed"
}

// answers reports whether the server shows all members that are said to be ignored.
func (l *life) answers(o *object, ignored *authentik.IgnoredError) bool {
	l.Helper()
	raw, err := authentik.Get[map[string]any](l.ctx, l.client, fmt.Sprintf("%s%v/", o.path, o.id), nil)
	if err != nil {
		l.Error(err)
		return false
	}
	for name := range o.shown {
		if _, ok := (*raw)[name]; !ok && strings.Contains(ignored.Error(), name) {
			return false
		}
	}
	return true
}

// changes are those that the object lacks of what the document says, nil if there
// are none.
func changes(o *object, sent map[string]any) (any, error) {
	f, ok := sdk.Changes[o.request]
	if !ok || f.Type().In(1) != o.model.Type() {
		return nil, nil
	}
	request := reflect.New(o.request)
	if err := convert(sent, request.Interface()); err != nil {
		return nil, err
	}
	out := f.Call([]reflect.Value{request, o.model})
	err, _ := reflect.TypeAssert[error](out[1])
	if out[0].IsNil() {
		return nil, err
	}
	return out[0].Interface(), err
}

// tally counts what was tried.
type tally struct {
	mu               sync.Mutex
	members, options map[string]int // by how it ended
	skipped          []string
}

func (c *tally) count(end string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.members[end]++
}

func (c *tally) countFilter(end string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.options[end]++
}

func (c *tally) skip(what, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.skipped = append(c.skipped, what+": "+reason)
}

func (c *tally) log(t *testing.T, release authentik.Release) {
	t.Helper()
	t.Logf("%s: %d members: %v; %d options of lists: %v", release, sum(c.members), c.members, sum(c.options), c.options)
	slices.Sort(c.skipped)
	t.Logf("%d not tried:\n%s", len(c.skipped), strings.Join(c.skipped, "\n"))
}

func sum(counts map[string]int) (all int) {
	for _, n := range counts {
		all += n
	}
	return all
}

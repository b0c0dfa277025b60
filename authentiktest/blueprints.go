package authentiktest

import (
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"
)

// blueprint is a description of objects that are to exist.
type blueprint struct {
	version  json.Number
	context  map[string]any
	metadata map[string]any
	entries  []*entry
}

// entry is an object of a blueprint. Its values may be tags.
type entry struct {
	id          string
	model       any
	state       any
	conditions  []any
	identifiers map[string]any
	attrs       map[string]any
	permissions []any
	made        *object
}

// readBlueprint reads YAML. An error is one that authentik does not expect.
func (s *Server) readBlueprint(text string) (*blueprint, error) {
	value, err := s.parseYAML(text)
	if err != nil {
		return nil, err
	}
	b := &blueprint{version: json.Number("1"), context: map[string]any{}}
	top, ok := value.(map[string]any)
	switch value.(type) {
	case string, []any: // which lacks all that may be left out
		return b, nil
	}
	if version, given := top["version"].(json.Number); given {
		b.version = version
	} else if _, given := top["version"]; given || !ok {
		return nil, errors.New("it is no map with a version that is a number")
	}
	if err := errors.Join(into(top, "context", &b.context), into(top, "metadata", &b.metadata)); err != nil {
		return nil, err
	}
	entries := top["entries"]
	if sections, ok := entries.(map[string]any); ok && s.atLeast("2025.8") {
		var all []any
		for _, name := range slices.Sorted(maps.Keys(sections)) {
			all = append(all, flat(sections[name])...)
		}
		entries = all
	}
	list, ok := entries.([]any)
	if !ok && entries != nil {
		return nil, errors.New("its entries are no list")
	}
	for _, one := range list {
		e, err := readEntry(one)
		if err != nil {
			return nil, err
		}
		b.entries = append(b.entries, e)
	}
	return b, nil
}

func readEntry(value any) (*entry, error) {
	members, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("an entry is no map")
	}
	e := &entry{model: members["model"], state: "present"}
	if state, ok := members["state"]; ok {
		e.state = state
	}
	if e.model == nil {
		return nil, errors.New("an entry has no model")
	}
	return e, errors.Join(
		into(members, "id", &e.id), into(members, "conditions", &e.conditions), into(members, "identifiers", &e.identifiers),
		into(members, "attrs", &e.attrs), into(members, "permissions", &e.permissions),
	)
}

// into sets what a member is read into, unless there is none.
func into[T any](members map[string]any, name string, target *T) error {
	value := members[name]
	if value == nil {
		return nil
	}
	typed, ok := value.(T)
	if !ok {
		return fmt.Errorf("%s is of another type", name)
	}
	*target = typed
	return nil
}

// applying applies a blueprint.
type applying struct {
	*Server
	blueprint *blueprint
	entry     *entry         // the one that is applied
	items     [][2]any       // index and value of the !Enumerate around what is resolved
	pks       map[string]any // of what was made, by that of the blueprint
	logs      []any
}

// applyBlueprint makes all that a blueprint describes, or nothing, and returns what
// authentik logs meanwhile. An error is one on which authentik fails.
func (s *Server) applyBlueprint(b *blueprint, context map[string]any) (logs []any, ok bool, err error) {
	all := map[string]any{"goauthentik.io/enterprise/licensed": s.licensed}
	maps.Copy(all, b.context)
	maps.Copy(all, context)
	a := &applying{Server: s, blueprint: &blueprint{b.version, all, b.metadata, b.entries}, pks: map[string]any{}, logs: []any{}}
	if b.version != "1" {
		a.log("Invalid blueprint version", nil)
		return a.logs, false, nil
	}
	restore := s.snapshot()
	for _, e := range b.entries {
		a.entry = e
		if ok, err = a.applyEntry(); !ok {
			restore()
			if s.atLeast("2024.2") {
				a.log("Blueprint validation failed", nil)
			}
			return a.logs, false, err
		}
	}
	return a.logs, true, nil
}

// log adds a warning.
func (a *applying) log(event string, attributes map[string]any) {
	a.logs = append(a.logs, logged("warning", event, attributes))
}

// logged is an entry of a log.
func logged(level, event string, attributes map[string]any) map[string]any {
	if attributes == nil {
		attributes = map[string]any{}
	}
	return map[string]any{
		"timestamp": timeText(time.Now()), "log_level": level, "logger": "authentik.blueprints.v1.importer",
		"event": event, "attributes": attributes,
	}
}

func (a *applying) applyEntry() (ok bool, err error) {
	resolved, err := a.resolve(a.entry.model)
	if err != nil {
		return false, err
	}
	model := canonical(resolved)
	path := a.listOf(model)
	if path == "" && model != metaApply && a.facts().Models[model] == nil {
		app, name, _ := strings.Cut(model, ".")
		a.log("App or Model does not exist", map[string]any{"app": app, "model": name})
		return false, nil
	}
	err = a.applyModel(model, path)
	if err == nil || errors.Is(err, errTag) {
		return err == nil, err
	}
	// authentik logs the entry, and its tags as they are without the others: if one
	// needs them, it fails.
	alone := &applying{Server: a.Server, blueprint: new(blueprint), entry: new(entry)}
	e := a.entry
	shown, failed := alone.resolve(map[string]any{
		"model": e.model, "state": e.state, "conditions": e.conditions, "identifiers": e.identifiers, "attrs": e.attrs, "permissions": e.permissions, "id": e.id,
	})
	words := "Entry invalid: "
	if !a.atLeast("2024.4") { // which log no more than words
		words, shown, failed = "entry invalid: ", nil, nil
	}
	a.log(words+err.Error(), map[string]any{"entry": shown, "error": err.Error()})
	return false, failed
}

// applyModel makes, changes or deletes the object of the entry.
func (a *applying) applyModel(model, path string) error {
	wanted, err := a.resolve(a.entry.conditions)
	if err != nil || slices.ContainsFunc(flat(wanted), func(one any) bool { return !truthy(one) }) {
		return err
	}
	if model == metaApply {
		return a.applyOther()
	}
	k := kindOf(path)
	if k == nil || !strings.Contains(k.methods, http.MethodPost) {
		return fmt.Errorf("Model %s not allowed", model) //nolint:staticcheck // authentik's words
	}
	l := a.list(path)
	current, identifiers, err := a.existing(l)
	if err != nil {
		return err
	}
	state, err := a.resolve(a.entry.state)
	switch {
	case err != nil:
		return err
	case state == "absent" && current != nil:
		a.deleteAll(current, map[*object]bool{})
		return nil
	case state == "absent":
		return nil
	case state == "must_created" && current != nil:
		refusals := map[string]any{}
		for name := range a.entry.identifiers {
			refusals[name] = []string{"State is set to must_created and object exists already"}
		}
		return errors.New(strings.ReplaceAll(a.errorDetails(refusals), "'invalid'", "'unique'"))
	case state != "present" && state != "created" && state != "must_created":
		return errTag
	}
	return a.write(l, current, identifiers, state == "created" && current != nil)
}

// write makes the object of the entry, or changes the one that is there, unless it
// is to be kept.
func (a *applying) write(l *list, current *object, identifiers map[string]any, keep bool) error {
	resolved, err := a.resolve(a.entry.attrs)
	if err != nil {
		return err
	}
	body := map[string]any{}
	attrs, _ := resolved.(map[string]any)
	maps.Copy(body, a.renumbered(attrs))
	maps.Copy(body, identifiers)
	if _, ok := body["user"]; !ok && l.path == "core/tokens/" && current == nil {
		return a.refused(map[string]any{"non_field_errors": []string{"Missing user"}})
	}
	w, refused := a.Server.write(new(call), l, current, body, current != nil)
	if refused != nil {
		return a.refused(refused.body)
	}
	for member, hidden := range secretMembers[l.path] { // which requests cannot set
		if value, ok := body[member]; ok {
			w.members[hidden] = value
		}
	}
	switch {
	case current == nil:
		if pk, ok := identifiers["pk"]; ok && l.kind.base == "" && l.path != "core/applications/" { // whose pks are those of what they are based on
			w.members["pk"] = pk
		}
		current = a.insert(l, w.members, nil)
	case !keep:
		a.change(current, w.members)
		a.updated(current)
		a.saved(current, false)
	}
	a.entry.made = current
	if old, ok := a.entry.identifiers["pk"]; ok {
		a.pks[canonical(old)] = primaryKey(current)
	}
	return a.permitted(current)
}

// secretMembers are what blueprints set and no answer shows.
var secretMembers = map[string]map[string]string{
	"core/users/":                         {"password": ".password"},
	"core/tokens/":                        {"key": ".key"},
	"endpoints/agents/enrollment_tokens/": {"key": ".key"},
}

func primaryKey(o *object) any {
	if pk, ok := o.members["pk"]; ok {
		return pk
	}
	return o.members[o.list.kind.key]
}

// permitted gives users and roles what the entry says.
func (a *applying) permitted(o *object) error {
	resolved, err := a.resolve(a.entry.permissions)
	if err != nil {
		return err
	}
	model := a.facts().Lists[o.list.path].Model
	app, _, _ := strings.Cut(model, ".")
	for _, one := range flat(resolved) {
		p, _ := one.(map[string]any)
		code := canonical(p["permission"])
		if !strings.Contains(code, ".") {
			code = app + "." + code
		}
		if user := a.referred("core/users/", canonical(p["user"])); user != nil {
			a.permit(user, code, o)
		}
		if role := a.referred("rbac/roles/", canonical(p["role"])); role != nil {
			a.grant(role, map[string]any{"permissions": []any{code}, "model": model, "object_pk": canonical(primaryKey(o))}, true)
		}
	}
	return nil
}

// existing is the object that the identifiers of the entry name, nil if there is
// none.
func (a *applying) existing(l *list) (o *object, identifiers map[string]any, err error) {
	resolved, err := a.resolve(a.entry.identifiers)
	if err != nil {
		return nil, nil, err
	}
	given, _ := resolved.(map[string]any)
	identifiers = a.renumbered(given)
	conditions := map[string]any{}
	for name, value := range identifiers {
		if object, ok := value.(map[string]any); ok && object["pk"] != nil {
			identifiers[name], value = object["pk"], object["pk"]
		}
		if name != "pk" {
			conditions[name] = value
		}
	}
	if len(identifiers) == 0 {
		return nil, nil, errors.New("No or invalid identifiers") //nolint:staticcheck // authentik's words
	}
	for _, o := range l.objects {
		if pk, ok := identifiers["pk"]; ok && canonical(primaryKey(o)) == canonical(pk) {
			return o, identifiers, nil
		}
	}
	if len(conditions) > 0 {
		o, err = a.lookUp([]*list{l}, conditions)
	}
	return o, identifiers, err
}

// renumbered has the pks of what was made instead of those of the blueprint.
func (a *applying) renumbered(members map[string]any) map[string]any {
	pkOf := func(value any) any {
		switch value.(type) {
		case string, json.Number:
			if pk, ok := a.pks[canonical(value)]; ok {
				return pk
			}
		}
		return value
	}
	renumbered := make(map[string]any, len(members))
	for name, value := range members {
		if list, ok := value.([]any); ok {
			list = slices.Clone(list)
			for i := range list {
				list[i] = pkOf(list[i])
			}
			renumbered[name] = list
			continue
		}
		renumbered[name] = pkOf(value)
	}
	return renumbered
}

// metaApply is the model by which a blueprint applies another one.
const metaApply = "authentik_blueprints.metaapplyblueprint"

func (a *applying) applyOther() error {
	resolved, err := a.resolve(a.entry.attrs)
	if err != nil {
		return err
	}
	attrs, _ := resolved.(map[string]any)
	identifiers, _ := attrs["identifiers"].(map[string]any)
	other, err := a.lookUp([]*list{a.list("managed/blueprints/")}, identifiers)
	switch {
	case err != nil:
		return err
	case other == nil && attrs["required"] == false:
		return nil
	case other == nil:
		return a.refused(map[string]any{"identifiers": []string{"Required blueprint does not exist"}})
	}
	b, err := a.readBlueprint(canonical(other.members["content"]))
	if err != nil {
		return errTag
	}
	context, _ := other.members["context"].(map[string]any)
	_, _, err = a.applyBlueprint(b, context) // authentik does not look whether it worked
	return err
}

// refused is the error of a serializer that refused members.
func (a *applying) refused(body any) error {
	if (body == emptyPage{}) {
		return errTag
	}
	return fmt.Errorf("Serializer errors %s", a.errorDetails(body)) //nolint:staticcheck // authentik's words
}

// errorDetails is what refuses members, as Python shows it.
func (a *applying) errorDetails(body any) string {
	switch body := body.(type) {
	case string:
		code := "invalid"
		for _, messages := range a.facts().Messages {
			for name, words := range messages {
				if words == body {
					code = name
				}
			}
		}
		if strings.HasSuffix(body, " already exists.") {
			code = "unique"
		}
		return fmt.Sprintf("ErrorDetail(string=%s, code='%s')", repr(body), code)
	case []string:
		parts := make([]string, len(body))
		for i, one := range body {
			parts[i] = a.errorDetails(one)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(body)) {
			parts = append(parts, repr(name)+": "+a.errorDetails(body[name]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return repr(body)
}

// snapshot remembers all objects. restore undoes what was done to them since.
func (s *Server) snapshot() (restore func()) {
	before := map[*list]map[*object]map[string]any{}
	for _, l := range s.lists {
		before[l] = map[*object]map[string]any{}
		for _, o := range l.objects {
			before[l][o] = maps.Clone(o.members)
		}
	}
	grants := slices.Clone(s.grants)
	return func() {
		for _, l := range s.lists {
			for _, o := range slices.Clone(l.objects) {
				if before[l][o] == nil {
					s.remove(o)
				}
			}
		}
		for l, objects := range before {
			for o, members := range objects {
				switch there := o.place < len(l.objects) && l.objects[o.place] == o; {
				case !there:
					o.members = members
					s.put(o)
				case !reflect.DeepEqual(o.members, members):
					s.replace(o, members)
				}
			}
		}
		s.grants = grants
	}
}

// validBlueprint is a check of a blueprint's content.
func validBlueprint(w *write, value any) any {
	if value == "" {
		return nil
	}
	b, err := w.server.readBlueprint(canonical(value))
	if err != nil {
		return crash{}
	}
	var context map[string]any
	if w.current != nil {
		context, _ = w.current.members["context"].(map[string]any)
	}
	restore := w.server.snapshot()
	logs, ok, err := w.server.applyBlueprint(b, context)
	switch restore(); {
	case err != nil:
		return crash{}
	case ok:
		return nil
	}
	words := []string{"Failed to validate blueprint"}
	for _, line := range logs {
		words = append(words, "- "+canonical(line.(map[string]any)["event"])) //nolint:forcetypeassert // made by log
	}
	return words
}

// apply answers with the blueprint as it is, and applies it at once, which authentik
// does later.
func apply(s *Server, _ *call, o *object, _ map[string]any) reply {
	if !isEmpty(o.members["path"]) {
		return unable("apply a blueprint that is a file")
	}
	shown := s.shown(o, o.list, o.list.kind.object, nil)
	changes := map[string]any{"last_applied": timeText(time.Now())}
	if o.members["enabled"] == false {
		s.applied(o, logged("info", "Blueprint "+canonical(o.members["name"])+" is disabled, skipping", nil))
		s.change(o, changes)
		return reply{http.StatusOK, shown}
	}
	content := canonical(o.members["content"])
	sum := sha512.Sum512([]byte(content))
	changes["status"] = "error"
	var logs []any
	b, err := s.readBlueprint(content)
	if err == nil {
		context, _ := o.members["context"].(map[string]any)
		if b.metadata != nil {
			metadata := map[string]any{"labels": map[string]any{}}
			maps.Copy(metadata, b.metadata)
			changes["metadata"] = metadata
		}
		var ok bool
		if logs, ok, err = s.applyBlueprint(b, context); ok {
			logs = nil
			changes["status"], changes["last_applied_hash"] = "successful", hex.EncodeToString(sum[:])
		}
	}
	if err != nil { // an error of the work is no answer
		logs = append(logs, logged("error", err.Error(), nil))
	}
	s.applied(o, logs...)
	s.change(o, changes)
	return reply{http.StatusOK, shown}
}

// applied adds the task by which a blueprint was applied. Since 2025.10 no task that
// ended shows in its status how it went.
func (s *Server) applied(o *object, logs ...any) {
	l := s.listAt("tasks/tasks/")
	if l == nil {
		return
	}
	const actor = "authentik.blueprints.v1.tasks.apply_blueprint"
	task := map[string]any{
		"queue_name": "default", "actor_name": actor, "state": "done", "aggregated_status": "done", "mtime": timeText(time.Now()),
		"rel_obj_app_label": "authentik_blueprints", "rel_obj_model": "blueprintinstance", "rel_obj_id": o.key,
		"uid": actor + ":" + strings.ReplaceAll(strings.ToLower(canonical(o.members["name"])), " ", "-"), "description": "Apply single blueprint.",
	}
	member := "logs"
	if !s.atLeast("2025.10") {
		member = "messages"
		for _, log := range logs { // the most serious comes last
			task["aggregated_status"] = log.(map[string]any)["log_level"]
		}
	}
	task[member] = append([]any{}, logs...)
	s.add(l, task)
}

// importBlueprint applies an uploaded blueprint once.
func importBlueprint(s *Server, c *call, _ *object, body map[string]any) reply {
	name, content := c.uploaded()
	ofFlows := c.path == "flows/instances/import/"
	switch {
	case name != "" && len(content) == 0 && !ofFlows:
		return reply{http.StatusBadRequest, map[string]any{"file": []string{"The submitted file is empty."}}}
	case name != "":
	case ofFlows:
		return reply{http.StatusBadRequest, map[string]any{"logs": []any{}, "success": false}}
	case !isEmpty(body["path"]):
		return unable("import a blueprint that is a file of the server")
	default:
		return reply{http.StatusBadRequest, []string{"Either path or file must be set"}}
	}
	b, err := s.readBlueprint(string(content))
	if err != nil {
		return failure
	}
	if !ofFlows && c.limited(s) {
		for _, e := range b.entries {
			app, model, _ := strings.Cut(canonical(e.model), ".")
			for _, verb := range []string{"add_", "change_", "delete_"} {
				if !s.allowed(c, app+"."+verb+model, "") {
					return reply{http.StatusForbidden, map[string]any{e.id: "User lacks permission to create " + canonical(e.model)}}
				}
			}
		}
	}
	logs, ok, err := s.applyBlueprint(b, nil)
	if err != nil {
		return failure
	}
	return reply{http.StatusOK, map[string]any{"logs": logs, "success": ok}}
}

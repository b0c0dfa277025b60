package contract

import (
	_ "embed" // what servers said
	"fmt"
	"slices"
	"strings"
	"sync"
)

//go:embed servers.txt
var recordedServers string

// Servers are the facts of running servers, those in servers.txt: what no schema
// shows of orders, filters, defaults, messages, permissions and cascades.
type Servers struct {
	Releases []string // that were asked, the oldest first: 2023.10
	lines    []*Line
}

// ReadServers returns the facts of running servers.
func ReadServers() (*Servers, error) { return readServers() }

var readServers = sync.OnceValues(func() (*Servers, error) { return ParseServers(recordedServers) })

// Server is what a server of one release said.
type Server struct {
	Release     string
	Lists       map[string]*ServerList       // by path: core/users/
	Actions     map[string]*ServerAction     // by method and path, of lists and views: GET core/users/{id}/
	Serializers map[string]*ServerSerializer // by name: UserSerializer
	Models      map[string]*ServerModel      // by name: authentik_core.user
	Messages    map[string]map[string]string // by type of field, then code: CharField, blank
}

// ServerList is a list of objects.
type ServerList struct {
	Path         string
	Model        string // authentik_core.user
	Lookup       string // the member in the path of one object: pk, slug
	PageSize     int    // without page_size; 0 if there are no pages
	MaxPageSize  int    // 0 if there is no limit
	Owner        string // the member that holds the user who needs no permission
	CreateAnyhow bool   // POST needs no permission
	Shared       bool   // rows are seen without a permission
	Order        []string
	Total        bool   // Order decides between any two objects
	TotalBy      string // the term that makes it total
	Orderable    []*ServerOrder
	Search       []string // the members that search looks into
	SearchJoins  []string // those of Search that repeat an object
	Queries      []string // the members that the search's query language knows
	Filters      map[string]*ServerFilter
	Unique       []string
	Unchecked    []string                 // those of Unique whose violation is no 400
	Actions      map[string]*ServerAction // by name: list, create, retrieve, update, partial_update, destroy, used_by
	Deletes      map[string]string        // the lists from which deleting an object takes others, and by which keys
	Nulls        []ServerLink             // the members that it empties
	Unlinks      []ServerLink             // the members, lists of pks, that lose it
	ProtectedBy  []ServerLink             // the members that forbid it
}

// PK is the first name by which the list can be ordered by its primary key, "" if there is none.
func (l *ServerList) PK() string {
	for _, o := range l.Orderable {
		if o.PK {
			return o.Name
		}
	}
	return ""
}

// ServerOrder is a name that ordering takes.
type ServerOrder struct {
	Name  string
	Type  string // of the model's field: AutoField, TextField; error if it ends in a 500
	By    string // of a reference, what it sorts by
	PK    bool   // it is the primary key
	Joins bool   // an object may come several times
}

// Fails reports whether ordering by it ends in the server's 500.
func (o *ServerOrder) Fails() bool { return o.Type == "error" }

// ServerFilter is a filter of a list.
type ServerFilter struct {
	Name     string
	Class    string // CharFilter
	Field    string // users__name
	Lookup   string // exact
	Model    string // that it refers to
	To       string // by which member
	Method   string // of code of its own
	Choices  []string
	Required bool
	Distinct bool
	Joins    bool // it crosses a list: an object may come several times, unless Distinct
}

// Repeats reports whether an object may come several times.
func (f *ServerFilter) Repeats() bool { return f.Joins && !f.Distinct }

// ServerAction is an operation and who may do it. A superuser may do all.
type ServerAction struct {
	Name       string // list, create, add_user
	Method     string
	Path       string   // core/users/{id}/
	Class      string   // AllowAny, IsAuthenticated, IsAdminUser; "" for permissions by object
	Has        []string // the permissions that it needs globally, whatever the object
	Model      []string // needed globally if the path has no object; on 2023.10 always
	Object     []string // needed globally or on the object
	Rows       string   // needed to see the object: without it, 404
	Required   string   // needed globally or on the object, asked for by the action itself
	Global     []string // needed globally, asked for by the action itself
	Serializer string
	Request    string // the serializer of the body
}

// ServerLink is a member of the objects of a list, and the keys that lead to it.
type ServerLink struct{ List, Member, By string }

// ServerSerializer is what an object's members are checked by.
type ServerSerializer struct {
	Name       string
	Model      string
	Enterprise bool // a write needs a licence
	Fields     map[string]*ServerField
	Sets       []ServerSet // of members that are unique together
	Together   []ServerSet // of members that need each other
}

// ServerSet is a rule over several members.
type ServerSet struct {
	Fields  []string
	Message string
}

// ServerField is a member of a serializer.
type ServerField struct {
	Name       string
	Type       string // CharField
	Source     string // the model's field, "" if it has the member's name
	Serializer string // of what is nested
	Related    string // the model that it refers to
	Slug       string // the member of the related model that it holds
	Default    string // what an absent member becomes at POST and PUT, as JSON; "" if there is none
	Initial    string // what the model's field is at first, as JSON; "callable:…" if the server computes it
	Min, Max   string // of a number, as JSON
	MinLength  int
	MaxLength  int
	Unique     string // the message if another object has the value, "" if it is not unique
	UniqueIn   string // the model
	UniqueBy   string // the comparison, "" for exact
	Pattern    string // a regular expression of Python
	Invalid    string // the message of Pattern and Validators
	Validators []string
	Child      *ServerField // of the values of a list

	ReadOnly  bool
	WriteOnly bool
	Required  bool
	Null      bool // null is taken
	Nullable  bool // the model's field may be null: what it is at first, if Initial says nothing
	Blank     bool // "" is taken
	Many      bool
	Full      bool // an empty list is refused
	Inherits  bool // an object that it refers to is shown as its own kind, not as the base of all kinds
	Untrimmed bool // white space at the ends is kept
}

// ServerModel is a type of objects.
type ServerModel struct {
	Name        string
	Verbose     string
	Parents     []string // the models whose members it has as well
	Permissions []string // without the app: view_user
	Managers    []ServerManager
}

// ServerManager is a reference to objects of a model, or a list of references that
// these have: what used_by looks at, in its order.
type ServerManager struct {
	Name     string // user_set
	Model    string // of the other objects
	By       string // their field, "" if Own
	OnDelete string // set_null, set_default, do_nothing; "" if the other goes along
	Many     bool   // each of the two may refer to several
	Own      bool   // Name is a field of the model itself
}

// Closest are the releases that were asked, the closest one by date first, the older
// of two.
func (s *Servers) Closest(release string) []string {
	return slices.SortedStableFunc(slices.Values(s.Releases), func(a, b string) int { return distance(a, release) - distance(b, release) })
}

// At returns what the server said whose release is the closest one by date, the
// older of two.
func (s *Servers) At(release string) *Server {
	closest := slices.Index(s.Releases, s.Closest(release)[0])
	server := &Server{
		Release: s.Releases[closest],
		Lists:   map[string]*ServerList{}, Actions: map[string]*ServerAction{}, Serializers: map[string]*ServerSerializer{},
		Models: map[string]*ServerModel{}, Messages: map[string]map[string]string{},
	}
	for _, head := range s.lines {
		if head.spans.Has(closest) {
			server.add(head, slices.DeleteFunc(slices.Clone(head.lines), func(l *Line) bool { return !l.spans.Has(closest) }))
		}
	}
	return server
}

// distance is how many months lie between two releases.
func distance(a, b string) int {
	var x, y [2]int
	_, _ = fmt.Sscanf(a, "%d.%d", &x[0], &x[1]) // what is no release is the oldest
	_, _ = fmt.Sscanf(b, "%d.%d", &y[0], &y[1])
	months := (x[0]-y[0])*12 + x[1] - y[1]
	return max(months, -months)
}

func (s *Server) add(head *Line, lines []*Line) {
	name := head.word(1)
	switch head.word(0) {
	case "list":
		l := &ServerList{Path: name, Filters: map[string]*ServerFilter{}, Actions: map[string]*ServerAction{}, Deletes: map[string]string{}}
		for _, line := range lines {
			l.add(line)
		}
		s.Lists[name] = l
		for _, a := range l.Actions {
			s.Actions[a.Method+" "+a.Path] = a
		}
	case "view":
		for _, line := range lines {
			a := line.action("")
			s.Actions[a.Method+" "+a.Path] = a
		}
	case "serializer":
		serializer := &ServerSerializer{Name: name, Fields: map[string]*ServerField{}}
		for _, line := range lines {
			switch line.word(0) {
			case "model":
				serializer.Model = line.word(1)
			case "enterprise":
				serializer.Enterprise = true
			case "set":
				serializer.Sets = append(serializer.Sets, ServerSet{line.words[1:], line.text("message")})
			case "together":
				serializer.Together = append(serializer.Together, ServerSet{line.words[1:], line.text("message")})
			case "field":
				serializer.Fields[line.word(1)] = line.field()
			}
		}
		s.Serializers[name] = serializer
	case "model":
		m := &ServerModel{Name: name}
		for _, line := range lines {
			switch line.word(0) {
			case "name":
				m.Verbose, m.Parents = line.text("verbose"), line.list("parents")
			case "manager":
				m.Managers = append(m.Managers, ServerManager{
					line.word(1), line.word(2), line.text("by"), line.text("on"), line.has("many"), line.has("own"),
				})
			case "permissions":
				m.Permissions = line.words[1:]
			}
		}
		s.Models[name] = m
	case "messages":
		s.Messages[name] = map[string]string{}
		for _, line := range lines {
			s.Messages[name][line.word(1)] = line.text("is")
		}
	}
}

func (l *ServerList) add(line *Line) {
	link := ServerLink{line.word(1), line.word(2), line.text("by")}
	switch line.word(0) {
	case "is":
		l.Model, l.Lookup, l.Owner = line.text("model"), line.text("lookup"), line.text("owner")
		l.PageSize, l.MaxPageSize = line.number("page"), line.number("max")
		l.CreateAnyhow, l.Shared = line.has("createanyhow"), line.has("shared")
	case "order":
		l.Order = line.words[1:]
	case "total":
		l.Total, l.TotalBy = true, line.text("by")
	case "orderable":
		l.Orderable = append(l.Orderable, &ServerOrder{
			Name: line.word(1), Type: line.word(2), By: line.text("by"), PK: line.has("pk"), Joins: line.has("joins"),
		})
	case "search":
		l.Search = line.words[1:]
	case "searchjoins":
		l.SearchJoins = line.words[1:]
	case "ql":
		l.Queries = append(l.Queries, line.word(1))
	case "filter":
		f := &ServerFilter{
			Name: line.word(1), Class: line.word(2), Field: line.text("field"), Lookup: line.text("lookup"), Model: line.text("model"),
			To: line.text("to"), Method: line.text("method"), Choices: line.list("choices"),
			Required: line.has("required"), Distinct: line.has("distinct"), Joins: line.has("joins"),
		}
		if f.Field == "" {
			f.Field = f.Name
		}
		if f.Lookup == "" {
			f.Lookup = "exact"
		}
		l.Filters[f.Name] = f
	case "unique":
		l.Unique = append(l.Unique, line.word(1))
		if line.has("unchecked") {
			l.Unchecked = append(l.Unchecked, line.word(1))
		}
	case "action":
		app, _, _ := strings.Cut(l.Model, ".")
		l.Actions[line.word(1)] = line.action(app)
	case "deletes":
		l.Deletes[line.word(1)] = line.text("by")
	case "nulls":
		l.Nulls = append(l.Nulls, link)
	case "unlinks":
		l.Unlinks = append(l.Unlinks, link)
	case "protectedby":
		l.ProtectedBy = append(l.ProtectedBy, link)
	}
}

// action reads an action of a list whose model is in the app.
func (l *Line) action(app string) *ServerAction {
	full := func(rights ...string) []string {
		for i, right := range rights {
			if right != "" && !strings.Contains(right, ".") {
				rights[i] = app + "." + right
			}
		}
		return rights
	}
	a := &ServerAction{
		Name: l.word(1), Method: l.word(2), Path: l.word(3), Class: l.text("class"), Has: l.list("has"),
		Model: full(l.list("model")...), Object: full(l.list("object")...), Rows: full(l.text("rows"))[0],
		Required: full(l.text("required"))[0], Global: full(l.list("global")...),
		Serializer: l.text("serializer"), Request: l.text("request"),
	}
	if a.Request == "" {
		a.Request = a.Serializer
	}
	return a
}

func (l *Line) field() *ServerField {
	f := &ServerField{
		Name: l.word(1), Type: l.word(2), Source: l.text("source"), Serializer: l.text("serializer"), Related: l.text("related"),
		Slug: l.text("slug"), Default: l.value("default"), Initial: l.value("initial"),
		Min: l.value("min"), Max: l.value("max"), MinLength: l.number("minlength"), MaxLength: l.number("maxlength"),
		Unique: l.text("unique"), UniqueIn: l.text("uniquein"), UniqueBy: l.text("uniqueby"), Pattern: l.text("pattern"), Invalid: l.text("invalid"),
		Validators: l.list("validators"),
		ReadOnly:   l.has("readonly"), WriteOnly: l.has("writeonly"), Required: l.has("required"), Null: l.has("null"), Nullable: l.has("nullable"),
		Blank: l.has("blank"), Many: l.has("many"), Full: l.has("full"), Untrimmed: l.has("untrimmed"), Inherits: l.has("inherits"),
	}
	if child := l.text("child"); child != "" {
		if line, err := parseLine(`field "" ` + child); err == nil {
			f.Child = line.field()
		}
	}
	return f
}

// ParseServers reads what [ServersText] wrote.
func ParseServers(text string) (*Servers, error) {
	s := new(Servers)
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if release, ok := strings.CutPrefix(line, "release "); ok {
			s.Releases = append(s.Releases, release)
			continue
		}
		if err := s.line(line); err != nil {
			return nil, fmt.Errorf("line %d of the servers' facts: %w: %s", number, err, line)
		}
	}
	return s, nil
}

func (s *Servers) line(text string) error {
	owner, heads := Spans{{0, len(s.Releases) - 1}}, &s.lines
	trimmed, indented := strings.CutPrefix(text, "  ")
	if indented {
		if len(s.lines) == 0 {
			return errLine
		}
		head := s.lines[len(s.lines)-1]
		owner, heads = head.spans, &head.lines
	}
	var spans string
	if i := strings.LastIndex(trimmed, " @"); i >= 0 && !strings.ContainsAny(trimmed[i:], `"]}`) {
		trimmed, spans = trimmed[:i], trimmed[i+2:]
	}
	line, err := parseLine(trimmed)
	if err != nil {
		return err
	}
	if line.spans, err = parseSpans(spans, s.Releases, owner); err != nil {
		return err
	}
	*heads = append(*heads, line)
	return nil
}

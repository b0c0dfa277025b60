package contract

// Facts are what the releases of authentik have: every operation, parameter,
// object, member and value, each with the versions that have it.
type Facts struct {
	Versions   []string     // of the schemas that were read, the oldest first: 2023.10.7
	Operations []*Operation // by path, then method
	Objects    []*Object    // by name, those of requests too; pages are not objects here
	Enums      []*Enum      // by name
}

// Spans are the versions that have a fact: runs of indexes into
// [Facts.Versions], the earliest first.
type Spans []Span

// Span is a run of versions, from First to Last, both included.
type Span struct{ First, Last int }

// Operation is what one method does at one path.
type Operation struct {
	Method     string // GET
	Path       string // below /api/v3/, without a leading slash: core/users/{id}/
	ID         string // the newest operationId: core_users_list
	NoToken    bool   // the newest schema does without a token
	Auth       string // what the newest schema asks for in place of the API's token: a scheme's name, or undeclared
	Parameters []*Parameter
	Bodies     []*Content // what a request holds; one, unless it changed
	Answers    []*Content // the 2xx answers
	Spans      Spans
}

// Parameter is one in the path or in the query. What changed has an entry for each form.
type Parameter struct {
	Name     string
	In       string // path or query
	Type     Type
	Required bool
	Explode  bool   // of a list: one parameter for each value, else separated by commas
	Default  string // as JSON, "" if there is none
	Spans    Spans
}

// Content is a body.
type Content struct {
	Status   int    // of an answer
	Media    string // application/json; "" if there is no body
	Page     bool   // a page whose results are lists of Type
	Type     Type   // Kind is "" if there is no body
	Required bool   // of a request's body
	Spans    Spans
}

// Object is a schema with members. One without a name of its own is named by its
// place: AuthenticatedSession.user_agent. One whose name is that of another
// object in other releases has a name that tells them apart.
type Object struct {
	Name    string
	Open    bool      // the newest schema allows members beside these
	Members []*Member // in the newest schema's order; what changed has an entry for each form
	Spans   Spans
}

// Member is a member of an object.
type Member struct {
	Name      string
	Type      Type
	Required  bool
	ReadOnly  bool
	WriteOnly bool
	MinLength int    // of a string
	Default   string // as JSON, "" if there is none
	Spans     Spans
}

// Enum is a string, or a number, of which the values are known.
type Enum struct {
	Name   string
	Number bool     // the values are integers
	Values []*Value // in the newest schema's order, those that are gone at the end
	Spans  Spans
}

// Value is one value of an enum.
type Value struct {
	Value string
	Spans Spans
}

// Type is the type of a parameter, a member or a body.
type Type struct {
	// Kind is uuid, string, date-time, date, uri, email, binary, boolean, integer, int64,
	// number (whole), double, object (of free form), any, array, map, ref (to an
	// object), enum.
	Kind     string
	Name     string // of the object or enum, or of the union of objects that is any
	Elem     *Type  // of an array or map
	Nullable bool
}

package main

import "encoding/json"

// server is what one server said of itself.
type server struct {
	Release     string
	Lists       map[string]*list
	Views       map[string]*view
	Serializers map[string]*serializer
	Models      map[string]*model
	Messages    map[string]map[string]string
}

type list struct {
	Model       string
	LookupField string   `json:"lookup_field"`
	Backends    []string `json:"filter_backends"`
	OwnerField  string   `json:"owner_field"`
	Pagination  struct {
		PageSize int `json:"page_size"`
		Max      int `json:"max_page_size"`
	}
	CreateAnyhow bool `json:"rbac_allow_create_without_perm"`
	Ordering     *struct {
		Default   []string
		Total     bool
		TotalBy   string `json:"total_by"`
		Orderable map[string]string
		PK        []string `json:"pk_orderable_as"`
	}
	Search      []string `json:"search_fields"`
	SearchJoins []string `json:"search_joins"`
	QL          []struct {
		Name, Type string
	} `json:"ql_fields"`
	Filters     map[string]*filter
	Unique      []string
	Unchecked   []string `json:"unique_without_validator"`
	Actions     map[string]*action
	Deletes     map[string]string
	Nulls       map[string]map[string]string
	Unlinks     map[string]map[string]string
	ProtectedBy map[string]map[string]string `json:"protected_by"`
}

type filter struct {
	Class, Field, Lookup, Model, Method string
	ToField                             string `json:"to_field"`
	Choices                             []any
	Required, Distinct, Joins           bool
}

type view struct {
	Operations map[string]*action
}

type action struct {
	Method, Path, Serializer string
	Request                  any
	Permissions              struct {
		Classes       []json.RawMessage
		Model, Object []string
		Rows          string
		Required      struct {
			Object string
			Global []string
		}
	}
}

type serializer struct {
	Model           string
	DefinesValidate string `json:"defines_validate"`
	Fields          map[string]*field
	Validators      []json.RawMessage
}

type field struct {
	Type, Source, Serializer, Related string
	SlugField                         string `json:"slug_field"`
	ReadOnly                          bool   `json:"read_only"`
	WriteOnly                         bool   `json:"write_only"`
	Required, Many                    bool
	AllowNull                         bool  `json:"allow_null"`
	AllowBlank                        bool  `json:"allow_blank"`
	AllowEmpty                        *bool `json:"allow_empty"`
	Trim                              *bool `json:"trim_whitespace"`
	Default                           json.RawMessage
	MinValue                          json.RawMessage `json:"min_value"`
	MaxValue                          json.RawMessage `json:"max_value"`
	MinLength                         json.RawMessage `json:"min_length"`
	MaxLength                         json.RawMessage `json:"max_length"`
	Unique                            bool            `json:"has_unique_validator"`
	UniqueMessage                     string          `json:"unique_message"`
	UniqueIn                          string          `json:"unique_in"`
	UniqueLookup                      string          `json:"unique_lookup"`
	Validators                        []json.RawMessage
	Child                             *field
}

type model struct {
	VerboseName        string   `json:"verbose_name"`
	Permissions        []string `json:"permissions"`
	DefaultPermissions []string `json:"default_permissions"`
	Parents            map[string]string
	Fields             map[string]*struct {
		Type        string
		Default     json.RawMessage
		Null        bool
		To, Kind    string
		From        string // the parent that it is inherited from
		RelatedName string `json:"related_name"`
	}
	Reverse map[string]*struct {
		From, Field, Kind string
		OnDelete          string `json:"on_delete"`
	}
}

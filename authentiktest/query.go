package authentiktest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

const (
	defaultPageSize = 20 // since 2025.12; 100 before
	maxPageSize     = 100
)

// filter reads a parameter that is not empty: what the member must be, "" where
// authentik ignores the value, or why it refuses it.
type filter func(s *Server, value string) (want, refusal string)

func textFilter(_ *Server, value string) (want, refusal string) { return value, "" }

func boolFilter(_ *Server, value string) (want, refusal string) {
	switch value {
	case "true", "True", "TRUE", "1":
		return "true", ""
	case "false", "False", "FALSE", "0":
		return "false", ""
	}
	return "", ""
}

func numberFilter(_ *Server, value string) (want, refusal string) {
	number, err := strconv.ParseFloat(value, 64)
	switch {
	case err != nil || math.IsInf(number, 0) || math.IsNaN(number):
		return "", "Enter a number."
	case number > 1e50:
		return "", "Ensure this value is less than or equal to 1e+50."
	}
	// 1.5 is 1 to authentik, and no stage has a number as large as the limits.
	return strconv.FormatInt(int64(max(-1e18, min(number, 1e18))), 10), ""
}

// pkFilter is on the object's own pk.
func pkFilter(_ *Server, value string) (want, refusal string) {
	id, err := uuid.Parse(value)
	if err != nil {
		return "", "Enter a valid UUID."
	}
	return id.String(), ""
}

// referenceFilter is on the pk of another object, which must exist: here, be
// in the server or named by something in it.
func referenceFilter(s *Server, value string) (want, refusal string) {
	id, err := uuid.Parse(value)
	if err != nil {
		return "", fmt.Sprintf("“%s” is not a valid UUID.", value)
	}
	for _, l := range s.lists {
		for _, e := range l.entries {
			if strings.Contains(string(e.json), id.String()) {
				return id.String(), ""
			}
		}
	}
	return "", "Select a valid choice. That choice is not one of the available choices."
}

// filter returns the entries that the parameters ask for, or why authentik
// refuses the parameters.
func (s *Server) filter(l *list, query map[string]string) (entries []entry, refusal any) {
	if strings.ContainsRune(query["search"], 0) {
		return nil, []string{"Null characters are not allowed."}
	}
	refusals := map[string][]string{}
	wants := map[string]string{}
	for name, filter := range l.kind.filters {
		value := strings.TrimSpace(query[name])
		if value == "" {
			continue
		}
		want, refusal := filter(s, value)
		if refusal != "" {
			refusals[name] = []string{refusal}
		} else if want != "" {
			wants[name] = want
		}
	}
	if len(refusals) > 0 {
		return nil, refusals
	}
	if l.kind.filters == nil {
		wants = l.membersIn(query)
	}
	terms := searchTerms(query["search"])
	for _, e := range l.entries {
		if e.matches(wants) && e.found(terms) {
			entries = append(entries, e)
		}
	}
	return entries, nil
}

// membersIn are the parameters that name a member of any object of the list.
func (l *list) membersIn(query map[string]string) map[string]string {
	wants := map[string]string{}
	for _, e := range l.entries {
		for name, member := range e.members {
			switch member.(type) {
			case []any, map[string]any:
				continue
			}
			if query[name] != "" {
				wants[name] = query[name]
			}
		}
	}
	return wants
}

func (e entry) matches(wants map[string]string) bool {
	for name, want := range wants {
		if name == "stage_uuid" {
			name = "pk"
		}
		if e.members[name] == nil || fmt.Sprint(e.members[name]) != want {
			return false
		}
	}
	return true
}

// found tells whether the name holds every term, in any case.
func (e entry) found(terms []string) bool {
	name, _ := e.members["name"].(string)
	name = strings.ToLower(name)
	for _, term := range terms {
		if !strings.Contains(name, strings.ToLower(term)) {
			return false
		}
	}
	return true
}

// searchWord is a word with the quoted text in it; a quote that is not closed
// is a character like any other.
var searchWord = regexp.MustCompile(`[^\s'"]*(?:(?:"[^"]*"|'[^']*')[^\s'"]*)+|\S+`)

// searchTerms splits at white space and commas, but keeps a word together that
// is quoted as a whole.
func searchTerms(search string) []string {
	var terms []string
	for _, word := range searchWord.FindAllString(search, -1) {
		word = strings.Trim(word, ",")
		n := len(word)
		if n > 0 && (word[0] == '"' || word[0] == '\'') && word[0] == word[n-1] {
			terms = append(terms, word[1:max(1, n-1)])
		} else {
			terms = append(terms, strings.Split(word, ",")...) // an empty one is in every name
		}
	}
	return terms
}

// object answers for the one of the entries with the pk.
func (l *list) object(entries []entry, pk string) reply {
	if l.kind.filters != nil {
		id, err := uuid.Parse(pk)
		if err != nil {
			return detail(http.StatusNotFound, "Not found.")
		}
		pk = id.String()
	}
	for _, e := range entries {
		if e.pk == pk {
			return reply{http.StatusOK, e.json}
		}
	}
	return detail(http.StatusNotFound, fmt.Sprintf("No %s matches the given query.", l.kind.model))
}

// page answers with the page of the entries that the parameters ask for.
func page(entries []entry, query map[string]string) reply {
	fields, ok := orderFields(entries, query["ordering"])
	if !ok {
		return reply{http.StatusInternalServerError, nil}
	}
	if fields == nil {
		fields = []string{"name"}
	} else { // PostgreSQL leaves rows of equal keys in any order, anew for each page
		rand.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
	}
	slices.SortStableFunc(entries, func(a, b entry) int {
		for _, field := range fields {
			name, descending := strings.CutPrefix(field, "-")
			order := compare(a.members[name], b.members[name])
			if descending {
				order = -order
			}
			if order != 0 {
				return order
			}
		}
		return 0
	})

	size, err := strconv.Atoi(query["page_size"])
	if err != nil || size <= 0 {
		size = defaultPageSize
	}
	size = min(size, maxPageSize)
	count := len(entries)
	total := max(1, (count+size-1)/size)
	number, err := strconv.Atoi(strings.TrimSpace(cmp.Or(query["page"], "1")))
	if query["page"] == "last" {
		number, err = total, nil
	}
	if err != nil || number < 1 || number > total {
		return detail(http.StatusNotFound, "Invalid page.")
	}
	start, end := (number-1)*size, min(number*size, count)
	next := number + 1
	if number == total {
		next = 0
	}

	results := make([]json.RawMessage, 0, size)
	for _, e := range entries[start:end] {
		results = append(results, e.json)
	}
	return reply{http.StatusOK, map[string]any{
		"pagination": map[string]int{
			"next":        next,
			"previous":    number - 1,
			"count":       count,
			"current":     number,
			"total_pages": total,
			"start_index": min(start+1, count),
			"end_index":   end,
		},
		"results":      results,
		"autocomplete": map[string]any{}, // since 2025.8
	}}
}

// orderFields returns the fields to order by: those that authentik knows. ok is
// false where authentik fails.
func orderFields(entries []entry, ordering string) (fields []string, ok bool) {
	for field := range strings.SplitSeq(ordering, ",") {
		field = strings.TrimSpace(field)
		name := strings.TrimPrefix(field, "-")
		switch name {
		case "flow_set":
			return nil, false
		case "", "component", "verbose_name", "verbose_name_plural", "meta_model_name", "stage_uuid":
			continue
		}
		if slices.ContainsFunc(entries, func(e entry) bool { _, has := e.members[name]; return has }) {
			fields = append(fields, field)
		}
	}
	return fields, true
}

// compare orders two members as PostgreSQL does: null comes last.
func compare(a, b any) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	x, aIsNumber := a.(json.Number)
	y, bIsNumber := b.(json.Number)
	if aIsNumber && bIsNumber {
		m, _ := x.Float64()
		n, _ := y.Float64()
		return cmp.Compare(m, n)
	}
	return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b))
}

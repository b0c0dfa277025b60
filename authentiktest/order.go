package authentiktest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// ordered are the objects of a list in its own order, in parts that are short enough
// to insert into.
type ordered struct {
	fields []string
	parts  [][]*object // none is empty
}

const longest = 1024

// find returns the part and the place in it where o is, or would be.
func (s *ordered) find(o *object) (part, place int) {
	part, _ = slices.BinarySearchFunc(s.parts, o, func(part []*object, o *object) int { return s.compare(part[len(part)-1], o) })
	if part < len(s.parts) {
		place, _ = slices.BinarySearchFunc(s.parts[part], o, s.compare)
	}
	return part, place
}

func (s *ordered) compare(x, y *object) int {
	for _, field := range s.fields {
		name := strings.TrimPrefix(field, "-")
		if order := compare(x.members[name], y.members[name]); order != 0 {
			if name != field {
				return -order
			}
			return order
		}
	}
	return cmp.Compare(x.place, y.place)
}

func (s *ordered) insert(o *object) {
	part, place := s.find(o)
	if part == len(s.parts) { // after all others
		if part == 0 || len(s.parts[part-1]) == longest {
			s.parts = append(s.parts, []*object{o})
			return
		}
		part--
		place = len(s.parts[part])
	}
	s.parts[part] = slices.Insert(s.parts[part], place, o)
	if n := len(s.parts[part]); n > longest {
		right := slices.Clone(s.parts[part][n/2:])
		s.parts[part] = s.parts[part][:n/2]
		s.parts = slices.Insert(s.parts, part+1, right)
	}
}

// remove removes o, of which nothing has changed since it was inserted.
func (s *ordered) remove(o *object) {
	part, place := s.find(o)
	s.parts[part] = slices.Delete(s.parts[part], place, place+1)
	if len(s.parts[part]) == 0 {
		s.parts = slices.Delete(s.parts, part, part+1)
	}
}

// page returns the objects from start to end.
func (s *ordered) page(start, end int) []*object {
	page := make([]*object, 0, end-start)
	for _, part := range s.parts {
		if start < len(part) && end > 0 {
			page = append(page, part[max(0, start):min(end, len(part))]...)
		}
		start -= len(part)
		end -= len(part)
	}
	return page
}

func (s *ordered) count() int {
	n := 0
	for _, part := range s.parts {
		n += len(part)
	}
	return n
}

// passing adds the objects that pass the tests to found.
func passing(found, objects []*object, tests []test) []*object {
	for _, o := range objects {
		if !slices.ContainsFunc(tests, func(t test) bool { return !t(o) }) {
			found = append(found, o)
		}
	}
	return found
}

// answer is what a list answers to a query, before its pages. It puts in order but
// what its pages need.
type answer struct {
	fields []string // that it is ordered by
	stable bool     // objects stay in place that the fields do not tell apart
	rows   []row
	runs   []run // the first is at 0, and each ends where the next begins
}

func (a *answer) count() int { return len(a.rows) }

// row is an object with what it is ordered by.
type row struct {
	keys   []any
	place  int
	object *object
}

// run is a part of the rows. What is in an earlier one comes before it.
type run struct {
	start int
	same  bool // the ordering does not tell them apart
}

// add adds those objects of a list that pass the tests.
func (a *answer) add(l *list, tests []test) {
	found := l.objects
	if len(tests) > 0 {
		found = passing(nil, found, tests)
	}
	columns := make([][]any, len(a.fields))
	for i, field := range a.fields {
		columns[i] = l.column(strings.TrimPrefix(field, "-"))
	}
	keys := make([]any, 0, len(found)*len(columns))
	a.rows = slices.Grow(a.rows, len(found))
	for _, o := range found {
		for _, column := range columns {
			keys = append(keys, column[o.place])
		}
		a.rows = append(a.rows, row{keys[len(keys)-len(columns):], len(a.rows), o})
	}
}

// compare orders two rows.
func (a *answer) compare(x, y row) int {
	for i, field := range a.fields {
		if order := compare(x.keys[i], y.keys[i]); order != 0 {
			if field[0] == '-' {
				return -order
			}
			return order
		}
	}
	if a.stable {
		return cmp.Compare(x.place, y.place)
	}
	return 0
}

// runOf returns the run of rows that are the same to the ordering, with row i among
// them. It is a quicksort that leaves alone what is before and after.
func (a *answer) runOf(i int) (start, end int) {
	for {
		n, found := slices.BinarySearchFunc(a.runs, i, func(r run, i int) int { return r.start - i })
		if !found {
			n--
		}
		start, end = a.runs[n].start, len(a.rows)
		if n+1 < len(a.runs) {
			end = a.runs[n+1].start
		}
		if a.runs[n].same || end-start == 1 {
			return start, end
		}
		lower, upper := a.part(a.rows[start:end], i-start)
		var parts []run
		if lower > 0 {
			parts = append(parts, run{start, false})
		}
		parts = append(parts, run{start + lower, true})
		if start+upper < end {
			parts = append(parts, run{start + upper, false})
		}
		a.runs = slices.Replace(a.runs, n, n+1, parts...)
	}
}

// part moves the rows that are before one of them to the left, and those that are
// after it to the right. It takes one that leaves row i among few, as far as a
// sample tells.
func (a *answer) part(rows []row, i int) (lower, upper int) {
	sample := make([]row, min(len(rows), 33))
	for j := range sample {
		sample[j] = rows[rand.IntN(len(rows))] //nolint:gosec // no secret
	}
	slices.SortFunc(sample, a.compare)
	j := i * len(sample) / len(rows)
	if j < len(sample)/2 {
		j += 2
	} else {
		j -= 2
	}
	pivot := sample[max(0, min(j, len(sample)-1))]
	upper = len(rows)
	for k := 0; k < upper; {
		switch order := a.compare(rows[k], pivot); {
		case order < 0:
			rows[lower], rows[k] = rows[k], rows[lower]
			lower++
			k++
		case order > 0:
			upper--
			rows[k], rows[upper] = rows[upper], rows[k]
		default:
			k++
		}
	}
	return lower, upper
}

// page returns the objects of a page. PostgreSQL leaves rows of equal keys in
// any order, anew for each page, and so does this.
func (a *answer) page(start, end int) []*object {
	page := make([]*object, end-start)
	for i := start; i < end; {
		from, to := a.runOf(i)
		moved := map[int]int{} // the places whose object was taken, and what took it
		place := func(n int) int {
			if other, ok := moved[n]; ok {
				return other
			}
			return n
		}
		for left := to - from; i < min(to, end); i++ {
			chosen := rand.IntN(left) //nolint:gosec // no secret
			page[i-start] = a.rows[from+place(chosen)].object
			left--
			moved[chosen] = place(left)
		}
	}
	return page
}

// compare orders two members as PostgreSQL does: null comes last, and lists
// element by element.
func compare(a, b any) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			return strings.Compare(x, y)
		}
	case json.Number:
		if y, ok := b.(json.Number); ok {
			if isWhole(x) && isWhole(y) {
				return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(string(x), string(y)))
			}
			m, _ := x.Float64()
			n, _ := y.Float64()
			return cmp.Compare(m, n)
		}
	case bool:
		if y, ok := b.(bool); ok {
			return strings.Compare(strconv.FormatBool(x), strconv.FormatBool(y))
		}
	case []any:
		if y, ok := b.([]any); ok {
			return slices.CompareFunc(x, y, compare)
		}
	}
	return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
}

// isWhole reports whether the number has only digits, so that the longer is the larger.
func isWhole(number json.Number) bool {
	for i := range len(number) {
		if number[i] < '0' || number[i] > '9' {
			return false
		}
	}
	return len(number) == 1 || len(number) > 1 && number[0] != '0'
}

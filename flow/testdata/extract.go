//go:build ignore

// Command extract writes what the tests of package flow replay: the exchanges with
// running servers that a recorder wrote, without what nobody compares, and without
// secrets. Each line is a scenario or, below it, an exchange.
//
//	go run extract.go exchanges-2023.10.7.json … >exchanges.jsonl
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
)

type exchange struct {
	Method      string            `json:"method"`
	Path        string            `json:"path"`
	Note        string            `json:"note,omitempty"`
	HeadersSent map[string]string `json:"headers_sent,omitempty"`
	CookiesSent []string          `json:"cookies_sent,omitempty"`
	CSRFHeader  bool              `json:"csrf_header,omitempty"`
	Sent        json.RawMessage   `json:"sent,omitempty"`
	SentRaw     *string           `json:"sent_raw,omitempty"`
	Status      int               `json:"status"`
	Location    string            `json:"location,omitempty"`
	SetCookies  []string          `json:"set_cookies,omitempty"`
	Body        any               `json:"body,omitempty"`
}

// secrets are what looks like one, beside what the recorder has taken out.
var secrets = regexp.MustCompile(`(client_id(?:=|%3D|%253D))[A-Za-z0-9]{20,}`)

// ids are what the recorder wrote for uuids.
var ids = regexp.MustCompile(`<id-(\d+)>`)

func main() {
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for _, name := range os.Args[1:] {
		content, err := os.ReadFile(name)
		check(err)
		content = secrets.ReplaceAll(content, []byte("${1}client"))
		content = ids.ReplaceAllFunc(content, func(id []byte) []byte {
			return fmt.Appendf(nil, "00000000-0000-4000-8000-%012s", ids.FindSubmatch(id)[1])
		})
		var file struct {
			Release   string `json:"release"`
			Scenarios map[string]struct {
				Exchanges []exchange `json:"exchanges"`
			} `json:"scenarios"`
		}
		check(json.Unmarshal(content, &file))
		var names []string
		for name := range file.Scenarios {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			check(out.Encode(map[string]string{"release": file.Release, "scenario": name}))
			for _, e := range file.Scenarios[name].Exchanges {
				e.Body = clean(e.Body)
				check(out.Encode(e))
			}
		}
	}
}

// clean shortens pages in HTML and what has paths of a server's source.
func clean(body any) any {
	switch body := body.(type) {
	case string:
		if len(body) > 100 {
			return body[:15] + "…"
		}
	case map[string]any:
		if body["traceback"] != nil {
			body["traceback"] = "<traceback>"
		}
		if plan, ok := body["current_plan"].(map[string]any); ok {
			for _, stage := range []string{"current_stage", "next_planned_stage"} {
				shorten(plan[stage])
			}
		}
		plans, _ := body["plans"].([]any)
		for _, plan := range plans {
			plan, _ := plan.(map[string]any)
			shorten(plan["current_stage"])
			shorten(plan["next_planned_stage"])
		}
	}
	return body
}

// shorten takes the words of the recorder out of a list that it has cut.
func shorten(binding any) {
	members, _ := binding.(map[string]any)
	if stage, ok := members["stage_obj"].(map[string]any); ok {
		if flows, ok := stage["flow_set"].([]any); ok {
			stage["flow_set"] = slices.DeleteFunc(flows, func(flow any) bool { _, isText := flow.(string); return isText })
		}
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

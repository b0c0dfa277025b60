package conformance_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/codec"
	"github.com/google/go-cmp/cmp"
)

// recordedLines are the lines of a file of testdata, in words: what running
// authentiks answered, 2023.10.7, 2025.10.4 and 2026.5.0-rc1.
func recordedLines(t *testing.T, name string) []string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(b)), "\n")
}

// creating is the method that posts to the list.
func creating(t *testing.T, path string) writing {
	t.Helper()
	i := slices.IndexFunc(writings(), func(w writing) bool { return w.asks.Method == http.MethodPost && w.asks.Path == path })
	if i < 0 {
		t.Fatalf("no method posts to %s", path)
	}
	return writings()[i]
}

// TestRecordedCreates answers Create with what authentik answered, of which
// nothing may be lost.
func TestRecordedCreates(t *testing.T) {
	t.Parallel()
	// What became another type, as it is read.
	changed := map[string][]string{
		"2023.10 providers/oauth2/": {".redirect_uris was  and is []"},
		"2023.10 providers/proxy/": {`.redirect_uris was https://example.com/outpost.goauthentik.io/callback\?X-authentik-auth-callback=true` + "\n" +
			`https://example.com/external_host\?X-authentik-auth-callback=true and is [` +
			`map[matching_mode:strict redirect_uri_type: url:https://example.com/outpost.goauthentik.io/callback\?X-authentik-auth-callback=true] ` +
			`map[matching_mode:strict redirect_uri_type: url:https://example.com/external_host\?X-authentik-auth-callback=true]]`},
		"2023.10 stages/authenticator/totp/": {".digits was 6 and is 6"}, // a number, and a text
		"2023.10 stages/email/":              {".token_expiry was 30 and is minutes=30"},
	}
	// What the newest releases do not send there.
	unknown := map[string][]string{
		"2023.10 policies/bindings/": {"PartialGroup.roles", "PartialGroup.roles_obj", "PartialGroup.users", "PartialGroup.users_obj"},
	}
	trailingZeros := regexp.MustCompile(`(\.\d*?)0+Z"`) // of a time, which Go does not write
	for _, line := range recordedLines(t, "created.txt") {
		words := strings.SplitN(line, " ", 3)
		t.Run(words[0]+"/"+words[1], func(t *testing.T) {
			t.Parallel()
			w := creating(t, words[1])
			client, _ := recorder(t, http.StatusCreated, words[2])
			result, err := w.call(t, client, neededBy(words[1]))
			if err != nil {
				t.Fatal(err)
			}
			b, err := codec.Marshal(result.Interface())
			var want, got any
			if err := errors.Join(err, json.Unmarshal(b, &got), json.Unmarshal([]byte(trailingZeros.ReplaceAllString(words[2], `${1}Z"`)), &want)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(changed[words[0]+" "+words[1]], differences(want, got, "")); diff != "" {
				t.Errorf("differences (-want +got):\n%s", diff)
			}
			names := map[string]bool{}
			unknownIn(result, names)
			if diff := cmp.Diff(unknown[words[0]+" "+words[1]], slices.Sorted(maps.Keys(names))); diff != "" {
				t.Errorf("members in Extra (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRecordedRefusals has Create send what authentik refused, and compares what
// was said.
func TestRecordedRefusals(t *testing.T) {
	t.Parallel()
	for _, line := range recordedLines(t, "refused.txt") {
		words := strings.SplitN(line, " ", 3)
		t.Run(words[0]+"/"+words[1], func(t *testing.T) {
			t.Parallel()
			var request, refusal map[string]any
			decoder := json.NewDecoder(strings.NewReader(words[2]))
			if err := errors.Join(decoder.Decode(&request), decoder.Decode(&refusal)); err != nil {
				t.Fatal(err)
			}
			w := creating(t, words[1])
			maps.Copy(request, neededBy(words[1]))
			if words[1] == "sources/saml/" { // which the SDK sends to older servers
				request["issuer"] = ""
			}
			b, _ := json.Marshal(refusal)
			client, sent := recorder(t, http.StatusBadRequest, string(b))
			_, err := w.call(t, client, request)
			invalid, ok := errors.AsType[*authentik.ValidationError](err)
			if !ok {
				t.Fatalf("error %v", err)
			}
			var body map[string]any
			if err := json.Unmarshal([]byte((*sent)[0].Body), &body); err != nil {
				t.Fatal(err)
			}
			for name, value := range request {
				if _, sent := body[name]; value == nil && !sent {
					delete(request, name) // null is no value of it
				}
			}
			if diff := cmp.Diff(request, body); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
			got := map[string][]string{}
			maps.Copy(got, invalid.Fields)
			if len(invalid.NonFieldErrors) > 0 {
				got["non_field_errors"] = invalid.NonFieldErrors
			}
			if diff := cmp.Diff(messagesIn(refusal, ""), got); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
			for name, messages := range got {
				for _, message := range messages {
					if !strings.Contains(err.Error(), message) {
						t.Errorf("the error %v does not say that %s: %s", err, name, message)
					}
				}
			}
		})
	}
}

// messagesIn are the messages of a refusal by the names of the members.
func messagesIn(refusal map[string]any, above string) map[string][]string {
	messages := map[string][]string{}
	for name, value := range refusal {
		switch value := value.(type) {
		case []any:
			for _, message := range value {
				messages[above+name] = append(messages[above+name], fmt.Sprint(message))
			}
		case map[string]any:
			maps.Copy(messages, messagesIn(value, above+name+"."))
		}
	}
	return messages
}

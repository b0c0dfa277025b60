package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// userPaths are the schema of paths of users, with a member of a type to be filled in.
const userPaths = `
openapi: 3.0.3
info: {title: authentik, version: 2031.4.1}
paths:
  /core/users/paths/:
    get:
      responses: {'200': {description: '', content: {application/json: {schema: {$ref: '#/components/schemas/UserPath'}}}}}
components:
  schemas:
    UserPath:
      type: object
      properties:
        paths: {type: array, items: MEMBER}
        other: {type: string, enum: [a, b, c], nullable: true}
      required: [paths]
`

func TestReadDocuments(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ schema, want string }{
		"all is read": {
			strings.ReplaceAll(userPaths, "MEMBER", "{type: string}"),
			"1 operations, 5 documents read, 0 refused, 0 members lost, 0 operations not reached",
		},
		"another type": {
			strings.ReplaceAll(userPaths, "MEMBER", "{type: integer}"),
			"1 operations, 5 documents read, 5 refused, 0 members lost, 0 operations not reached",
		},
		"another path": {
			strings.ReplaceAll(strings.ReplaceAll(userPaths, "MEMBER", "{type: string}"), "core/users/paths", "core/users/ways"),
			"1 operations, 0 documents read, 0 refused, 0 members lost, 1 operations not reached",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			err := run(t.Context(), []string{"-read", schemaFile(t, test.schema)}, &out)
			if isFine := name == "all is read"; isFine && err != nil || !isFine && !errors.Is(err, errLost) {
				t.Error(err)
			}
			if !strings.HasSuffix(out.String(), "2031.4.1: "+test.want+"\n") {
				t.Errorf("printed %s", out.String())
			}
		})
	}
}

func TestLost(t *testing.T) {
	t.Parallel()
	sent := map[string]any{"a": 1.0, "b": []any{"x", map[string]any{"c": "y"}}, "n": nil, "pk": 1.0}
	if all := lost(sent, map[string]any{"a": 1.0, "b": []any{"x", map[string]any{"c": "y"}}, "n": 0.0, "pk": "1"}, ""); all != nil {
		t.Errorf("%q", all)
	}
	for want, got := range map[string]any{
		".a is lost":            map[string]any{"b": sent["b"], "n": nil, "pk": 1.0},
		".a was 1 and is 2":     map[string]any{"a": 2.0, "b": sent["b"], "n": nil, "pk": 1.0},
		".b has another length": map[string]any{"a": 1.0, "b": []any{}, "n": nil, "pk": 1.0},
		".b.c is lost":          map[string]any{"a": 1.0, "b": []any{"x", map[string]any{}}, "n": nil, "pk": 1.0},
		".b was x and is <nil>": map[string]any{"a": 1.0, "b": []any{nil, map[string]any{"c": "y"}}, "n": nil, "pk": 1.0},
		".n is lost":            map[string]any{"a": 1.0, "b": sent["b"], "pk": 1.0},
	} {
		if all := lost(sent, got, ""); len(all) != 1 || all[0] != want {
			t.Errorf("%q, want %s", all, want)
		}
	}
}

func schemaFile(t *testing.T, text string) string {
	t.Helper()
	file := t.TempDir() + "/schema.yml"
	write(t, file, text)
	return file
}

package authentiktest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// tag is a value of a blueprint that is known once what comes before it is made:
// !KeyOf flow.
type tag struct {
	name string
	args []any // of a scalar the one text
	list bool  // it is a tag of a list
}

// tags are those of blueprints, and since when.
var tags = map[string]string{
	"!KeyOf": "", "!Find": "", "!FindObject": "2025.8", "!Context": "", "!Format": "", "!Condition": "", "!If": "", "!Env": "", "!File": "2025.8",
	"!Enumerate": "", "!Value": "", "!Index": "", "!AtIndex": "2024.12", "!ParseJSON": "2025.8",
}

// parseYAML reads YAML as PyYAML does: objects are maps, and numbers json.Number.
func (s *Server) parseYAML(text string) (any, error) {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		return nil, err
	}
	if len(document.Content) == 0 {
		return nil, nil
	}
	r := yamlReader{s, 1_000_000}
	return r.read(document.Content[0])
}

// yamlReader reads nodes, but not endlessly: an alias may hold itself.
type yamlReader struct {
	server *Server
	left   int // values
}

func (r *yamlReader) read(node *yaml.Node) (any, error) {
	if r.left--; r.left < 0 {
		return nil, errors.New("it has too many values")
	}
	if node.Kind == yaml.AliasNode {
		return r.read(node.Alias)
	}
	if name := node.ShortTag(); strings.HasPrefix(name, "!") && !strings.HasPrefix(name, "!!") {
		return r.tag(node, name)
	}
	if node.Kind == yaml.MappingNode {
		return r.object(node)
	}
	if node.Kind == yaml.SequenceNode {
		return r.list(node)
	}
	return scalar(node)
}

func (r *yamlReader) tag(node *yaml.Node, name string) (any, error) {
	since, known := tags[name]
	switch {
	case !known || !r.server.atLeast(since):
		return nil, fmt.Errorf("could not determine a constructor for the tag '%s'", name)
	case node.Kind == yaml.ScalarNode:
		return &tag{name: name, args: []any{node.Value}}, nil
	case node.Kind != yaml.SequenceNode:
		return nil, fmt.Errorf("the tag %s is of a text or a list", name)
	}
	args, err := r.list(node)
	return &tag{name, args, true}, err
}

func (r *yamlReader) object(node *yaml.Node) (any, error) {
	object, merged := map[string]any{}, map[string]any{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		read, err := r.read(value)
		if err != nil {
			return nil, err
		}
		if key.ShortTag() != "!!merge" {
			object[key.Value] = read
			continue
		}
		for _, one := range flat(read) {
			one, _ := one.(map[string]any)
			maps.Copy(merged, one)
		}
	}
	for name, value := range merged {
		if _, ok := object[name]; !ok {
			object[name] = value
		}
	}
	return object, nil
}

func (r *yamlReader) list(node *yaml.Node) ([]any, error) {
	list := make([]any, len(node.Content))
	for i, one := range node.Content {
		value, err := r.read(one)
		if err != nil {
			return nil, err
		}
		list[i] = value
	}
	return list, nil
}

// scalar is a value. PyYAML takes yes and on for true, as YAML 1.1 has it.
func scalar(node *yaml.Node) (any, error) {
	switch node.ShortTag() {
	case "!!null":
		return nil, nil
	case "!!bool":
		return strconv.ParseBool(strings.ToLower(node.Value))
	case "!!int":
		var number int64
		if err := node.Decode(&number); err != nil {
			return node.Value, nil //nolint:nilerr // a number that no member takes
		}
		return json.Number(strconv.FormatInt(number, 10)), nil
	case "!!float":
		var number float64
		if err := node.Decode(&number); err != nil {
			return nil, err
		}
		return json.Number(strconv.FormatFloat(number, 'g', -1, 64)), nil
	}
	if node.Style == 0 { // neither quoted nor a block
		switch strings.ToLower(node.Value) {
		case "yes", "on":
			return true, nil
		case "no", "off":
			return false, nil
		}
	}
	return node.Value, nil
}

// formatYAML writes what was JSON, with keys in their order.
func formatYAML(value any) string {
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := encoder.Encode(plainNumbers(value)); err != nil {
		panic(fmt.Sprintf("authentiktest: %v", err)) // it was JSON
	}
	return text.String()
}

// plainNumbers has numbers instead of json.Number, which is a text to YAML.
func plainNumbers(value any) any {
	switch value := value.(type) {
	case json.Number:
		if n, err := value.Int64(); err == nil {
			return n
		}
		f, _ := value.Float64() // it is a number
		return f
	case []any:
		list := make([]any, len(value))
		for i, one := range value {
			list[i] = plainNumbers(one)
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(value))
		for name, one := range value {
			object[name] = plainNumbers(one)
		}
		return object
	}
	return value
}

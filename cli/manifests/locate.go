package manifests

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// locate returns the line of a field such as spec.targets[0].service.port, or
// of the nearest thing above it that is written down: a field that is missing
// is best shown where it would stand.
func locate(node *yaml.Node, path string) int {
	line := node.Line
	for path = strings.TrimPrefix(path, "."); path != ""; path = strings.TrimPrefix(path, ".") {
		if node.Kind == yaml.AliasNode {
			node = node.Alias
		}
		var next *yaml.Node
		var at int
		switch node.Kind {
		case yaml.MappingNode:
			next, at, path = enterMapping(node, path)
		case yaml.SequenceNode:
			next, at, path = enterSequence(node, path)
		}
		if next == nil {
			return line
		}
		node, line = next, at
	}
	return line
}

// enterMapping follows the longest key that the path begins with: keys may
// contain dots themselves, as in data.tls.crt.
func enterMapping(node *yaml.Node, path string) (value *yaml.Node, line int, rest string) {
	longest := -1
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		tail, found := cutKey(path, key.Value)
		if found && len(key.Value) > longest {
			longest = len(key.Value)
			value, line, rest = node.Content[i+1], key.Line, tail
		}
	}
	return value, line, rest
}

func cutKey(path, key string) (rest string, found bool) {
	if rest, found = strings.CutPrefix(path, "["+key+"]"); found {
		return rest, true
	}
	rest, found = strings.CutPrefix(path, key)
	return rest, found && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

func enterSequence(node *yaml.Node, path string) (value *yaml.Node, line int, rest string) {
	index, rest, found := strings.Cut(strings.TrimPrefix(path, "["), "]")
	number, err := strconv.Atoi(index)
	if !found || err != nil || number < 0 || number >= len(node.Content) {
		return nil, 0, ""
	}
	return node.Content[number], node.Content[number].Line, rest
}

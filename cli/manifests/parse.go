package manifests

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	yamlv3 "go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// errNoObject marks a document that is no Kubernetes object.
var errNoObject = errors.New("this is no Kubernetes object: apiVersion and kind must be set")

// parse reads every document of one file.
func parse(file string, data []byte) ([]*Document, []Problem) {
	var documents []*Document
	var problems []Problem
	for _, text := range split(data) {
		found, err := parseOne(file, text)
		documents = append(documents, found...)
		if err != nil {
			problems = append(problems, syntaxProblem(file, text, err))
		}
	}
	return documents, problems
}

// split cuts a file at its document separators. Every part is padded with the
// lines before it, so that parsers report lines of the file.
func split(data []byte) [][]byte {
	var parts [][]byte
	var current []byte
	number := 0
	for line := range bytes.Lines(data) {
		number++
		if isSeparator(line) {
			parts = append(parts, current)
			current = bytes.Repeat([]byte("\n"), number)
			continue
		}
		current = append(current, line...)
	}
	return append(parts, current)
}

func isSeparator(line []byte) bool {
	rest, found := bytes.CutPrefix(line, []byte("---"))
	rest = bytes.TrimSpace(rest)
	return found && (len(rest) == 0 || rest[0] == '#')
}

func parseOne(file string, text []byte) ([]*Document, error) {
	var node yamlv3.Node
	if err := yamlv3.Unmarshal(text, &node); err != nil {
		return nil, err
	}
	if node.IsZero() || node.Content[0].Tag == "!!null" {
		return nil, nil
	}
	// The second parser is the one of kubectl: it decides what values mean.
	encoded, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return nil, err
	}
	var value any
	if err := kjson.UnmarshalCaseSensitivePreserveInts(encoded, &value); err != nil {
		return nil, err
	}
	return objects(file, node.Content[0], value)
}

// objects returns the object of a document, or the items of a List.
func objects(file string, node *yamlv3.Node, value any) ([]*Document, error) {
	content, isMap := value.(map[string]any)
	if !isMap {
		return nil, errNoObject
	}
	object := &unstructured.Unstructured{Object: content}
	if object.GetAPIVersion() == "" || object.GetKind() == "" {
		return nil, errNoObject
	}
	if object.GetAPIVersion() != "v1" || object.GetKind() != "List" {
		return []*Document{{File: file, Content: object, node: node}}, nil
	}
	items, _ := content["items"].([]any)
	list, _, _ := enterMapping(node, "items")
	var documents []*Document
	for i, item := range items {
		found, err := objects(file, list.Content[i], item)
		if err != nil {
			return documents, fmt.Errorf("items[%d]: %w", i, err)
		}
		documents = append(documents, found...)
	}
	return documents, nil
}

var lineOfError = regexp.MustCompile(`line (\d+): `)

func syntaxProblem(file string, text []byte, err error) Problem {
	message := err.Error()
	for _, noise := range []string{"error converting YAML to JSON: ", "yaml: ", "unmarshal errors:\n  "} {
		message = strings.TrimPrefix(message, noise)
	}
	line := firstLine(text)
	if match := lineOfError.FindStringSubmatchIndex(message); match != nil {
		line, _ = strconv.Atoi(message[match[2]:match[3]])
		message = message[:match[0]] + message[match[1]:]
	}
	message = strings.ReplaceAll(message, "\n", "; ")
	return Problem{Position: Position{File: file, Line: line}, Message: message}
}

// firstLine returns the number of the first line that says anything.
func firstLine(text []byte) int {
	number := 0
	for line := range bytes.Lines(text) {
		number++
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return number
		}
	}
	return 1
}

package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	documented  = "# -- "
	markerBegin = "<!-- generated: values -->"
	markerEnd   = "<!-- end -->"
)

// valuesTable lists every documented value, in the order of the file. A value
// without a comment of its own must have documented ones within.
func valuesTable(values []byte) (string, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(values, &document); err != nil {
		return "", err
	}
	var out strings.Builder
	out.WriteString("| value | default | meaning |\n|---|---|---|\n")
	if err := writeValues(&out, "", document.Content[0]); err != nil {
		return "", err
	}
	return out.String(), nil
}

func writeValues(out *strings.Builder, prefix string, mapping *yaml.Node) error {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		path := prefix + key.Value
		if meaning := comment(key.HeadComment); meaning != "" {
			text, err := literal(value)
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			fmt.Fprintf(out, "| `%s` | `%s` | %s |\n", path, text, strings.ReplaceAll(meaning, "|", "\\|"))
			continue
		}
		if value.Kind != yaml.MappingNode || len(value.Content) == 0 {
			return fmt.Errorf("line %d: %s has no comment %q", key.Line, path, documented)
		}
		if err := writeValues(out, path+".", value); err != nil {
			return err
		}
	}
	return nil
}

// comment is the text from "# -- " on, in one line.
func comment(head string) string {
	_, text, found := strings.Cut(head, documented)
	if !found {
		return ""
	}
	return strings.Join(strings.Fields(strings.ReplaceAll(text, "\n#", "\n")), " ")
}

func literal(value *yaml.Node) (string, error) {
	var decoded any
	if err := value.Decode(&decoded); err != nil {
		return "", err
	}
	text, err := json.Marshal(decoded)
	return string(text), err
}

// splice puts the table between the markers.
func splice(text, table string) (string, error) {
	before, rest, found := strings.Cut(text, markerBegin)
	if !found {
		return "", fmt.Errorf("no line %q", markerBegin)
	}
	_, after, found := strings.Cut(rest, markerEnd)
	if !found {
		return "", fmt.Errorf("no line %q after %q", markerEnd, markerBegin)
	}
	return before + markerBegin + "\n\n" + table + "\n" + markerEnd + after, nil
}

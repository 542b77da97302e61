package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

type schema = apiextensionsv1.JSONSchemaProps

// opaque are fields of Kubernetes' own types, which have their own pages.
var opaque = map[string]string{
	"affinity":                  "Affinity",
	"conditions":                "[]Condition",
	"resources":                 "ResourceRequirements",
	"tolerations":               "[]Toleration",
	"topologySpreadConstraints": "[]TopologySpreadConstraint",
}

// table renders one object's fields, nested ones by their path.
func table(root schema) string {
	var out strings.Builder
	out.WriteString("| field | type | default | meaning |\n|---|---|---|---|\n")
	writeRows(&out, "", root)
	return out.String()
}

func writeRows(out *strings.Builder, prefix string, parent schema) {
	for _, name := range slices.Sorted(maps.Keys(parent.Properties)) {
		field := parent.Properties[name]
		path := prefix + name
		fmt.Fprintf(out, "| `%s` | %s | %s | %s |\n",
			path, typeOf(name, field), defaultOf(field, slices.Contains(parent.Required, name)), meaning(name, field))
		if opaque[name] != "" {
			continue
		}
		writeRows(out, path+".", field)
		if field.Items != nil && field.Items.Schema != nil {
			writeRows(out, path+"[].", *field.Items.Schema)
		}
	}
}

func typeOf(name string, field schema) string {
	if known := opaque[name]; known != "" {
		return known
	}
	switch {
	case field.XIntOrString && field.Pattern != "":
		return "quantity"
	case field.XIntOrString:
		return "integer or string"
	case field.Items != nil && field.Items.Schema != nil:
		return "[]" + typeOf("", *field.Items.Schema)
	case field.AdditionalProperties != nil:
		return "map of strings"
	}
	return field.Type
}

func defaultOf(field schema, required bool) string {
	switch {
	case required:
		return "*required*"
	case field.Default == nil, string(field.Default.Raw) == "{}", string(field.Default.Raw) == `""`:
		return ""
	}
	return "`" + strings.Trim(string(field.Default.Raw), `"`) + "`"
}

// meaning is the description with the limits that the schema enforces.
func meaning(name string, field schema) string {
	text := strings.Join(strings.Fields(field.Description), " ")
	for _, verb := range []string{" is ", " are "} { // the name stands in the row already
		text = strings.TrimPrefix(text, name+verb)
	}
	values := field
	if field.Items != nil && field.Items.Schema != nil {
		values = *field.Items.Schema
	}
	var limits []string
	if len(values.Enum) > 0 {
		var words []string
		for _, value := range values.Enum {
			words = append(words, "`"+strings.Trim(string(value.Raw), `"`)+"`")
		}
		limits = append(limits, strings.Join(words, ", "))
	}
	if field.Minimum != nil && field.Maximum != nil {
		limits = append(limits, fmt.Sprintf("%.0f to %.0f", *field.Minimum, *field.Maximum))
	}
	if field.MaxItems != nil {
		limits = append(limits, fmt.Sprintf("at most %d", *field.MaxItems))
	}
	if len(limits) > 0 {
		text += " (" + strings.Join(limits, "; ") + ")"
	}
	return strings.ReplaceAll(text, "|", "\\|")
}

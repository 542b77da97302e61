package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// baseSchema describes the chart's own values, in YAML to be read by people.
//
//go:embed values.schema.yaml
var baseSchema []byte

// foreign are fields of Kubernetes' own types: in them empty has a meaning, and
// their descriptions stand elsewhere.
var foreign = []string{"affinity", "tolerations", "topologySpreadConstraints", "resources"}

type object = map[string]any

// valuesSchema puts the receiver's spec, as its CRD has it, into the schema.
func valuesSchema(base, crd []byte) ([]byte, error) {
	var schema object
	if err := yaml.UnmarshalStrict(base, &schema); err != nil {
		return nil, err
	}
	spec, err := receiverSpec(crd)
	if err != nil {
		return nil, err
	}
	receiver, _ := schema["properties"].(object)["receiver"].(object)
	own, _ := receiver["properties"].(object)
	if own == nil {
		return nil, errors.New("properties.receiver.properties is missing")
	}
	for name, field := range spec {
		own[name] = field
	}
	out, err := json.MarshalIndent(schema, "", "  ")
	return append(out, '\n'), err
}

func receiverSpec(crd []byte) (object, error) {
	var definition struct {
		Spec struct {
			Versions []struct {
				Schema struct {
					OpenAPIV3Schema struct{ Properties map[string]object }
				}
			}
		}
	}
	if err := yaml.Unmarshal(crd, &definition); err != nil {
		return nil, err
	}
	if len(definition.Spec.Versions) != 1 {
		return nil, errors.New("the CRD has not one version: say which one the chart uses")
	}
	spec := definition.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	properties, _ := unset(spec)["properties"].(object)
	return properties, nil
}

// unset turns a field of the CRD into one of the values, which may also be
// null, "", [] or {}: that is how the values say "not set".
func unset(field object) object {
	out := plain(field)
	for _, rule := range []string{"required", "minLength", "minItems", "minProperties"} {
		delete(out, rule)
	}
	if kind, ok := out["type"].(string); ok {
		out["type"] = []any{kind, "null"}
	}
	if words, ok := out["enum"].([]any); ok {
		out["enum"] = append(slices.Clone(words), "", nil)
	}
	if pattern, ok := out["pattern"].(string); ok {
		out["pattern"] = "^$|" + pattern
	}
	if properties, ok := out["properties"].(object); ok {
		fields := object{}
		for name, value := range properties {
			child, _ := value.(object)
			if slices.Contains(foreign, name) {
				fields[name] = bare(child)
			} else {
				fields[name] = unset(child)
			}
		}
		out["properties"] = fields
		out["additionalProperties"] = false
	}
	if items, ok := out["items"].(object); ok {
		out["items"] = strict(items)
	}
	return out
}

// bare is a field of a foreign type, without descriptions and also null.
func bare(field object) object {
	out := strict(field)
	if kind, ok := out["type"].(string); ok {
		out["type"] = []any{kind, "null"}
	}
	return out
}

// strict keeps a field's rules and refuses unknown names within.
func strict(field object) object {
	out := plain(field)
	delete(out, "description")
	if properties, ok := out["properties"].(object); ok {
		fields := object{}
		for name, value := range properties {
			child, _ := value.(object)
			fields[name] = strict(child)
		}
		out["properties"] = fields
		out["additionalProperties"] = false
	}
	for _, inner := range []string{"items", "additionalProperties"} {
		if child, ok := out[inner].(object); ok {
			out[inner] = strict(child)
		}
	}
	return out
}

// plain is a copy without what only Kubernetes understands. Defaults stay the
// API's: they do not belong to the values.
func plain(field object) object {
	out := object{}
	for key, value := range field {
		if strings.HasPrefix(key, "x-kubernetes-") || key == "default" || key == "format" || key == "anyOf" {
			continue
		}
		out[key] = value
	}
	if field["x-kubernetes-int-or-string"] == true {
		out["type"] = []any{"integer", "string", "null"}
	}
	if text, ok := out["description"].(string); ok {
		out["description"] = strings.Join(strings.Fields(text), " ")
	}
	return out
}

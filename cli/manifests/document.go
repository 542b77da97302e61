package manifests

import (
	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// Document is one object as it stands in a file.
type Document struct {
	// File is the path under which the file was read; "-" is standard input.
	File string
	// Content is the object; endpoints and receivers have their defaults filled in.
	Content *unstructured.Unstructured

	node *yaml.Node
}

// Key returns the object's namespace and name.
func (d *Document) Key() types.NamespacedName {
	return types.NamespacedName{Namespace: d.Content.GetNamespace(), Name: d.Content.GetName()}
}

// Title names the object in messages.
func (d *Document) Title() string {
	name := d.Content.GetName()
	if name == "" {
		return d.Content.GetKind()
	}
	if namespace := d.Content.GetNamespace(); namespace != "" {
		name = namespace + "/" + name
	}
	return d.Content.GetKind() + " " + name
}

// Position returns the place of a field, or of the nearest written thing above it.
func (d *Document) Position(field string) Position {
	return Position{File: d.File, Line: locate(d.node, field)}
}

// Problem returns a problem with one field of the object.
func (d *Document) Problem(field, message string) Problem {
	return Problem{Position: d.Position(field), Object: d.Title(), Field: field, Message: message}
}

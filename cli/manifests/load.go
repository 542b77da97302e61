package manifests

import (
	"fmt"
	"io"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	gatewayv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"

	"github.com/postern-dev/postern/api/v1alpha1"
)

// Options say how files are read.
type Options struct {
	// Namespace is given to objects that name none; empty means "default".
	Namespace string
	// Stdin is read for the path "-".
	Stdin io.Reader
}

// Endpoint is a WebhookEndpoint with the document it came from.
type Endpoint struct {
	*Document
	Object v1alpha1.WebhookEndpoint
}

// Set is everything that was found in the files. It is fit for use when
// Problems is empty.
type Set struct {
	Endpoints []Endpoint
	Secrets   map[types.NamespacedName]*corev1.Secret
	Services  []corev1.Service
	Grants    []gatewayv1beta1.ReferenceGrant
	// Notes are about what was ignored, for people.
	Notes    []Problem
	Problems []Problem

	seen map[string]Position
}

// Load reads files and folders. The error is for paths that cannot be read;
// what is wrong inside the files is in Set.Problems.
func Load(paths []string, options Options) (*Set, error) {
	if options.Namespace == "" {
		options.Namespace = "default"
	}
	sources, err := expand(paths)
	if err != nil {
		return nil, err
	}
	known, err := schemas()
	if err != nil {
		return nil, err
	}
	set := &Set{Secrets: map[types.NamespacedName]*corev1.Secret{}, seen: map[string]Position{}}
	for _, source := range sources {
		data, err := read(source.path, options.Stdin)
		if err != nil {
			return nil, err
		}
		documents, problems := parse(source.path, data)
		set.addProblems(source, problems)
		for _, document := range documents {
			set.add(document, known, options.Namespace)
		}
	}
	set.Problems = Sort(set.Problems)
	return set, nil
}

// addProblems keeps a folder's other YAML files from being problems: they are
// not manifests and nobody named them.
func (s *Set) addProblems(source source, problems []Problem) {
	for _, problem := range problems {
		if problem.Message == errNoObject.Error() && !source.listed {
			problem.Message += "; ignored"
			s.Notes = append(s.Notes, problem)
			continue
		}
		s.Problems = append(s.Problems, problem)
	}
}

func (s *Set) add(document *Document, known map[schema.GroupVersionKind]*kindSchema, namespace string) {
	if document.Content.GetNamespace() == "" {
		document.Content.SetNamespace(namespace)
	}
	before := len(s.Problems)
	kind := document.Content.GroupVersionKind()
	switch {
	case known[kind] != nil:
		s.addOwn(document, known[kind])
	case kind.Group == v1alpha1.GroupVersion.Group:
		s.refuse(document, "kind", fmt.Sprintf("%s has no kind %s: use WebhookEndpoint or WebhookReceiver of %s",
			document.Content.GetAPIVersion(), kind.Kind, v1alpha1.GroupVersion))
	case kind.Group == "" && kind.Kind == "Secret":
		s.addSecret(document)
	case kind.Group == "" && kind.Kind == "Service":
		s.Services = decodeInto(s, document, s.Services)
	case kind.Group == gatewayv1beta1.GroupVersion.Group && kind.Kind == "ReferenceGrant":
		s.Grants = decodeInto(s, document, s.Grants)
	default:
		s.Notes = append(s.Notes, document.Problem("", "Postern has no use for this kind; ignored"))
		return
	}
	if len(s.Problems) == before {
		s.checkIdentity(document)
	}
}

// addOwn checks an object of Postern's own kinds.
func (s *Set) addOwn(document *Document, schema *kindSchema) {
	broken := schema.check(document.Content.Object)
	for _, err := range broken {
		s.refuse(document, err.Field, sentence(err))
	}
	if len(broken) > 0 || document.Content.GetKind() != v1alpha1.KindWebhookEndpoint {
		return
	}
	endpoint := Endpoint{Document: document}
	convert := runtime.DefaultUnstructuredConverter.FromUnstructured
	if err := convert(document.Content.Object, &endpoint.Object); err != nil {
		s.refuse(document, "", err.Error())
		return
	}
	s.Endpoints = append(s.Endpoints, endpoint)
}

// checkIdentity refuses names the API server would refuse, and an object that
// is written down twice: applying the files would keep only the last.
func (s *Set) checkIdentity(document *Document) {
	for _, message := range validation.IsDNS1123Subdomain(document.Content.GetName()) {
		s.refuse(document, "metadata.name", message)
	}
	for _, message := range validation.IsDNS1123Label(document.Content.GetNamespace()) {
		s.refuse(document, "metadata.namespace", message)
	}
	first, again := s.seen[document.Title()]
	if again {
		s.refuse(document, "metadata.name", fmt.Sprintf("is defined already at %s: remove one of them", first))
		return
	}
	s.seen[document.Title()] = document.Position("")
}

func (s *Set) refuse(document *Document, field, message string) {
	s.Problems = append(s.Problems, document.Problem(field, message))
}

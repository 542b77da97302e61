package manifests

import (
	"context"
	"fmt"
	"io/fs"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"

	"github.com/postern-dev/postern/config/crd"
)

// kindSchema is what the API server knows about one version of one kind.
type kindSchema struct {
	structural *structuralschema.Structural
	openAPI    validation.SchemaValidator
	rules      *cel.Validator
}

// schemas holds the schema of every kind that Postern defines.
var schemas = sync.OnceValues(func() (map[schema.GroupVersionKind]*kindSchema, error) {
	result := map[schema.GroupVersionKind]*kindSchema{}
	files, err := fs.Glob(crd.Bases, "bases/*.yaml")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		data, err := fs.ReadFile(crd.Bases, file)
		if err != nil {
			return nil, err
		}
		if err := addSchemas(result, data); err != nil {
			return nil, fmt.Errorf("embedded %s: %w", file, err)
		}
	}
	return result, nil
})

func addSchemas(to map[schema.GroupVersionKind]*kindSchema, data []byte) error {
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(data, &definition); err != nil {
		return err
	}
	for _, version := range definition.Spec.Versions {
		compiled, err := compileSchema(version.Schema)
		if err != nil {
			return fmt.Errorf("version %s: %w", version.Name, err)
		}
		to[schema.GroupVersionKind{
			Group: definition.Spec.Group, Version: version.Name, Kind: definition.Spec.Names.Kind,
		}] = compiled
	}
	return nil
}

func compileSchema(external *apiextensionsv1.CustomResourceValidation) (*kindSchema, error) {
	var internal apiextensions.CustomResourceValidation
	convert := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation
	if err := convert(external, &internal, nil); err != nil {
		return nil, err
	}
	structural, err := structuralschema.NewStructural(internal.OpenAPIV3Schema)
	if err != nil {
		return nil, err
	}
	openAPI, _, err := validation.NewSchemaValidator(internal.OpenAPIV3Schema)
	if err != nil {
		return nil, err
	}
	rules := cel.NewValidator(structural, true, celconfig.PerCallLimit)
	return &kindSchema{structural: structural, openAPI: openAPI, rules: rules}, nil
}

// check applies the schema to an object in the API server's order: unknown
// fields, metadata, defaults (filled in), types and bounds, then the rules.
func (s *kindSchema) check(object map[string]any) field.ErrorList {
	errs := s.unknownFields(object)
	defaulting.PruneNonNullableNullsWithoutDefaults(object, s.structural)
	defaulting.Default(object, s.structural)
	ctx := context.Background()
	errs = append(errs, objectmeta.Validate(ctx, nil, object, s.structural, true)...)
	broken := validation.ValidateCustomResource(nil, object, s.openAPI)
	broken = append(broken, listtype.ValidateListSetsAndMaps(nil, s.structural, object)...)
	if len(broken) > 0 {
		// The rules assume the types that the schema promises.
		return append(errs, broken...)
	}
	ruled, _ := s.rules.Validate(ctx, nil, s.structural, object, nil, celconfig.RuntimeCELCostBudget)
	return append(errs, ruled...)
}

func (s *kindSchema) unknownFields(object map[string]any) field.ErrorList {
	paths := pruning.PruneWithOptions(object, s.structural, true, structuralschema.UnknownFieldPathOptions{
		TrackUnknownFieldPaths: true,
	})
	invalid, unknown := objectmeta.CoerceWithOptions(nil, object, s.structural, true, objectmeta.CoerceOptions{
		DropInvalidFields: true, ReturnUnknownFieldPaths: true,
	})
	var errs field.ErrorList
	if invalid != nil {
		errs = append(errs, invalid)
	}
	for _, path := range append(paths, unknown...) {
		errs = append(errs, &field.Error{Type: field.ErrorTypeForbidden, Field: path, Detail: "unknown field"})
	}
	return errs
}

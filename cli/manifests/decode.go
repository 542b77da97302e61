package manifests

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	kjson "sigs.k8s.io/json"
)

// decodeInto appends the document as a T, or reports why it is none.
func decodeInto[T any](set *Set, document *Document, list []T) []T {
	var object T
	if !set.decode(document, &object) {
		return list
	}
	return append(list, object)
}

// decode reads a built-in kind strictly.
func (s *Set) decode(document *Document, into any) bool {
	encoded, err := document.Content.MarshalJSON()
	if err != nil {
		s.refuse(document, "", err.Error())
		return false
	}
	unknown, err := kjson.UnmarshalStrict(encoded, into)
	if mistyped, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		s.refuse(document, mistyped.Field, "must not be a "+mistyped.Value)
		return false
	}
	if err != nil {
		s.refuse(document, "", err.Error())
		return false
	}
	for _, err := range unknown {
		path := ""
		if located, ok := errors.AsType[kjson.FieldError](err); ok {
			path = located.FieldPath()
		}
		s.refuse(document, path, "unknown field")
	}
	return len(unknown) == 0
}

// addSecret reads a Secret; its problems never quote a value.
func (s *Set) addSecret(document *Document) {
	if !s.checkValues(document) {
		return
	}
	var secret corev1.Secret
	if !s.decode(document, &secret) {
		return
	}
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	for key, text := range secret.StringData {
		secret.Data[key] = []byte(text)
	}
	secret.StringData = nil
	if _, taken := s.Secrets[document.Key()]; !taken {
		s.Secrets[document.Key()] = &secret
	}
}

// checkValues refuses what the decoder would report without naming the key.
func (s *Set) checkValues(document *Document) bool {
	good := true
	refuse := func(path, message string) {
		good = false
		s.refuse(document, path, message)
	}
	for _, name := range []string{"data", "stringData"} {
		values, isMap := document.Content.Object[name].(map[string]any)
		if document.Content.Object[name] != nil && !isMap {
			refuse(name, "must be a map from keys to values")
		}
		for key, value := range values {
			text, isText := value.(string)
			if !isText {
				refuse(name+"."+key, "must be a string: put the value in quotes")
				continue
			}
			if _, err := base64.StdEncoding.DecodeString(text); name == "data" && err != nil {
				refuse(name+"."+key, "must be base64; plain text goes under stringData")
			}
		}
	}
	return good
}

// sentence turns a schema error into a message that stands beside the field's
// path: without the path, and without the value where it is a whole object.
func sentence(err *field.Error) string {
	detail := strings.TrimPrefix(err.Detail, err.Field+" in body ")
	switch err.Type {
	case field.ErrorTypeForbidden, field.ErrorTypeTypeInvalid:
		return detail
	case field.ErrorTypeRequired:
		return strings.TrimSuffix("is required: "+detail, ": ")
	case field.ErrorTypeDuplicate:
		value, _ := json.Marshal(err.BadValue) //nolint:errchkjson // it was read as JSON
		return fmt.Sprintf("an entry before it has %s too, and a missing one counts as empty: set distinct ones", value)
	case field.ErrorTypeInvalid:
		switch value := err.BadValue.(type) {
		case string:
			return fmt.Sprintf("%q %s", value, detail)
		case int64, float64, bool:
			return fmt.Sprintf("%v %s", value, detail)
		}
		return detail
	}
	return err.ErrorBody()
}

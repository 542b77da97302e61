package local

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Arguments are those of a container; nil when there is no such container.
func Arguments(containers []corev1.Container, name string) []string {
	for _, container := range containers {
		if container.Name == name {
			return container.Args
		}
	}
	return nil
}

// Relocate replaces a pod's folders, given as old and new in turn, in arguments.
func Relocate(arguments []string, folders ...string) []string {
	mapped := strings.NewReplacer(folders...)
	out := make([]string, 0, len(arguments))
	for _, argument := range arguments {
		out = append(out, mapped.Replace(argument))
	}
	return out
}

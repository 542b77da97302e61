package manifests

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Position is a place in a file, as editors understand it.
type Position struct {
	File string `json:"file"`
	Line int    `json:"line"`
}

// String returns file:line.
func (p Position) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// Problem is one thing that is wrong in a file.
type Problem struct {
	Position
	// Object is the object's kind and name; empty where no object could be read.
	Object string `json:"object,omitempty"`
	// Field is the path of the field; empty for the object as a whole.
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
}

// String returns the problem on one line.
func (p Problem) String() string {
	parts := []string{p.Position.String()}
	for _, part := range []string{p.Object, p.Field, p.Message} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

// Sort orders problems as they stand in the files and drops repetitions.
func Sort(problems []Problem) []Problem {
	slices.SortFunc(problems, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Field, b.Field), cmp.Compare(a.Message, b.Message),
		)
	})
	return slices.Compact(problems)
}

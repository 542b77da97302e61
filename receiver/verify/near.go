package verify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// unknownProvider names what the user may have meant.
func unknownProvider(name string) error {
	near := nearNames(name)
	if len(near) == 0 {
		return fmt.Errorf("source.provider: %q is unknown; `postern providers` lists the known ones, "+
			"and source.scheme describes any other", name)
	}
	return fmt.Errorf("source.provider: %q is unknown; did you mean %s? `postern providers` lists all",
		name, strings.Join(near, ", "))
}

// nearNames returns up to three known names close to name, closest first.
func nearNames(name string) []string {
	type candidate struct {
		name string
		away int
	}
	var found []candidate
	lower := strings.ToLower(name)
	for known := range builtIn().byName {
		away := distance(lower, known)
		if len(lower) > 2 && (strings.Contains(known, lower) || strings.Contains(lower, known) && len(known) > 2) {
			away = min(away, 1)
		}
		if away <= max(1, len(lower)/3) {
			found = append(found, candidate{known, away})
		}
	}
	slices.SortFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.away, b.away), cmp.Compare(a.name, b.name))
	})
	names := make([]string, 0, 3)
	for _, c := range found[:min(3, len(found))] {
		names = append(names, c.name)
	}
	return names
}

// distance is the Levenshtein distance of two short names.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		previous := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := previous
			if a[i] != b[j] {
				cost++
			}
			previous = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

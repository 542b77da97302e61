package check

import (
	"path"

	"github.com/postern-dev/postern/test/chaos/history"
)

// endpoint is an endpoint with all its versions, oldest first.
type endpoint struct {
	name     string
	versions []version
}

// version may have been in force from began on, and was for certain from at.
type version struct {
	history.Endpoint
	began int64
	at    int64
}

// target is one target of an endpoint over all versions.
type target struct {
	name     string
	endpoint string
	number   int32
}

func (c *checker) observeEndpoint(at int64, e *history.Endpoint) {
	known := c.endpointOf(e.Name)
	began := e.AppliedAt
	if began == 0 {
		began = at
	}
	known.versions = append(known.versions, version{Endpoint: *e, began: began, at: at})
}

func (c *checker) endpointOf(name string) *endpoint {
	known, ok := c.endpoints[name]
	if !ok {
		known = &endpoint{name: name}
		c.endpoints[name] = known
	}
	return known
}

func (c *checker) targetOf(name string) *target {
	known, ok := c.targets[name]
	if !ok {
		known = &target{name: name, endpoint: path.Dir(name), number: int32(len(c.byNumber))}
		c.targets[name] = known
		c.byNumber = append(c.byNumber, known)
	}
	return known
}

// during returns the versions that may have been in force at some moment of
// from..to.
func (e *endpoint) during(from, to int64) []version {
	first := 0
	for i, v := range e.versions {
		if v.at <= from {
			first = i
		}
	}
	end := first
	for end < len(e.versions) && (e.versions[end].began <= to || end == first) {
		end++
	}
	return e.versions[first:end]
}

// latest returns the newest version; ok is false when none is known.
func (e *endpoint) latest() (v version, ok bool) {
	if len(e.versions) == 0 {
		return version{}, false
	}
	return e.versions[len(e.versions)-1], true
}

// removedAfter tells whether the endpoint was removed at that time or later.
func (e *endpoint) removedAfter(at int64) bool {
	for _, v := range e.versions {
		if v.Removed && v.at >= at {
			return true
		}
	}
	return false
}

// removedBetween tells whether the endpoint was removed between two moments.
func (e *endpoint) removedBetween(from, to int64) bool {
	for _, v := range e.versions {
		if v.Removed && v.at >= from && v.began <= to {
			return true
		}
	}
	return false
}

// lacks tells whether a version that may have been in force since then does
// not have the target.
func (e *endpoint) lacks(target string, since int64) bool {
	for _, v := range e.versions {
		if v.at >= since && !v.has(target) {
			return true
		}
	}
	return false
}

// shrank tells whether a version lacks a target that the one before it had.
func (e *endpoint) shrank() bool {
	for i := 1; i < len(e.versions); i++ {
		before := &e.versions[i-1]
		for n := range before.Targets {
			if !e.versions[i].has(before.fullName(n)) {
				return true
			}
		}
	}
	return false
}

func (v *version) has(target string) bool {
	for i := range v.Targets {
		if v.fullName(i) == target {
			return true
		}
	}
	return false
}

// matching returns the full names of the targets that get events of a type.
func (v *version) matching(eventType string) []string {
	var names []string
	for i := range v.Targets {
		if matches(v.Targets[i].Types, eventType) {
			names = append(names, v.fullName(i))
		}
	}
	return names
}

func (v *version) fullName(i int) string { return v.Name + "/" + v.Targets[i].Name }

func matches(globs []string, eventType string) bool {
	if len(globs) == 0 {
		return true
	}
	for _, glob := range globs {
		if ok, err := path.Match(glob, eventType); ok && err == nil {
			return true
		}
	}
	return false
}

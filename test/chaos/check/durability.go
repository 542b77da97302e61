package check

import (
	"fmt"
	"time"

	"github.com/postern-dev/postern/test/chaos/history"
)

// judgeDurability is I1. An event was stored at some moment between its first
// request and its first ok, with the version of the route of that moment: there
// must be one among those under which nothing is missing.
func (c *checker) judgeDurability() {
	for i := range c.events {
		e := &c.events[i]
		if !e.verifiable || e.acked == 0 {
			continue
		}
		c.judged(Durability)
		c.measures.acked++
		if e.endpoint.removedAfter(e.firstSend) {
			continue
		}
		if target, problem := c.missing(e); problem != "" {
			c.measures.lost++
			c.violate(Durability, Violation{ID: e.id, Target: target, At: e.acked}, "%s", problem)
		}
	}
}

// missing returns what is missing by the version that comes closest.
func (c *checker) missing(e *event) (target, problem string) {
	versions := e.endpoint.during(e.firstSend, e.acked)
	if len(versions) == 0 {
		return "", "acknowledged by an endpoint that the history does not describe"
	}
	for i := range versions {
		wanted := versions[i].matching(e.eventType)
		if e.ignored && len(wanted) > 0 {
			target, problem = wanted[0], "answered ignored, but a target wants events of this type"
			continue
		}
		target, problem = c.firstMissing(e, wanted)
		if problem == "" {
			return "", ""
		}
	}
	return target, problem
}

func (c *checker) firstMissing(e *event, wanted []string) (target, problem string) {
	for _, name := range wanted {
		d := c.at(e, name)
		switch {
		case d != nil && d.done > 0:
		case d == nil:
			return name, "acknowledged, and the target was never asked"
		case d.dead == "":
			return name, fmt.Sprintf("acknowledged, and after %d attempts neither delivered nor a dead letter", d.attempts)
		default:
			if problem := c.unexplained(e, d, name); problem != "" {
				return name, problem
			}
		}
	}
	return "", ""
}

// unexplained tells what is wrong with a death, empty when the history explains it.
func (c *checker) unexplained(e *event, d *delivery, target string) string {
	v, _ := e.endpoint.latest()
	ok := false
	switch d.dead {
	case "gone":
		ok = d.gone
	case "attempts_exhausted":
		ok = v.Retry.MaxAttempts > 0
	case "expired":
		age := v.Retry.MaxAgeSeconds - v.Retry.MaxBackoffSeconds
		ok = v.Retry.MaxAgeSeconds > 0 && c.last-e.firstSend >= age*int64(time.Second)
	case "unknown_version":
		age := v.Retry.MaxAgeSeconds - v.Retry.MaxBackoffSeconds
		ok = v.Retry.MaxAgeSeconds > 0 && c.last-e.firstSend >= age*int64(time.Second) &&
			c.excused(history.ExcuseVersions, target, e.firstSend, c.last) > 0
	case "target_removed":
		ok = e.endpoint.lacks(target, e.firstSend)
	case "corrupt":
		ok = c.excused(history.ExcuseCorruption, target, e.firstSend, c.last) > 0
	}
	if ok {
		return ""
	}
	return fmt.Sprintf("a dead letter as %q, which nothing in the history explains", d.dead)
}

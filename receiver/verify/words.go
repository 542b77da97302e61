package verify

import (
	"fmt"
	"strings"
	"time"
)

// ToldApartBy says in words what makes two requests of the provider two events.
func (p Preset) ToldApartBy() string {
	var text string
	switch p.Identity {
	case IdentityID:
		text = inWords(p.DeliveryID)
	case IdentityRequest:
		text = "method, path, query, signed time and body together"
	default:
		return "nothing: each request is an event of its own, unless deduplication.key says otherwise"
	}
	for _, template := range p.DistinguishedBy {
		text += "; " + inWords(template)
	}
	return text
}

// RetriedWords says in words who sends an event again, for how long, with which bytes.
func (p Preset) RetriedWords() string {
	var text string
	switch p.Retries.By {
	case RetriedByNever:
		return "never"
	case RetriedByHand:
		text = "never by itself; a person or its API sends an event again"
	default:
		text = "by the provider"
	}
	if p.Retries.For > 0 {
		text += ", for " + Period(p.Retries.For)
	}
	switch p.Retries.Bytes {
	case RetryBytesIdentical:
		text += ", with the same bytes"
	case RetryBytesResigned:
		text += ", signed anew"
	}
	return text
}

// DuplicateWords says in words what the answer `duplicate` means.
func (p Preset) DuplicateWords() string {
	switch {
	case p.Identity == IdentityNone:
		return "no request is one; an event that is sent again is delivered again"
	case p.Retries.By == RetriedByHand:
		return "a redelivery of an event that was accepted before; it is not delivered again"
	case p.Retries.By == RetriedByNever:
		return "a copy of a request that was accepted before; it is not delivered again"
	default:
		return "a retry of an event that was accepted before; it is not delivered again"
	}
}

// Period writes a duration in the largest whole unit.
func Period(d time.Duration) string {
	switch {
	case d == 0:
		return ""
	case d%(24*time.Hour) == 0 && d > 24*time.Hour:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	case d%time.Hour == 0:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%d min", d/time.Minute)
	default:
		return fmt.Sprintf("%d s", d/time.Second)
	}
}

// inWords writes the variables of a template as people name them.
func inWords(pattern string) string {
	var all []string
	for template := range strings.SplitSeq(pattern, alternatives) {
		var variables []string
		for piece := range strings.SplitSeq(template, "{") {
			variable, _, found := strings.Cut(piece, "}")
			kind, name, _ := strings.Cut(variable, ":")
			if found {
				variables = append(variables, nameInWords(kind, name))
			}
		}
		all = append(all, strings.Join(variables, " with "))
	}
	return strings.Join(all, " or ")
}

func nameInWords(kind, name string) string {
	switch kind {
	case "json":
		return "body field " + name
	case "query":
		return "query parameter " + name
	case "form":
		return "form field " + name
	default:
		return kind + " " + name
	}
}

package queue

import (
	"strconv"
	"strings"
	"time"
)

const (
	// MaxExcerpt bounds Attempt.Excerpt, in bytes; the store cuts longer ones.
	MaxExcerpt = 4 << 10
	// MaxAttemptError bounds Attempt.Error, in bytes; the store cuts longer ones.
	MaxAttemptError = 128
)

// bounded returns the attempt with everything cut to what the store keeps.
func (a *Attempt) bounded() Attempt {
	bounded := *a
	bounded.Excerpt = cut(bounded.Excerpt, MaxExcerpt)
	bounded.Error = cut(bounded.Error, MaxAttemptError)
	return bounded
}

func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(strings.Clone(text[:most]), "")
}

// line is the form in which the store keeps an attempt, without its excerpt:
// when it began and how long it took in µs, the status, and the error.
func (a *Attempt) line() string {
	fields := []string{
		strconv.FormatInt(a.At.UnixMicro(), 10), strconv.FormatInt(a.Latency.Microseconds(), 10), strconv.Itoa(a.Status),
	}
	if a.Error != "" {
		fields = append(fields, strings.ReplaceAll(a.Error, "\n", " "))
	}
	return strings.Join(fields, " ") + "\n"
}

// parseAttempts reads the lines of attempts, oldest first; the excerpt is of the
// latest. Lines that have another form are left out.
func parseAttempts(lines, excerpt string) []Attempt {
	var attempts []Attempt
	for line := range strings.Lines(lines) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 4)
		if len(fields) < 3 {
			continue
		}
		at, atErr := strconv.ParseInt(fields[0], 10, 64)
		latency, latencyErr := strconv.ParseInt(fields[1], 10, 64)
		status, statusErr := strconv.Atoi(fields[2])
		if atErr != nil || latencyErr != nil || statusErr != nil {
			continue
		}
		attempt := Attempt{
			At: time.UnixMicro(at).UTC(), Latency: time.Duration(latency) * time.Microsecond, Status: status,
		}
		if len(fields) == 4 {
			attempt.Error = fields[3]
		}
		attempts = append(attempts, attempt)
	}
	if len(attempts) > 0 {
		attempts[len(attempts)-1].Excerpt = excerpt
	}
	return attempts
}

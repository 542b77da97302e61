package queue

// MaxExcerpt bounds Attempt.Excerpt, in bytes; the store cuts longer ones.
const MaxExcerpt = 4 << 10

// bounded returns the attempt with everything cut to what the store keeps.
func (a *Attempt) bounded() Attempt {
	bounded := *a
	if len(bounded.Excerpt) > MaxExcerpt {
		bounded.Excerpt = bounded.Excerpt[:MaxExcerpt]
	}
	if len(bounded.Error) > MaxExcerpt {
		bounded.Error = bounded.Error[:MaxExcerpt]
	}
	return bounded
}

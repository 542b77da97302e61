package verify

import (
	"strings"
	"sync"
)

const (
	// maxCandidates bounds the signatures judged in one request. Providers send
	// one for each active key: mostly a handful, up to a hundred for DocuSign.
	maxCandidates = 100
	// maxAsymmetric bounds those that are costly: each of them makes every public
	// key hash the whole body.
	maxAsymmetric = 4
	// maxSignature is the size of the longest signature, in bytes.
	maxSignature = 64
	// maxSignatureText is the length of its longest text.
	maxSignatureText = 2 * maxSignature
)

// work is the memory of one judgement. It is pooled, so that judging a request
// allocates nothing.
type work struct {
	scheme  *scheme
	request *Request

	candidates [maxCandidates][maxSignature]byte
	count      int

	timestamp string
	timeFound bool
	// plainPayload is true when the payload is the body itself.
	plainPayload bool
	found        values
	// resolved are the parts of the content by position, the body excepted.
	resolved [maxParts]string
	text     [maxSignatureText]byte
}

var workPool = sync.Pool{New: func() any { return new(work) }}

// release forgets the request and gives the memory back.
func (w *work) release() {
	w.scheme, w.request = nil, nil
	w.count = 0
	w.timestamp, w.timeFound, w.plainPayload = "", false, false
	clear(w.resolved[:])
	if w.found.found != 0 {
		clear(w.found.text[:])
	}
	w.found.found, w.found.ambiguous = 0, 0
	workPool.Put(w)
}

// collect decodes every signature of the request that the scheme may accept.
func (w *work) collect() error {
	s := w.scheme
	present := false
	for _, name := range s.headers {
		lines := w.request.Header[name]
		if len(lines) > 1 && s.list == nil {
			return refusef(SignatureMalformed, "header %s occurs %d times", name, len(lines))
		}
		for _, line := range lines {
			present = present || line != ""
			if err := w.collectLine(name, line); err != nil {
				return err
			}
		}
	}
	switch {
	case !present:
		return refusef(SignatureMissing, "header %s is missing", strings.Join(s.headers[:min(3, len(s.headers))], " or "))
	case w.count == 0:
		return refuse(SignatureMalformed, s.expected())
	}
	return w.require()
}

// require checks the headers that must have a fixed value.
func (w *work) require() error {
	for _, r := range w.scheme.required {
		values := w.request.Header[r.header]
		if len(values) != 1 || values[0] != r.value {
			return refusef(SignatureMalformed, "header %s must be %q", r.header, r.value)
		}
	}
	return nil
}

// expected says what a signature header should look like.
func (s *scheme) expected() string {
	text := s.headers[0] + " has no signature of the form "
	if s.list != nil && s.list.SignatureKey != "" {
		text += s.list.SignatureKey + s.list.KeyValueSeparator
	}
	return text + s.prefix + "<" + string(s.encoding) + ">"
}

func (w *work) collectLine(name, line string) error {
	list := w.scheme.list
	if list == nil {
		return w.add(name, line)
	}
	for item := range strings.SplitSeq(line, list.Separator) {
		if err := w.collectItem(name, strings.TrimSpace(item)); err != nil {
			return err
		}
	}
	return nil
}

func (w *work) collectItem(name, item string) error {
	list := w.scheme.list
	if list.KeyValueSeparator == "" {
		return w.add(name, item)
	}
	label, value, ok := strings.Cut(item, list.KeyValueSeparator)
	switch {
	case !ok:
		return nil
	case label == list.SignatureKey:
		return w.add(name, value)
	case label == list.TimestampKey && label != "":
		if w.timeFound {
			return refusef(SignatureMalformed, "header %s has more than one %s", name, label)
		}
		w.timestamp, w.timeFound = value, true
	}
	return nil
}

// add decodes one signature; one that does not decode is none.
func (w *work) add(name, text string) error {
	text, ok := strings.CutPrefix(text, w.scheme.prefix)
	if !ok || len(text) > len(w.text) {
		return nil
	}
	if w.count == w.scheme.limit {
		return refusef(SignatureMalformed, "header %s has more than %d signatures", name, w.scheme.limit)
	}
	n := copy(w.text[:], text)
	if decodeExactly(w.candidates[w.count][:w.scheme.size], w.scheme.encoding, w.text[:n]) {
		w.count++
	}
	return nil
}

// checkTime judges the signed time.
func (w *work) checkTime() error {
	text, err := w.time()
	if err != nil {
		return err
	}
	if w.scheme.tolerance.past == 0 {
		return nil
	}
	at, ok := parseTimestamp(text, w.scheme.timeUnit)
	if !ok {
		return refusef(TimestampMissing, "the signed timestamp is not a time in %s", w.scheme.timeUnit)
	}
	return w.scheme.tolerance.check(at, w.request.Now)
}

// time returns the text of the timestamp, as it is signed.
func (w *work) time() (string, error) {
	s := w.scheme
	switch {
	case s.timePath >= 0:
		return w.timeInBody()
	case s.timeHeader != "":
		return w.header(s.timeHeader, TimestampMissing)
	case w.timeFound && w.timestamp != "":
		return w.timestamp, nil
	default:
		return "", refusef(TimestampMissing, "header %s has no %s", s.headers[0], s.list.TimestampKey)
	}
}

// timeInBody returns the timestamp of the body, or that of a header where the
// provider may write it there instead.
func (w *work) timeInBody() (string, error) {
	s := w.scheme
	text, ok := w.found.get(s.timePath)
	switch {
	case w.found.unclear(s.timePath):
		return "", refuse(TimestampMissing, "the timestamp occurs in the body more than once or is not a text")
	case len(w.request.Header[s.timeHeader]) > 1:
		return "", refusef(SignatureMalformed, "header %s occurs more than once", s.timeHeader)
	case ok:
		return text, nil
	case s.timeHeader == "":
		return "", refuse(TimestampMissing, "the body has no timestamp")
	}
	return w.header(s.timeHeader, TimestampMissing)
}

// header returns the value of a header that must occur exactly once.
func (w *work) header(name string, missing Reason) (string, error) {
	lines := w.request.Header[name]
	switch {
	case len(lines) == 0 || lines[0] == "":
		return "", refusef(missing, "header %s, which is signed, is missing", name)
	case len(lines) > 1:
		return "", refusef(SignatureMalformed, "header %s, which is signed, occurs %d times", name, len(lines))
	}
	return lines[0], nil
}

package verify

import (
	"bytes"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// maxPaths is how many fields one pass over a body can look for.
const maxPaths = 32

// maxDepth bounds the nesting of a JSON body that is looked into.
const maxDepth = 256

// extractor reads fields out of a JSON document without decoding the rest of
// it, and strictly: names match by exact case. A field is found, absent or
// ambiguous. It is ambiguous when its path occurs twice, when its value is no
// scalar, or when the document is not valid JSON. Two parsers that disagree
// about a document could otherwise be played against each other.
type extractor struct {
	paths []jsonPath
	// alone also makes a field ambiguous beside which another name stands that
	// differs only in case: where single fields are signed and not the whole body,
	// a target that folds case, as Go's own decoder does, would read the other.
	alone bool
}

// jsonPath is a list of names and array indexes.
type jsonPath []string

// add compiles a path such as "event.id" or "items[0].id" and returns its index.
func (e *extractor) add(text string) (int, error) {
	path, err := parsePath(text)
	if err != nil {
		return 0, err
	}
	if len(e.paths) == maxPaths {
		return 0, fmt.Errorf("at most %d JSON paths are possible", maxPaths)
	}
	e.paths = append(e.paths, path)
	return len(e.paths) - 1, nil
}

// parsePath splits a path at dots and brackets. Array indexes keep their
// opening bracket, which no plain name can contain.
func parsePath(text string) (jsonPath, error) {
	var path jsonPath
	for name := range strings.SplitSeq(strings.TrimPrefix(text, "$."), ".") {
		name, indexes, indexed := strings.Cut(name, "[")
		if name == "" && (!indexed || len(path) > 0) {
			return nil, fmt.Errorf("JSON path %q has an empty name", text)
		}
		if name != "" {
			path = append(path, name)
		}
		if !indexed {
			continue
		}
		for index := range strings.SplitSeq(indexes, "[") {
			digits, ok := strings.CutSuffix(index, "]")
			if n, err := strconv.Atoi(digits); !ok || err != nil || n < 0 || strconv.Itoa(n) != digits {
				return nil, fmt.Errorf("JSON path %q: array indexes are written [0]", text)
			}
			path = append(path, "["+digits)
		}
	}
	if len(path) > maxDepth/2 {
		return nil, fmt.Errorf("JSON path is too deep")
	}
	return path, nil
}

// values are what an extractor found, by the index of the path.
type values struct {
	// text is read through get only: that of a field which occurs twice is
	// still here.
	text             [maxPaths]string
	found, ambiguous uint32
}

// get returns the value at index; only found scalars have one.
func (v *values) get(index int) (string, bool) {
	if v.found&^v.ambiguous&(1<<index) == 0 {
		return "", false
	}
	return v.text[index], true
}

// unclear is true for a field that is neither found nor absent. Whoever lets a
// field be absent must refuse it.
func (v *values) unclear(index int) bool { return v.ambiguous&(1<<index) != 0 }

// extract reads all fields in one pass. Strings are unescaped; numbers and
// booleans are their literal text; null is absent.
func (e *extractor) extract(body []byte, into *values) {
	into.found, into.ambiguous = 0, 0
	if len(e.paths) == 0 {
		return
	}
	w := walker{scanner: scanner{data: body}, paths: e.paths, into: into, alone: e.alone}
	all := uint32(1)<<len(e.paths) - 1
	if len(e.paths) == maxPaths {
		all = ^uint32(0)
	}
	if !w.value(all, 0) || !w.atEnd() {
		into.found, into.ambiguous = 0, all
	}
}

// walker visits a document and keeps the values at the wanted paths.
type walker struct {
	scanner
	paths []jsonPath
	into  *values
	alone bool
}

// value reads one value; active are the paths that lead to or through it.
func (w *walker) value(active uint32, depth int) bool {
	if depth > maxDepth {
		return false
	}
	w.space()
	wanted := w.ending(active, depth)
	switch w.peek() {
	case '{':
		w.into.ambiguous |= wanted | w.indexing(active, depth)
		return w.object(active, depth)
	case '[':
		w.into.ambiguous |= active &^ w.indexing(active, depth)
		return w.array(active, depth)
	case 'n':
		return w.scalar()
	}
	w.into.ambiguous |= active &^ wanted
	start := w.pos
	if w.peek() == '"' {
		raw, escaped, ok := w.str()
		if ok && wanted != 0 {
			ok = w.keepString(raw, escaped, wanted)
		}
		return ok
	}
	if !w.scalar() {
		return false
	}
	if wanted != 0 {
		w.keep(string(w.data[start:w.pos]), wanted)
	}
	return true
}

// ending returns those paths of active that end at depth.
func (w *walker) ending(active uint32, depth int) uint32 {
	var ends uint32
	for set := active; set != 0; set &= set - 1 {
		if i := bits.TrailingZeros32(set); len(w.paths[i]) == depth {
			ends |= 1 << i
		}
	}
	return ends
}

// indexing returns those paths of active that go on with the index of an array.
func (w *walker) indexing(active uint32, depth int) uint32 {
	var found uint32
	for set := active; set != 0; set &= set - 1 {
		i := bits.TrailingZeros32(set)
		if path := w.paths[i]; depth < len(path) && path[depth][0] == '[' {
			found |= 1 << i
		}
	}
	return found
}

// step returns those paths of active whose segment at depth is name.
func (w *walker) step(active uint32, depth int, name []byte) uint32 {
	var next uint32
	for set := active; set != 0; set &= set - 1 {
		i := bits.TrailingZeros32(set)
		if path := w.paths[i]; depth < len(path) && path[depth] == string(name) {
			next |= 1 << i
		}
	}
	return next
}

// folded returns those paths of active whose segment at depth is name but for
// its case.
func (w *walker) folded(active uint32, depth int, name []byte) uint32 {
	var found uint32
	for set := active; set != 0; set &= set - 1 {
		i := bits.TrailingZeros32(set)
		if path := w.paths[i]; depth < len(path) && bytes.EqualFold([]byte(path[depth]), name) {
			found |= 1 << i
		}
	}
	return found
}

func (w *walker) keepString(raw []byte, escaped bool, wanted uint32) bool {
	if !escaped {
		w.keep(string(raw), wanted)
		return true
	}
	text, ok := unescape(raw)
	if ok {
		w.keep(text, wanted)
	}
	return ok
}

func (w *walker) keep(text string, wanted uint32) {
	for set := wanted; set != 0; set &= set - 1 {
		w.into.text[bits.TrailingZeros32(set)] = text
	}
	w.into.found |= wanted
}

func (w *walker) object(active uint32, depth int) bool {
	w.pos++
	var seen uint32
	for first := true; ; first = false {
		w.space()
		if w.peek() == '}' && first {
			w.pos++
			return true
		}
		name, ok := w.name(active)
		if !ok {
			return false
		}
		var next uint32
		if active != 0 && !bytes.HasPrefix(name, []byte("[")) {
			next = w.step(active, depth, name)
		}
		w.into.ambiguous |= seen & next
		if w.alone {
			w.into.ambiguous |= w.folded(active, depth, name) &^ next
		}
		seen |= next
		if !w.value(next, depth+1) {
			return false
		}
		if done, ok := w.more('}'); !ok || done {
			return ok
		}
	}
}

// name reads a member's name and the colon after it.
func (w *walker) name(active uint32) ([]byte, bool) {
	raw, escaped, ok := w.str()
	if !ok {
		return nil, false
	}
	if escaped && active != 0 {
		text, ok := unescape(raw)
		if !ok {
			return nil, false
		}
		raw = []byte(text)
	}
	w.space()
	return raw, w.accept(':')
}

func (w *walker) array(active uint32, depth int) bool {
	w.pos++
	var scratch [24]byte
	for index := 0; ; index++ {
		w.space()
		if w.peek() == ']' && index == 0 {
			w.pos++
			return true
		}
		var next uint32
		if active != 0 {
			next = w.step(active, depth, strconv.AppendInt(append(scratch[:0], '['), int64(index), 10))
		}
		if !w.value(next, depth+1) {
			return false
		}
		if done, ok := w.more(']'); !ok || done {
			return ok
		}
	}
}

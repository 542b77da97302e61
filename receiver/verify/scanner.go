package verify

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads the tokens of RFC 8259 and nothing more lenient.
type scanner struct {
	data []byte
	pos  int
}

func (s *scanner) peek() byte {
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

func (s *scanner) accept(c byte) bool {
	if s.peek() != c || s.pos >= len(s.data) {
		return false
	}
	s.pos++
	return true
}

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

func (s *scanner) atEnd() bool {
	s.space()
	return s.pos == len(s.data)
}

// more reads what follows a member: a comma, or the end of its container.
func (s *scanner) more(end byte) (done, ok bool) {
	s.space()
	if s.accept(',') {
		s.space()
		return false, s.peek() != end
	}
	return true, s.accept(end)
}

// str reads a string and returns what stands between its quotes.
func (s *scanner) str() (raw []byte, escaped, ok bool) {
	if !s.accept('"') {
		return nil, false, false
	}
	start := s.pos
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; {
		case c == '"':
			raw = s.data[start:s.pos]
			s.pos++
			return raw, escaped, utf8.Valid(raw)
		case c == '\\':
			escaped = true
			s.pos += 2
		case c < 0x20:
			return nil, false, false
		default:
			s.pos++
		}
	}
	return nil, false, false
}

// scalar reads a number, true, false or null.
func (s *scanner) scalar() bool {
	for _, word := range [...]string{"true", "false", "null"} {
		if bytes.HasPrefix(s.data[s.pos:], []byte(word)) {
			s.pos += len(word)
			return true
		}
	}
	return s.number()
}

func (s *scanner) number() bool {
	s.accept('-')
	if !s.accept('0') && !s.digits() {
		return false
	}
	if s.accept('.') && !s.digits() {
		return false
	}
	if s.accept('e') || s.accept('E') {
		if !s.accept('+') {
			s.accept('-')
		}
		return s.digits()
	}
	return true
}

func (s *scanner) digits() bool {
	start := s.pos
	for '0' <= s.peek() && s.peek() <= '9' {
		s.pos++
	}
	return s.pos > start
}

var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// unescape decodes a string. A lone surrogate is an error, not a replacement
// character: replacing would make different names equal.
func unescape(raw []byte) (string, bool) {
	text := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			text = append(text, raw[i])
			i++
			continue
		}
		if i+1 >= len(raw) {
			return "", false
		}
		if raw[i+1] != 'u' {
			plain, ok := escapes[raw[i+1]]
			if !ok {
				return "", false
			}
			text = append(text, plain)
			i += 2
			continue
		}
		r, size := unicodeEscape(raw[i:])
		if size == 0 {
			return "", false
		}
		text = utf8.AppendRune(text, r)
		i += size
	}
	return string(text), true
}

// unicodeEscape decodes \uXXXX or a surrogate pair; size 0 means malformed.
func unicodeEscape(raw []byte) (r rune, size int) {
	high, ok := codeUnit(raw)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(high) {
		return high, 6
	}
	low, ok := codeUnit(raw[6:])
	if !ok {
		return 0, 0
	}
	if r = utf16.DecodeRune(high, low); r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}

func codeUnit(raw []byte) (rune, bool) {
	if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(raw[2:6]), 16, 16)
	return rune(unit), err == nil
}

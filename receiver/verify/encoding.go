package verify

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/postern-dev/postern/receiver/route"
)

var (
	strictBase64       = base64.StdEncoding.Strict()
	strictBase64URL    = base64.URLEncoding.Strict()
	strictRawBase64URL = base64.RawURLEncoding.Strict()
)

// decodeExactly decodes the text of exactly len(target) bytes. Everything that
// is not the one text of those bytes is refused: wrong padding, set pad bits,
// line breaks (which the standard library skips).
func decodeExactly(target []byte, encoding route.Encoding, text []byte) bool {
	// A text of the right length without its padding has up to two bytes more
	// than it should, so it is not decoded in place.
	var room [maxSignature + 2]byte
	if len(target) > maxSignature {
		return false
	}
	var (
		n   int
		err error
	)
	switch size := len(target); {
	case encoding == route.EncodingHex && len(text) == hex.EncodedLen(size):
		n, err = hex.Decode(room[:], text)
	case encoding == route.EncodingBase64 && len(text) == strictBase64.EncodedLen(size):
		n, err = strictBase64.Decode(room[:], text)
	case encoding == route.EncodingBase64URL && len(text) == strictRawBase64URL.EncodedLen(size):
		n, err = strictRawBase64URL.Decode(room[:], text)
	case encoding == route.EncodingBase64URL && len(text) == strictBase64URL.EncodedLen(size):
		n, err = strictBase64URL.Decode(room[:], text)
	default:
		return false
	}
	// A skipped line break makes the result shorter than its text promises.
	if err != nil || n != len(target) {
		return false
	}
	copy(target, room[:n])
	return true
}

// decodeKey turns the text of a key into its bytes. People copy keys from
// consoles that differ in padding and alphabet, so this is lenient where the
// bytes are beyond doubt; errors never show the text. usable, if set, says
// whether bytes can be the key; form describes those that can.
//
// The author of a scheme chooses the prefix and need not be allowed to read the
// Secret. Whether a key is accepted therefore never depends on the prefix's
// characters: what is accepted with the right prefix is accepted with any other
// of its length. Otherwise one prefix after the other would extract the value.
// A prefix that is all of the value leaves no key; its author knows the value.
func decodeKey(k key, format route.KeyFormat, form string, usable func([]byte) bool) ([]byte, error) {
	candidates := []string{strings.TrimPrefix(k.text, format.StripPrefix), k.text}
	if len(format.StripPrefix) <= len(k.text) {
		candidates = append(candidates, k.text[len(format.StripPrefix):])
	}
	if candidates[0] == "" {
		candidates = nil
	}
	for _, text := range candidates {
		decoded, err := decodeText(text, format.Encoding)
		if err == nil && len(decoded) > 0 && (usable == nil || usable(decoded)) {
			return decoded, nil
		}
	}
	if form == "" {
		form = keyForms[format.Encoding]
	}
	if format.StripPrefix != "" {
		form += fmt.Sprintf(" (with or without the prefix %q)", format.StripPrefix)
	}
	return nil, badKey(k.name, "is not %s: copy it again as the provider shows it", form)
}

var keyForms = map[route.Encoding]string{
	"": "a text", route.EncodingRaw: "a text", route.EncodingHex: "hexadecimal",
	route.EncodingBase64: "base64", route.EncodingBase64URL: "base64",
}

func decodeText(text string, encoding route.Encoding) ([]byte, error) {
	switch encoding {
	case "", route.EncodingRaw:
		return []byte(text), nil
	case route.EncodingHex:
		return hex.DecodeString(strings.TrimSpace(text))
	default:
		return lenientBase64(strings.TrimSpace(text))
	}
}

func lenientBase64(text string) ([]byte, error) {
	text = strings.TrimRight(text, "=")
	if strings.ContainsAny(text, "-_") {
		return base64.RawURLEncoding.DecodeString(text)
	}
	return base64.RawStdEncoding.DecodeString(text)
}

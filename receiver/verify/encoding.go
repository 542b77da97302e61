package verify

import (
	"encoding/base64"
	"encoding/hex"
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
// bytes are beyond doubt; errors never show the text.
func decodeKey(k key, format route.KeyFormat) ([]byte, error) {
	text := strings.TrimPrefix(k.text, format.StripPrefix)
	var (
		decoded []byte
		err     error
		form    string
	)
	switch format.Encoding {
	case "", route.EncodingRaw:
		decoded = []byte(text)
	case route.EncodingHex:
		form = "hexadecimal"
		decoded, err = hex.DecodeString(strings.TrimSpace(text))
	default:
		form = "base64"
		decoded, err = lenientBase64(strings.TrimSpace(text))
	}
	switch {
	case err != nil && format.StripPrefix != "" && text == k.text:
		return nil, badKey(k.name, "is not %s (with or without the prefix %q): copy it again as the provider shows it",
			form, format.StripPrefix)
	case err != nil:
		return nil, badKey(k.name, "is not %s: copy it again as the provider shows it", form)
	case len(decoded) == 0:
		return nil, badKey(k.name, "is empty after decoding: an empty key verifies nothing")
	}
	return decoded, nil
}

func lenientBase64(text string) ([]byte, error) {
	text = strings.TrimRight(text, "=")
	if strings.ContainsAny(text, "-_") {
		return base64.RawURLEncoding.DecodeString(text)
	}
	return base64.RawStdEncoding.DecodeString(text)
}

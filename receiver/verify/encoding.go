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

// encodedLength is how long the text of size bytes is; for Base64URL it is the
// longer, padded form.
func encodedLength(encoding route.Encoding, size int) int {
	if encoding == route.EncodingHex {
		return hex.EncodedLen(size)
	}
	return base64.StdEncoding.EncodedLen(size)
}

// decodeExactly decodes the text of exactly len(target) bytes. Everything that
// is not the one text of those bytes is refused: wrong padding, set pad bits,
// line breaks (which the standard library skips).
func decodeExactly(target []byte, encoding route.Encoding, text []byte) bool {
	var (
		n   int
		err error
	)
	switch {
	case encoding == route.EncodingHex:
		if len(text) != hex.EncodedLen(len(target)) {
			return false
		}
		n, err = hex.Decode(target, text)
	case encoding == route.EncodingBase64:
		if len(text) != strictBase64.EncodedLen(len(target)) {
			return false
		}
		n, err = strictBase64.Decode(target, text)
	case len(text) == strictRawBase64URL.EncodedLen(len(target)):
		n, err = strictRawBase64URL.Decode(target, text)
	case len(text) == strictBase64URL.EncodedLen(len(target)):
		n, err = strictBase64URL.Decode(target, text)
	default:
		return false
	}
	// A skipped line break makes the result shorter than its text promises.
	return err == nil && n == len(target)
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
		return nil, fmt.Errorf("key %q of the Secret is not %s (with or without the prefix %q): copy it again as the provider shows it",
			k.name, form, format.StripPrefix)
	case err != nil:
		return nil, fmt.Errorf("key %q of the Secret is not %s: copy it again as the provider shows it", k.name, form)
	case len(decoded) == 0:
		return nil, fmt.Errorf("key %q of the Secret is empty after decoding: an empty key verifies nothing", k.name)
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

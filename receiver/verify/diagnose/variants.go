package diagnose

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/receiver/route"
)

// bodies tries the ways in which proxies and frameworks change a body.
func (e *explanation) bodies() {
	body := e.request.Body
	if len(body) > maxBody {
		return
	}
	const advice = ": something before Postern changed the body, which must arrive byte for byte"
	for _, v := range []struct {
		cause, text string
		body        []byte
	}{
		{"body_trailing_newline", "it holds without the line break at the end" + advice, bytes.TrimRight(body, "\r\n")},
		{"body_trailing_newline", "it holds with a line break at the end" + advice, slices.Concat(body, []byte("\n"))},
		{"body_trailing_newline", "it holds with CR LF at the end" + advice, slices.Concat(body, []byte("\r\n"))},
		{"body_line_ends", "it holds with LF for CR LF" + advice, bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n"))},
		{"body_line_ends", "it holds with CR LF for LF" + advice, bytes.ReplaceAll(body, []byte("\n"), []byte("\r\n"))},
		{"body_reserialised", "it holds for the compact form of the JSON" + advice, compact(body)},
		{"body_reserialised", "it holds for the JSON indented by two spaces" + advice, indent(body, "  ")},
		{"body_reserialised", "it holds for the JSON indented by four spaces" + advice, indent(body, "    ")},
		{"body_reserialised", "it holds for the JSON with spaces after colons and commas" + advice, spaced(body)},
		{"body_reserialised", "it holds for the JSON with non-ASCII characters escaped" + advice, escaped(body)},
		{"body_empty", "it holds for an empty body: the body was lost before Postern", []byte{}},
	} {
		if v.body == nil || string(v.body) == string(body) {
			continue
		}
		request := *e.request
		request.Body = v.body
		if e.holds(e.config, &request) {
			e.add(v.cause, v.text)
		}
	}
}

func compact(body []byte) []byte {
	var out bytes.Buffer
	if json.Compact(&out, body) != nil {
		return nil
	}
	return out.Bytes()
}

func indent(body []byte, by string) []byte {
	var out bytes.Buffer
	if json.Indent(&out, body, "", by) != nil {
		return nil
	}
	return out.Bytes()
}

// spaced writes JSON as Python does: ", " and ": " outside of strings.
func spaced(body []byte) []byte {
	var out bytes.Buffer
	inString := false
	small := compact(body)
	for i := 0; i < len(small); i++ {
		c := small[i]
		out.WriteByte(c)
		switch {
		case inString && c == '\\' && i+1 < len(small):
			i++
			out.WriteByte(small[i])
		case c == '"':
			inString = !inString
		case !inString && (c == ',' || c == ':'):
			out.WriteByte(' ')
		}
	}
	return out.Bytes()
}

// escaped writes every character beyond ASCII as \uXXXX.
func escaped(body []byte) []byte {
	var out bytes.Buffer
	for _, r := range string(body) {
		switch {
		case r < 0x80:
			out.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&out, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.Bytes()
}

// keys tries the ways in which a key is copied wrongly.
func (e *explanation) keys() {
	for i, k := range e.config.Keys {
		text := strings.TrimRight(string(k.Value), "\r\n")
		for _, v := range []struct{ cause, text, key string }{
			{"key_white_space", "without the white space around it", strings.TrimSpace(text)},
			{"key_quoted", "without the quotation marks around it", strings.Trim(text, `"'`)},
			{"key_encoded", "after decoding it from base64: it is stored encoded twice", decoded(text)},
		} {
			if v.key == "" || v.key == text {
				continue
			}
			config := e.config
			config.Keys = slices.Clone(config.Keys)
			config.Keys[i] = route.Key{Name: k.Name, Value: []byte(v.key)}
			if e.holds(config, e.request) {
				e.add(v.cause, fmt.Sprintf("key %q of the Secret holds %s", k.Name, v.text))
			}
		}
	}
	e.keyForms()
}

func decoded(text string) string {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return ""
	}
	return string(raw)
}

// keyForms tries the key in other encodings, as raw text and as decoded bytes.
func (e *explanation) keyForms() {
	scheme, ok := e.scheme()
	if !ok {
		return
	}
	for _, format := range []route.KeyFormat{
		{Encoding: route.EncodingRaw}, {Encoding: route.EncodingBase64}, {Encoding: route.EncodingHex},
		{Encoding: route.EncodingRaw, StripPrefix: "whsec_"}, {Encoding: route.EncodingBase64, StripPrefix: "whsec_"},
	} {
		if format == scheme.Key {
			continue
		}
		other := scheme
		other.Key = format
		if e.holdsUnder(other) {
			text := "it holds with the key taken as " + strings.ToLower(string(format.Encoding)) + " text"
			if format.StripPrefix != "" {
				text += " without the prefix " + format.StripPrefix
			}
			e.add("key_form", text+": check that the key is the one for webhooks, and source.scheme.key")
		}
	}
}

// urls tries what is easily different between two ways to write a URL.
func (e *explanation) urls() {
	url := e.config.URL
	if option := e.config.Source.Options["url"]; option != "" {
		url = option
	}
	for _, other := range []string{
		url + "/", strings.TrimSuffix(url, "/"), strings.Replace(url, "https://", "http://", 1),
		strings.Replace(url, "http://", "https://", 1),
	} {
		if other == url || url == "" {
			continue
		}
		config := e.config
		config.URL = other
		config.Source.Options = map[string]string{}
		for name, value := range e.config.Source.Options {
			config.Source.Options[name] = value
		}
		config.Source.Options["url"] = other
		if e.holds(config, e.request) {
			e.add("url", "it holds for the URL "+other+": set source.options.url to what is configured at the provider")
		}
	}
}

// forms tries other algorithms, encodings and prefixes of the signature.
func (e *explanation) forms() {
	scheme, ok := e.scheme()
	if !ok {
		return
	}
	for _, algorithm := range []route.Algorithm{
		route.AlgorithmHMACSHA1, route.AlgorithmHMACSHA256, route.AlgorithmHMACSHA512,
	} {
		for _, encoding := range []route.Encoding{route.EncodingHex, route.EncodingBase64, route.EncodingBase64URL} {
			for _, prefix := range []string{scheme.Signature.Prefix, "", "sha256=", "sha1=", "sha512=", "v0=", "v1="} {
				e.form(scheme, algorithm, encoding, prefix)
			}
		}
	}
}

func (e *explanation) form(s route.Scheme, algorithm route.Algorithm, encoding route.Encoding, prefix string) {
	other := s
	other.Algorithm, other.Signature.Encoding, other.Signature.Prefix = algorithm, encoding, prefix
	same := algorithm == s.Algorithm && encoding == s.Signature.Encoding && prefix == s.Signature.Prefix
	if same || !e.holdsUnder(other) {
		return
	}
	text := fmt.Sprintf("it holds as %s in %s", algorithm, encoding)
	if prefix != "" {
		text += " after the prefix " + prefix
	}
	e.add("signature_form", text+": check source.provider or source.scheme")
}

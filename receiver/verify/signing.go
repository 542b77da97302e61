package verify

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

// Draft is a request that is to be signed as a provider would.
type Draft struct {
	Method   string
	RawQuery string
	// Header has the headers that the content template names; it is not changed.
	Header http.Header
	Body   []byte
	// ID is the delivery id, for schemes that sign one.
	ID string
	// URL is the URL as configured at the provider, for schemes that sign it.
	URL string
	Now time.Time
}

// SchemeFor returns the scheme with which the provider signs for a key of that
// form. It is false for presets that no declarative scheme describes.
func (p Preset) SchemeFor(secret route.SecretBytes, options map[string]string) (route.Scheme, bool) {
	row := builtIn().byName[p.Name]
	if row == nil || row.special != nil {
		return route.Scheme{}, false
	}
	variants, err := row.variants(options)
	if err != nil {
		return route.Scheme{}, false
	}
	for i := range variants {
		if len(keysFor(variants, i, []key{{text: string(secret)}})) > 0 {
			return variants[i].Scheme, true
		}
	}
	return route.Scheme{}, false
}

// Sign returns the headers that prove a request under a scheme. It is the
// verifying engine run the other way. For Ed25519 the key is the private seed.
func Sign(scheme *route.Scheme, secret route.SecretBytes, draft *Draft) (http.Header, error) {
	k := key{name: "secret", text: string(secret)}
	header := draft.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	switch scheme.Algorithm {
	case route.AlgorithmToken, route.AlgorithmBasicAuth:
		return signStatic(scheme, k, header)
	}
	s, err := compileScheme(scheme, []key{k}, material{url: draft.URL})
	if err != nil {
		return nil, err
	}
	for _, r := range s.required {
		header.Set(r.header, r.value)
	}
	timestamp := formatTimestamp(draft.Now, s.timeUnit)
	if s.timeHeader != "" {
		header.Set(s.timeHeader, timestamp)
	}
	if s.idHeader != "" && draft.ID != "" {
		header.Set(s.idHeader, draft.ID)
	}
	request := &Request{Method: draft.Method, RawQuery: draft.RawQuery, Header: header, Body: draft.Body, Now: draft.Now}
	w := &work{scheme: s, request: request, timestamp: timestamp, timeFound: true}
	if err := w.resolve(); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	signature, err := s.sign(w, scheme, k, draft.Body)
	if err != nil {
		return nil, err
	}
	header.Set(s.headers[0], s.write(timestamp, signature))
	return header, nil
}

func signStatic(scheme *route.Scheme, k key, header http.Header) (http.Header, error) {
	j, err := newStatic(scheme, []key{k})
	if err != nil {
		return nil, err
	}
	value := j.prefix + j.keys[0].text
	if j.basic {
		value = "Basic " + base64.StdEncoding.EncodeToString([]byte(j.keys[0].text))
	}
	header.Set(j.headers[0], value)
	return header, nil
}

// sign makes the signature's bytes.
func (s *scheme) sign(w *work, source *route.Scheme, k key, body []byte) ([]byte, error) {
	if macs, ok := s.matcher.(hmacKeys); ok {
		return macs[0].states.Get().(*hmacState).mac(w, body), nil
	}
	seed, err := decodeKey(k, source.Key, "the 32 bytes of an Ed25519 seed",
		func(decoded []byte) bool { return len(decoded) == ed25519.SeedSize })
	if err != nil {
		return nil, err
	}
	var message bytes.Buffer
	w.writeContent(&message, body)
	return ed25519.Sign(ed25519.NewKeyFromSeed(seed), message.Bytes()), nil
}

// write formats the signature header.
func (s *scheme) write(timestamp string, signature []byte) string {
	var text string
	switch s.encoding {
	case route.EncodingHex:
		text = hex.EncodeToString(signature)
	case route.EncodingBase64URL:
		text = base64.RawURLEncoding.EncodeToString(signature)
	default:
		text = base64.StdEncoding.EncodeToString(signature)
	}
	text = s.prefix + text
	if s.list == nil || s.list.KeyValueSeparator == "" {
		return text
	}
	text = s.list.SignatureKey + s.list.KeyValueSeparator + text
	if s.list.TimestampKey != "" {
		text = s.list.TimestampKey + s.list.KeyValueSeparator + timestamp + s.list.Separator + text
	}
	return text
}

func formatTimestamp(at time.Time, unit route.TimestampUnit) string {
	switch unit {
	case route.UnitMilliseconds:
		return strconv.FormatInt(at.UnixMilli(), 10)
	case route.UnitRFC3339:
		return at.UTC().Format(time.RFC3339)
	default:
		return strconv.FormatInt(at.Unix(), 10)
	}
}

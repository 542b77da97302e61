package verify_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"strconv"
	"strings"
	"testing"

	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
)

// The tests of this file act for an author of endpoints who may not read the
// Secret that the endpoint names, and asks what its value is.

// acceptance is all that such an author sees of a key: nothing, or why not.
func acceptance(t *testing.T, source route.Source, value string) string {
	t.Helper()
	_, err := verify.Compile(verify.Config{
		Source: source, Keys: []route.Key{{Name: "current", Value: []byte(value)}}, URL: "https://hooks.example.com/a/b",
	})
	if err == nil {
		return ""
	}
	return err.Error()
}

func ownScheme(algorithm route.Algorithm, key route.KeyFormat) route.Source {
	scheme := &route.Scheme{
		Algorithm: algorithm, Signature: route.Signature{Headers: []string{"X-Signature"}, Encoding: route.EncodingBase64}, Key: key,
	}
	if algorithm != route.AlgorithmToken && algorithm != route.AlgorithmBasicAuth {
		scheme.Content = "{body}"
	}
	return route.Source{Scheme: scheme}
}

// TestPrefixesExtractNothing tries prefixes that the value has against others of
// their length: every algorithm, encoding and length must treat both alike.
func TestPrefixesExtractNothing(t *testing.T) {
	t.Parallel()
	const seed = "0123456789abcdef0123456789abcdef"
	values := []string{
		"p@ssw0rd!with-marks", "user:password", ":p", "aGVsbG8gd29ybGQ", "aGVsbG8gd29ybGQ=", "deadbeefcafe", "deadbeefcaf", "a", "::",
		"whsec_" + base64.StdEncoding.EncodeToString([]byte(seed)), base64.StdEncoding.EncodeToString([]byte(seed)),
		"x" + base64.StdEncoding.EncodeToString([]byte(seed)), hex.EncodeToString([]byte(seed)), "dXNlcjpwYXNz", "whsec_!", " spaced ",
	}
	for _, algorithm := range []route.Algorithm{
		route.AlgorithmHMACSHA256, route.AlgorithmEd25519, route.AlgorithmToken, route.AlgorithmBasicAuth,
	} {
		for _, encoding := range []route.Encoding{
			"", route.EncodingRaw, route.EncodingHex, route.EncodingBase64, route.EncodingBase64URL,
		} {
			for _, value := range values {
				for length := 1; length < len(value); length++ {
					right := value[:length]
					for _, wrong := range []string{strings.Repeat("~", length), right[:length-1] + "~", "~" + right[1:]} {
						with := acceptance(t, ownScheme(algorithm, route.KeyFormat{Encoding: encoding, StripPrefix: right}), value)
						without := acceptance(t, ownScheme(algorithm, route.KeyFormat{Encoding: encoding, StripPrefix: wrong}), value)
						if strings.ReplaceAll(with, strconv.Quote(right), "P") != strings.ReplaceAll(without, strconv.Quote(wrong), "P") {
							t.Errorf("%s, %s: the prefix %q of %q: %q; the prefix %q: %q",
								algorithm, encoding, right, value, with, wrong, without)
						}
					}
				}
			}
		}
	}
}

// TestUnusableKeysAreToldAlike: of a value that cannot be the key nothing else is
// said, neither its length nor what it is instead.
func TestUnusableKeysAreToldAlike(t *testing.T) {
	t.Parallel()
	values := []string{
		"!", "!!", strings.Repeat("!", 100), "-----BEGIN!", "not base64, not hex",
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")})),
	}
	sources := map[string]route.Source{
		"hex":     ownScheme(route.AlgorithmHMACSHA256, route.KeyFormat{Encoding: route.EncodingHex}),
		"base64":  ownScheme(route.AlgorithmHMACSHA256, route.KeyFormat{Encoding: route.EncodingBase64, StripPrefix: "whsec_"}),
		"ed25519": ownScheme(route.AlgorithmEd25519, route.KeyFormat{Encoding: route.EncodingBase64}),
		"basic":   ownScheme(route.AlgorithmBasicAuth, route.KeyFormat{}),
	}
	for _, provider := range []string{"sendgrid", "aws-sns", "travis"} {
		sources[provider] = route.Source{Provider: provider}
	}
	for name, source := range sources {
		told := map[string][]string{}
		for _, value := range append(values, base64.StdEncoding.EncodeToString([]byte("short"))+"!") {
			problem := acceptance(t, source, value)
			told[problem] = append(told[problem], value)
		}
		if len(told) != 1 {
			t.Errorf("%s: values are told apart: %q", name, told)
		}
	}
}

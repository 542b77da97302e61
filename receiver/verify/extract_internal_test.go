package verify

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

// FuzzExtract holds the extractor against the standard library: what it finds
// is what a strict reader of the document would find.
func FuzzExtract(f *testing.F) {
	for _, seed := range []string{
		`{"a":"x"}`, `{"a":1.5e3,"b":{"a":true}}`, `{"a":"\u00e4\n\ud83d\ude00"}`, `{"a":1,"a":2}`, `[1,{"a":null}]`,
		`{"A":1}`, `{"a":"` + strings.Repeat("x", 300) + `"}`, strings.Repeat(`[`, 400), `{"a":-0}`, `{"a":1E+}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var e extractor
		for _, path := range []string{"a", "b.a", "[1].a"} {
			if _, err := e.add(path); err != nil {
				t.Fatal(err)
			}
		}
		var found values
		e.extract(body, &found)
		if found.found == 0 {
			return
		}
		var document any
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.UseNumber()
		if err := decoder.Decode(&document); err != nil {
			// Escapes of strings that nobody asked for are not looked at.
			if bytes.IndexByte(body, '\\') < 0 {
				t.Fatalf("found a field in %q, which is not JSON: %v", body, err)
			}
			return
		}
		if text, ok := found.get(0); ok {
			if want := scalar(document.(map[string]any)["a"]); text != want {
				t.Errorf("a of %q is %q, want %q", body, text, want)
			}
		}
	})
}

// FuzzAbsent holds the extractor against a reader that folds case and takes the
// last of two: what is absent for one that may leave a signed field out is absent
// for that reader as well.
func FuzzAbsent(f *testing.F) {
	for _, seed := range []string{
		`{"Subject":"a","Subject":"b"}`, `{"subject":"a"}`, `{"Subject":null}`, `{"Subject":["a"]}`, `{"Subject":{}}`,
		`{"Sub\u006aect":1}`, `{"amount":{"Value":1}}`, `{"Amount":{"value":1}}`, `{"amount":[{"value":1}]}`, `{"amount":1}`,
		"{\"\u017fubject\":1}", `{"x":1}`, `[]`, `{"Subject":`, `null`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		e := extractor{alone: true}
		for _, path := range []string{"Subject", "amount.value"} {
			if _, err := e.add(path); err != nil {
				t.Fatal(err)
			}
		}
		var found values
		e.extract(body, &found)
		var lenient struct {
			Subject any
			Amount  any
		}
		if json.Unmarshal(body, &lenient) != nil {
			return
		}
		absent := func(index int) bool { _, ok := found.get(index); return !ok && !found.unclear(index) }
		if absent(0) && lenient.Subject != nil {
			t.Errorf("Subject is absent from %q, where another reader finds %v", body, lenient.Subject)
		}
		if amount, _ := lenient.Amount.(map[string]any); absent(1) {
			for name, value := range amount {
				if strings.EqualFold(name, "value") && value != nil {
					t.Errorf("amount.value is absent from %q, where another reader finds %v", body, value)
				}
			}
		}
	})
}

func scalar(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case json.Number:
		return value.String()
	case bool:
		return strconv.FormatBool(value)
	}
	return "not a scalar"
}

func TestExtract(t *testing.T) {
	t.Parallel()
	body := []byte(` { "a" : { "b" : [ 10 , { "c" : "x\"\/\u00e9" } ] } , "n" : -1.50e+3 , "t" : true , "z" : null } `)
	for path, want := range map[string]string{
		"a.b[0]": "10", "a.b[1].c": `x"/é`, "$.n": "-1.50e+3", "t": "true",
		"z": "", "a": "", "a.b": "", "a.b[2]": "", "a.b[0].c": "", "A.b[0]": "", "n.x": "",
	} {
		var e extractor
		if _, err := e.add(path); err != nil {
			t.Fatal(err)
		}
		var found values
		e.extract(body, &found)
		if text, ok := found.get(0); text != want || ok != (want != "") {
			t.Errorf("%s is %q, %t; want %q", path, text, ok, want)
		}
	}
}

func TestParsePathRefuses(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"", ".", "a.", "a..b", "a[", "a[x]", "a[-1]", "a[01]", "a[0",
		strings.Repeat("a.", 200) + "a"} {
		if _, err := parsePath(path); err == nil {
			t.Errorf("%q is taken for a path", path)
		}
	}
}

func TestParseTimestamp(t *testing.T) {
	t.Parallel()
	at := time.Unix(1614265330, 0)
	for _, c := range []struct {
		text string
		unit route.TimestampUnit
		ok   bool
	}{
		{"1614265330", route.UnitSeconds, true}, {"1614265330000", route.UnitMilliseconds, true},
		{"2021-02-25T15:02:10Z", route.UnitRFC3339, true}, {"2021-02-25T08:02:10.000-07:00", route.UnitRFC3339, true},
		{
			"", route.UnitSeconds, false}, {"+1614265330", route.UnitSeconds, false}, {" 1614265330",
			route.UnitSeconds, false,
		},
		{"1614265330.0", route.UnitSeconds, false}, {"0x60", route.UnitSeconds, false},
		{"-1", route.UnitSeconds, false}, {"9999999999999999", route.UnitSeconds, false},
		{"1614265330", route.UnitRFC3339, false}, {"2021-02-25", route.UnitRFC3339, false},
	} {
		got, ok := parseTimestamp(c.text, c.unit)
		if ok != c.ok || ok && !got.Equal(at) {
			t.Errorf("parseTimestamp(%q, %s) = %v, %t; want %t", c.text, c.unit, got, ok, c.ok)
		}
	}
}

func TestDecodeExactly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		encoding route.Encoding
		text     string
		ok       bool
	}{
		{route.EncodingHex, "00ff10", true}, {route.EncodingHex, "00FF10", true},
		{
			route.EncodingHex, "00ff1", false}, {route.EncodingHex, "00ff1g", false}, {route.EncodingHex,
			"00ff1011", false,
		},
		{
			route.EncodingBase64, "AP8Q", true}, {route.EncodingBase64, "AP8Q\n", false}, {route.EncodingBase64,
			"AP8", false,
		},
		{route.EncodingBase64URL, "AP8Q", true}, {route.EncodingBase64URL, "AP+Q", false},
	} {
		if got := decodeExactly(make([]byte, 3), c.encoding, []byte(c.text)); got != c.ok {
			t.Errorf("decodeExactly(%s, %q) = %t, want %t", c.encoding, c.text, got, c.ok)
		}
	}
	// Pad bits, padding and line breaks at four bytes, which need padding.
	for text, ok := range map[string]bool{
		"AP8QIA==": true, "AP8QIB==": false, "AP8QIA": false, "AP8QIA=\n": false, "AP8Q\r\nA=": false,
	} {
		if got := decodeExactly(make([]byte, 4), route.EncodingBase64, []byte(text)); got != ok {
			t.Errorf("decodeExactly(Base64, %q) = %t, want %t", text, got, ok)
		}
	}
	// Without its padding the text has more bytes than there is room for.
	for _, size := range []int{20, 32, 64} {
		text := bytes.Repeat([]byte("0"), strictBase64.EncodedLen(size))
		if decodeExactly(make([]byte, size), route.EncodingBase64, text) {
			t.Errorf("base64 without padding is taken for %d bytes", size)
		}
	}
	for text, ok := range map[string]bool{"AP8QIA": true, "AP8QIA==": true, "AP8QIB": false, "AP8QI\n": false} {
		if got := decodeExactly(make([]byte, 4), route.EncodingBase64URL, []byte(text)); got != ok {
			t.Errorf("decodeExactly(Base64URL, %q) = %t, want %t", text, got, ok)
		}
	}
}

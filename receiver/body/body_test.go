package body_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/postern-dev/postern/receiver/body"
)

const (
	formType = "application/x-www-form-urlencoded"
	mark     = "\xef\xbb\xbf"
)

func compress(t testing.TB, plain string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(plain)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func reader(raw string, header http.Header) *body.Reader {
	return body.NewReader(header, []byte(raw), body.Options{})
}

func contentType(values ...string) http.Header { return http.Header{"Content-Type": values} }

func TestDocument(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		raw   string
		types []string
		want  string
		err   error
	}{
		"JSON":                         {`{"a":1}`, []string{"application/json"}, `{"a":1}`, nil},
		"JSON without a type":          {`{"a":1}`, nil, `{"a":1}`, nil},
		"JSON of another type":         {`{"a":1}`, []string{"text/plain"}, `{"a":1}`, nil},
		"byte order mark":              {mark + `{"a":1}`, []string{"application/json"}, `{"a":1}`, nil},
		"one mark only":                {mark + mark + `{"a":1}`, nil, mark + `{"a":1}`, nil},
		"mark alone":                   {mark, []string{"application/json"}, "", nil},
		"empty":                        {"", nil, "", nil},
		"payload":                      {"payload=%7B%22a%22%3A1%7D", []string{formType}, `{"a":1}`, nil},
		"payload without a type":       {"payload=%7B%22a%22%3A1%7D", nil, `{"a":1}`, nil},
		"payload with a mark":          {"payload=%EF%BB%BF%7B%7D", []string{formType}, `{}`, nil},
		"payload beside others":        {"a=1&payload=%7B%7D&b=2", []string{formType}, `{}`, nil},
		"payload by an escaped name":   {"p%61yload=%7B%7D", []string{formType}, `{}`, nil},
		"payload twice":                {"payload=1&payload=2", []string{formType}, "", body.ErrAmbiguous},
		"payload twice, equal":         {"payload=1&payload=1", []string{formType}, "", body.ErrAmbiguous},
		"payload twice, escaped":       {"payload=1&p%61yload=2", []string{formType}, "", body.ErrAmbiguous},
		"payload of another type":      {"payload=1", []string{"text/plain"}, "payload=1", nil},
		"parameters of the type":       {"payload=1", []string{formType + "; charset=utf-8"}, "1", nil},
		"a parameter twice":            {"payload=1", []string{formType + "; a=1; a=2"}, "1", nil},
		"odd case and spaces":          {"payload=1", []string{" Application/X-WWW-Form-URLencoded ;q"}, "1", nil},
		"two types":                    {`{"a":1}`, []string{"application/json", formType}, "", body.ErrAmbiguous},
		"JSON that is said to be form": {`{"a":1}`, []string{formType}, `{"a":1}`, nil},
		"the same, no valid form":      {`{"a":"100%;"}`, []string{formType}, `{"a":"100%;"}`, nil},
		// A signature over the parameter must cover what is read.
		"JSON around a payload": {`{"id":"evil","x":"&payload=%7B%7D&y="}`, []string{formType}, `{}`, nil},
		"form without payload":  {"a=1", []string{formType}, "a=1", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := reader(test.raw, contentType(test.types...)).Document()
			if string(got) != test.want || !errors.Is(err, test.err) {
				t.Errorf("got %q, %v; want %q, %v", got, err, test.want, test.err)
			}
		})
	}
}

func TestForm(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		raw   string
		types []string
		want  url.Values
		err   error
	}{
		"plain":              {"a=1&b=2", []string{formType}, url.Values{"a": {"1"}, "b": {"2"}}, nil},
		"repeated":           {"a=2&a=1&a=2", []string{formType}, url.Values{"a": {"2", "1", "2"}}, nil},
		"no value":           {"a&b=", []string{formType}, url.Values{"a": {""}, "b": {""}}, nil},
		"escapes":            {"a%20b=c+d%26", []string{formType}, url.Values{"a b": {"c d&"}}, nil},
		"not UTF-8":          {"a=%ff", []string{formType}, url.Values{"a": {"\xff"}}, nil},
		"empty":              {"", []string{formType}, url.Values{}, nil},
		"without a type":     {"a=1", nil, url.Values{"a": {"1"}}, nil},
		"JSON without type":  {` {"a":1}`, nil, nil, body.ErrNotForm},
		"list without type":  {mark + "[1]", nil, nil, body.ErrNotForm},
		"JSON":               {"a=1", []string{"application/json"}, nil, body.ErrNotForm},
		"similar type":       {"a=1", []string{formType + "2"}, nil, body.ErrNotForm},
		"two types":          {"a=1", []string{formType, formType}, nil, body.ErrAmbiguous},
		"invalid escape":     {"a=%zz", []string{formType}, nil, body.ErrForm},
		"cut escape":         {"a=1&b=%2", []string{formType}, nil, body.ErrForm},
		"semicolon":          {"a=1;b=2", []string{formType}, nil, body.ErrForm},
		"escaped semicolon":  {"a=1%3Bb", []string{formType}, url.Values{"a": {"1;b"}}, nil},
		"too many":           {strings.Repeat("a=1&", 20_000), []string{formType}, nil, body.ErrForm},
		"odd case of a type": {"a=1", []string{"APPLICATION/x-www-form-urlencoded; Charset=ISO-8859-1"}, url.Values{"a": {"1"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := reader(test.raw, contentType(test.types...)).Form()
			if !reflect.DeepEqual(got, test.want) || !errors.Is(err, test.err) {
				t.Errorf("got %v, %v; want %v, %v", got, err, test.want, test.err)
			}
		})
	}
}

func TestGzip(t *testing.T) {
	t.Parallel()
	packed := compress(t, `{"a":1}`)
	damaged := []byte(packed)
	damaged[len(damaged)-5] ^= 1 // of the checksum
	most := strings.Repeat("x", 8<<20)
	for name, test := range map[string]struct {
		raw       string
		encodings []string
		want      string
		err       error
	}{
		"gzip":                {packed, []string{"gzip"}, `{"a":1}`, nil},
		"x-gzip, odd case":    {packed, []string{" X-GZip "}, `{"a":1}`, nil},
		"identity":            {`{"a":1}`, []string{"identity"}, `{"a":1}`, nil},
		"not said":            {packed, nil, packed, nil},
		"not gzip":            {`{"a":1}`, []string{"gzip"}, "", body.ErrGzip},
		"empty":               {"", []string{"gzip"}, "", body.ErrGzip},
		"nothing within":      {compress(t, ""), []string{"gzip"}, "", nil},
		"truncated":           {packed[:len(packed)-9], []string{"gzip"}, "", body.ErrGzip},
		"checksum cut off":    {packed[:len(packed)-8], []string{"gzip"}, "", body.ErrGzip},
		"damaged":             {string(damaged), []string{"gzip"}, "", body.ErrGzip},
		"trailing data":       {packed + "x", []string{"gzip"}, "", body.ErrGzip},
		"two members":         {packed + packed, []string{"gzip"}, "", body.ErrGzip},
		"nested, said once":   {compress(t, packed), []string{"gzip"}, packed, nil},
		"nested, said twice":  {compress(t, packed), []string{"gzip, gzip"}, "", body.ErrEncoding},
		"nested, two headers": {compress(t, packed), []string{"gzip", "gzip"}, "", body.ErrEncoding},
		"deflate":             {packed, []string{"deflate"}, "", body.ErrEncoding},
		"br":                  {packed, []string{"br"}, "", body.ErrEncoding},
		"all that may be":     {compress(t, most), []string{"gzip"}, most, nil},
		"one byte more":       {compress(t, most+"x"), []string{"gzip"}, "", body.ErrTooLarge},
		"bomb":                {compress(t, strings.Repeat("\x00", 100<<20)), []string{"gzip"}, "", body.ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{"Content-Encoding": test.encodings, "Content-Type": {"application/json"}}
			got, err := reader(test.raw, header).Document()
			if string(got) != test.want || !errors.Is(err, test.err) {
				t.Errorf("got %d bytes, %v; want %d bytes, %v", len(got), err, len(test.want), test.err)
			}
		})
	}
}

func TestGzipForm(t *testing.T) {
	t.Parallel()
	header := http.Header{"Content-Encoding": {"gzip"}, "Content-Type": {formType}}
	r := reader(compress(t, "payload=%7B%22a%22%3A1%7D&b=2"), header)
	form, err := r.Form()
	if err != nil || form.Get("b") != "2" {
		t.Errorf("form is %v, %v", form, err)
	}
	value, err := r.Value()
	if object, ok := value.(map[string]any); err != nil || !ok || len(object) != 1 {
		t.Errorf("value is %v, %v", value, err)
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		raw string
		err error
	}{
		"object":           {`{"a":1}`, nil},
		"byte order mark":  {mark + `[1]`, nil},
		"scalar":           {`7`, nil},
		"trailing newline": {"{}\r\n", nil},
		"empty":            {``, body.ErrNotJSON},
		"text":             {`hello`, body.ErrNotJSON},
		"truncated":        {`{"a":1`, body.ErrNotJSON},
		"two documents":    {`{"a":1}{"a":2}`, body.ErrNotJSON},
		"nests too deep":   {strings.Repeat(`[`, 20_000), body.ErrNotJSON},
		"too many values":  {`[` + strings.Repeat(`0,`, 500_000) + `0]`, body.ErrTooComplex},
		"UTF-16":           {"\xff\xfe{\x00}\x00", body.ErrNotJSON},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if value, err := reader(test.raw, nil).Value(); !errors.Is(err, test.err) {
				t.Errorf("got %v, %v; want error %v", value, err, test.err)
			}
		})
	}
}

// What has been read once must be read no second time: the bytes are overwritten
// in between.
func TestReadsOnce(t *testing.T) {
	t.Parallel()
	raw := []byte("payload=1&a=2")
	r := body.NewReader(contentType(formType), raw, body.Options{})
	first, err := r.Value()
	if err != nil {
		t.Fatal(err)
	}
	sum := r.SHA256()
	copy(raw, "payload=3&a=4")
	again, err := r.Value()
	form, formErr := r.Form()
	if err != nil || formErr != nil || again != first || form.Get("a") != "2" || r.SHA256() != sum {
		t.Errorf("read again: %v, %v, %v, %v", again, form, err, formErr)
	}
}

func TestReads(t *testing.T) {
	t.Parallel()
	raw := []byte("a=1")
	r := body.NewReader(contentType(formType), raw, body.Options{})
	for name, test := range map[string]struct {
		header http.Header
		raw    []byte
		want   bool
	}{
		"the same":         {contentType(formType), raw, true},
		"equal bytes":      {contentType(formType), slices.Clone(raw), false},
		"a part":           {contentType(formType), raw[:2], false},
		"another type":     {contentType("text/plain"), raw, false},
		"another encoding": {http.Header{"Content-Type": {formType}, "Content-Encoding": {"gzip"}}, raw, false},
	} {
		if got := r.Reads(test.header, test.raw); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// Every kind of decoding must ask for its memory, for at least what it keeps.
func TestMemory(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 100_000)
	for name, test := range map[string]struct {
		raw    string
		header http.Header
		read   func(*body.Reader) error
	}{
		"gzip": {compress(t, large), http.Header{"Content-Encoding": {"gzip"}}, func(r *body.Reader) error {
			_, err := r.Plain()
			return err
		}},
		"form": {"a=" + large, contentType(formType), func(r *body.Reader) error {
			_, err := r.Form()
			return err
		}},
		"JSON": {`"` + large + `"`, contentType("application/json"), func(r *body.Reader) error {
			_, err := r.Value()
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var reserved int64
			r := body.NewReader(test.header, []byte(test.raw), body.Options{Reserve: func(bytes int64) bool {
				reserved += bytes
				return true
			}})
			if err := test.read(r); err != nil || reserved < 100_000 || r.Starved() {
				t.Errorf("reserved %d bytes, error %v, starved %v", reserved, err, r.Starved())
			}
			r = body.NewReader(test.header, []byte(test.raw), body.Options{Reserve: func(int64) bool { return false }})
			if err := test.read(r); !errors.Is(err, body.ErrNoMemory) || !r.Starved() {
				t.Errorf("without memory: error %v, starved %v", err, r.Starved())
			}
		})
	}
}

// No error may quote the body: errors are logged.
func TestErrorsDoNotQuote(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ raw, contentType, encoding string }{
		{`{"hunter2":`, "application/json", ""},
		{`hunter2`, "application/json", ""},
		{"a=%hunter2", formType, ""},
		{"hunter2", "application/json", "gzip"},
		{"hunter2", "application/json", "hunter2"},
		{"payload=hunter2&payload=hunter2", formType, ""},
	} {
		header := contentType(test.contentType)
		if test.encoding != "" {
			header["Content-Encoding"] = []string{test.encoding}
		}
		_, err := reader(test.raw, header).Value()
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: error %v", test.raw, err)
		}
	}
}

func FuzzReader(f *testing.F) {
	packed := compress(f, `{"a":1}`)
	f.Add([]byte(`{"a":1}`), "application/json", "")
	f.Add([]byte(mark+`{"a":[1,2]}`), "", "")
	f.Add([]byte("payload=%7B%7D&a=1&a=2;"), formType+"; charset=utf-8", "identity")
	f.Add([]byte(packed), "application/json", "gzip")
	f.Add([]byte(packed+packed), formType, "x-gzip")
	f.Fuzz(func(t *testing.T, raw []byte, contentType, encoding string) {
		header := http.Header{"Content-Type": {contentType}, "Content-Encoding": {encoding}}
		if contentType == "" {
			delete(header, "Content-Type")
		}
		before := slices.Clone(raw)
		const limit = 1 << 10
		r := body.NewReader(header, raw, body.Options{MaxBytes: limit})
		plain, err := r.Plain()
		if err != nil && plain != nil {
			t.Errorf("%d bytes beside the error %v", len(plain), err)
		}
		if len(plain) > max(len(raw), body.Expansion*limit) {
			t.Errorf("decompressed to %d bytes", len(plain))
		}
		form, formErr := r.Form()
		document, err := r.Document()
		if formErr == nil && len(form["payload"]) == 1 && !bytes.HasSuffix([]byte(form.Get("payload")), document) {
			t.Errorf("document %q is not payload of %v", document, form)
		}
		if formErr == nil && len(form["payload"]) > 1 && err == nil {
			t.Errorf("document %q of a form with %d payloads", document, len(form["payload"]))
		}
		_, _ = r.Value()
		if !bytes.Equal(before, raw) {
			t.Error("reading changed the body")
		}
	})
}

package input_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/postern-dev/postern/cli/exit"
	"github.com/postern-dev/postern/cli/input"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSecretsDropOneNewline(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"s3cret":     "s3cret",
		"s3cret\n":   "s3cret",
		"s3cret\r\n": "s3cret",
		"s3cret\n\n": "s3cret\n",
		"s3cret\r":   "s3cret\r",
		" s3cret ":   " s3cret ",
	} {
		keys, err := input.Secrets("secret-file", []string{write(t, "current", text)})
		if err != nil {
			t.Fatal(err)
		}
		if got := string([]byte(keys[0].Value)); got != want || keys[0].Name != "current" {
			t.Errorf("%q is read as %s=%q, want current=%q", text, keys[0].Name, got, want)
		}
	}
}

func TestBody(t *testing.T) {
	t.Parallel()
	body, err := input.Body("body-file", write(t, "body", "{}\n"), nil)
	if err != nil || string(body) != "{}\n" {
		t.Errorf("body is %q (%v), want it byte for byte", body, err)
	}
	body, err = input.Body("body-file", "-", strings.NewReader("piped"))
	if err != nil || string(body) != "piped" {
		t.Errorf("body is %q (%v), want standard input", body, err)
	}
	body, err = input.Body("body-file", write(t, "empty", ""), nil)
	if err != nil || body == nil {
		t.Errorf("an empty file is %v (%v), want a body of no bytes", body, err)
	}
	body, err = input.Body("body-file", "", nil)
	if err != nil || body != nil {
		t.Errorf("no file is %v (%v), want no body", body, err)
	}
}

func TestHeadersAndPairs(t *testing.T) {
	t.Parallel()
	header, err := input.Headers("header", []string{"x-one: a:b ", "X-One:c", "Empty:"})
	if err != nil {
		t.Fatal(err)
	}
	if got := header["X-One"]; !slices.Equal(got, []string{"a:b", "c"}) {
		t.Errorf("X-One is %q, want both values in order", got)
	}
	if _, found := header["Empty"]; !found {
		t.Error("a header without value is lost")
	}
	pairs, err := input.Pairs("option", []string{"url=https://a/?b=c", "empty="})
	if err != nil || !maps.Equal(pairs, map[string]string{"url": "https://a/?b=c", "empty": ""}) {
		t.Errorf("pairs are %v (%v)", pairs, err)
	}
}

func TestErrorsNameTheFlag(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing")
	empty := write(t, "empty", "\n")
	for name, call := range map[string]func(flag string) error{
		"missing secret":  func(f string) error { _, err := input.Secrets(f, []string{missing}); return err },
		"empty secret":    func(f string) error { _, err := input.Secrets(f, []string{empty}); return err },
		"missing body":    func(f string) error { _, err := input.Body(f, missing, nil); return err },
		"header":          func(f string) error { _, err := input.Headers(f, []string{"no colon"}); return err },
		"nameless header": func(f string) error { _, err := input.Headers(f, []string{": v"}); return err },
		"pair":            func(f string) error { _, err := input.Pairs(f, []string{"novalue"}); return err },
		"pair twice":      func(f string) error { _, err := input.Pairs(f, []string{"a=1", "a=2"}); return err },
		"relative URL":    func(f string) error { _, err := input.URL(f, "/path"); return err },
		"other URL":       func(f string) error { _, err := input.URL(f, "ftp://host/"); return err },
		"broken URL":      func(f string) error { _, err := input.URL(f, "http://[::1"); return err },
		"forward":         func(f string) error { _, err := input.Forwards(f, []string{"svc=http://a"}); return err },
		"forward URL":     func(f string) error { _, err := input.Forwards(f, []string{"ns/svc=a"}); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := call("the-flag")
			if err == nil || !strings.Contains(err.Error(), "--the-flag") || exit.Status(err) != exit.Usage {
				t.Errorf("error is %v (status %d), want a usage error that names the flag", err, exit.Status(err))
			}
		})
	}
}

func TestForwards(t *testing.T) {
	t.Parallel()
	forwards, err := input.Forwards("forward", []string{"ci/builder=http://127.0.0.1:9000/hooks"})
	if err != nil || forwards["ci/builder"].Path != "/hooks" {
		t.Errorf("forwards are %v (%v)", forwards, err)
	}
}

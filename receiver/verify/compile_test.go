package verify_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
)

func TestCompileSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	key := func(text string) []route.Key { return []route.Key{{Name: "current", Value: []byte(text)}} }
	scheme := func(change func(*route.Scheme)) route.Source {
		s := hmacScheme("")
		change(&s)
		return route.Source{Scheme: &s}
	}
	for name, c := range map[string]struct {
		source route.Source
		keys   []route.Key
		want   []string
	}{
		"neither":         {route.Source{}, nil, []string{"exactly one of provider and scheme"}},
		"near name":       {route.Source{Provider: "githib"}, key("x"), []string{`"githib" is unknown`, "github"}},
		"part of a name":  {route.Source{Provider: "webhooks"}, key("x"), []string{"standard-webhooks"}},
		"nothing near":    {route.Source{Provider: "qqqqqqqq"}, key("x"), []string{"is unknown", "source.scheme"}},
		"no key":          {route.Source{Provider: "github"}, nil, []string{"github needs a Secret"}},
		"empty key":       {route.Source{Provider: "github"}, key(""), []string{`key "current"`, "empty"}},
		"line break only": {route.Source{Provider: "github"}, key("\n"), []string{`key "current"`, "empty"}},
		"empty decoded": {
			route.Source{Provider: "standard-webhooks"}, key("whsec_"), []string{`"current"`, "is not"},
		},
		"not base64": {
			route.Source{Provider: "svix"}, key("whsec_!TOPSECRET"), []string{`"current"`, "base64"},
		},
		"not hexadecimal": {
			route.Source{Provider: "adyen-platform"}, key("TOPSECRET"), []string{`"current"`, "hexadecimal"},
		},
		"not user:pass": {
			route.Source{Provider: "postmark"}, key("TOPSECRET"), []string{`"current"`, "user:password"},
		},
		"unknown option": {
			route.Source{Provider: "github", Options: map[string]string{"a": "b"}}, key("x"),
			[]string{"source.options.a", "github", "url"},
		},
		"bad url": {
			route.Source{Provider: "github", Options: map[string]string{"url": "/x"}}, key("x"),
			[]string{"source.options.url"},
		},
		"bad header": {
			route.Source{Provider: "datadog", Options: map[string]string{"header": "a b"}}, key("x"),
			[]string{"source.options.header"},
		},
		"url needed": {route.Source{Provider: "square"}, key("x"), []string{"source.options.url"}},
		"algorithm": {
			scheme(func(s *route.Scheme) { s.Algorithm = "MD5" }), key("x"), []string{"algorithm", "MD5"},
		},
		"encoding": {
			scheme(func(s *route.Scheme) { s.Signature.Encoding = "Raw" }), key("x"),
			[]string{"signature.encoding"},
		},
		"no header": {
			scheme(func(s *route.Scheme) { s.Signature.Headers = nil }), key("x"), []string{"signature.headers"},
		},
		"header name": {
			scheme(func(s *route.Scheme) { s.Signature.Headers = []string{"a b"} }), key("x"), []string{`"a b"`},
		},
		"variable": {
			scheme(func(s *route.Scheme) { s.Content = "{host}" }), key("x"), []string{"{host}", "{body}"},
		},
		"brace": {
			scheme(func(s *route.Scheme) { s.Content = "{body" }), key("x"), []string{"unpaired brace"},
		},
		"no timestamp": {
			scheme(func(s *route.Scheme) { s.Content = "{timestamp}" }), key("x"),
			[]string{"source.scheme.timestamp"},
		},
		"unsigned time": {
			scheme(func(s *route.Scheme) { s.Timestamp.Header = "X-T" }), key("x"), []string{"not signed"},
		},
		"unit": {
			scheme(func(s *route.Scheme) { s.Timestamp.Unit = "Minutes" }), key("x"), []string{"timestamp.unit"},
		},
		"no id": {
			scheme(func(s *route.Scheme) { s.Content = "{id}" }), key("x"), []string{"source.scheme.id"},
		},
		"separator": {
			scheme(func(s *route.Scheme) { s.Signature.List = &route.SignatureList{} }), key("x"),
			[]string{"list.separator"},
		},
		"json path": {
			scheme(func(s *route.Scheme) { s.Content = "{json:a..b}" }), key("x"), []string{"empty name"},
		},
		"token with list": {
			scheme(func(s *route.Scheme) { s.Algorithm = route.AlgorithmToken; s.Content = "{body}" }), key("x"),
			[]string{"signs nothing"},
		},
		"too many parts": {
			scheme(func(s *route.Scheme) { s.Content = strings.Repeat("{body}", 99) }), key("x"),
			[]string{"parts"},
		},
		"option of scheme": {
			route.Source{Scheme: new(hmacScheme("")), Options: map[string]string{"a": "b"}}, key("x"),
			[]string{"source.options.a"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := verify.Compile(verify.Config{Source: c.source, Keys: c.keys})
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
			var keyError *verify.KeyError
			if errors.As(err, &keyError) != strings.Contains(err.Error(), `"current"`) {
				t.Errorf("error %q is a KeyError: %t", err, keyError != nil)
			}
			if strings.Contains(err.Error(), "TOPSECRET") {
				t.Errorf("error %q shows the key", err)
			}
		})
	}
}

func TestCheckNeedsNoKeys(t *testing.T) {
	t.Parallel()
	for _, p := range verify.Presets() {
		options := map[string]string{}
		for _, option := range p.NeededOptions {
			options[option.Name] = "x"
		}
		source := route.Source{Provider: p.Name, Options: options}
		if err := verify.Check(source); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
	scheme := hmacScheme("{url}{host}")
	if err := verify.Check(route.Source{Scheme: &scheme}); err == nil {
		t.Error("a scheme with an unknown variable passes")
	}
}

func TestPresetsAreComplete(t *testing.T) {
	t.Parallel()
	presets := verify.Presets()
	if len(presets) < 95 {
		t.Errorf("%d presets, want at least 95", len(presets))
	}
	for i, p := range presets {
		if i > 0 && presets[i-1].Name >= p.Name {
			t.Errorf("%s is not sorted", p.Name)
		}
		if p.DisplayName == "" || p.DocsURL == "" || len(p.SetUp) == 0 || p.Class == "" || len(p.Methods) == 0 {
			t.Errorf("%s: incomplete: %+v", p.Name, p)
		}
		for _, step := range p.SetUp {
			if !strings.HasSuffix(step, ".") {
				t.Errorf("%s: the step %q is no sentence", p.Name, step)
			}
		}
		if p.Name != strings.ToLower(p.Name) || strings.ContainsAny(p.Name, "_. ") {
			t.Errorf("%s is not kebab-case", p.Name)
		}
		for _, alias := range append([]string{p.Name}, p.Aliases...) {
			if found, ok := verify.Lookup(alias); !ok || found.Name != p.Name {
				t.Errorf("Lookup(%q) = %q, %t; want %q", alias, found.Name, ok, p.Name)
			}
		}
	}
}

package verify

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

// Config is everything about one endpoint that verification needs.
type Config struct {
	Source route.Source
	// Keys are tried in order; every one is active.
	Keys []route.Key
	// URL is the endpoint's public URL as configured at the provider;
	// source.options.url wins over it.
	URL string
	// Window is how long ids are remembered; 0 means the preset's default, a
	// negative one not at all. Retries with the bytes of the first request are not
	// in time for longer.
	Window time.Duration
	// Fetcher gets the public keys that some providers publish; nil means that
	// they must be pinned.
	Fetcher *Fetcher
}

// Compile builds the verifier of one endpoint, or says what is wrong with its
// source or its keys. No error carries key material.
func Compile(config Config) (Verifier, error) {
	p, err := resolve(config.Source)
	if err != nil {
		return nil, err
	}
	m, err := gather(config, p)
	if err != nil {
		return nil, err
	}
	j, err := p.build(m)
	if err != nil {
		return nil, err
	}
	return assemble(p, m, j)
}

// Check validates a source without its keys: provider, scheme and options.
func Check(source route.Source) error {
	p, err := resolve(source)
	if err != nil {
		return err
	}
	if p.special != nil {
		return nil
	}
	variants, err := p.variants(source.Options)
	if err != nil {
		return err
	}
	for i := range variants {
		if err := checkScheme(&variants[i].Scheme); err != nil {
			return err
		}
	}
	return nil
}

// resolve finds the preset of a source, or makes one of its declarative scheme.
func resolve(source route.Source) (*preset, error) {
	if (source.Provider == "") == (source.Scheme == nil) {
		return nil, errors.New("source: exactly one of provider and scheme must be set")
	}
	methods, err := methodsOf(source)
	if err != nil {
		return nil, err
	}
	if source.Scheme != nil {
		return declared(source, methods)
	}
	p, ok := builtIn().byName[source.Provider]
	switch {
	case !ok:
		return nil, unknownProvider(source.Provider)
	case len(source.Methods) > 0:
		own := *p
		own.Methods = methods
		p = &own
	}
	return p, p.checkOptions(source.Options)
}

// ownMethods are those of sources that do not say which methods they use.
var ownMethods = []string{http.MethodPost, http.MethodPut, http.MethodPatch}

// methodsOf returns the methods of a source that may choose them.
func methodsOf(source route.Source) ([]string, error) {
	switch {
	case len(source.Methods) == 0:
		return ownMethods, nil
	case source.Scheme == nil && source.Verifies():
		return nil, fmt.Errorf("methods: provider %s brings its own; only a scheme and provider none take others",
			source.Provider)
	}
	allowed := append(slices.Clone(ownMethods), http.MethodGet, http.MethodDelete)
	for i, method := range source.Methods {
		if !slices.Contains(allowed, method) {
			return nil, fmt.Errorf("methods[%d]: %q is none of %s", i, method, strings.Join(allowed, ", "))
		}
	}
	return source.Methods, nil
}

// declared wraps the user's own scheme as a preset.
func declared(source route.Source, methods []string) (*preset, error) {
	scheme := *source.Scheme
	if err := checkScheme(&scheme); err != nil {
		return nil, err
	}
	for name := range source.Options {
		if name != optionURL {
			return nil, fmt.Errorf("source.options.%s: a declarative scheme takes only the option %q", name, optionURL)
		}
	}
	row := preset{Preset: Preset{
		Name: "scheme", DisplayName: "declarative scheme", Methods: methods,
		DeliveryID: fieldTemplate(scheme.ID), EventType: fieldTemplate(scheme.EventType),
		Variants: []Variant{{Scheme: scheme}},
	}}
	declareIdentity(&row.Preset, &scheme)
	p := complete(row)
	return &p, nil
}

// fieldTemplate writes a field as a template.
func fieldTemplate(f route.Field) string {
	switch {
	case f.Header != "" && f.JSON != "":
		return "{header:" + f.Header + "} | {json:" + f.JSON + "}"
	case f.Header != "":
		return "{header:" + f.Header + "}"
	case f.JSON != "":
		return "{json:" + f.JSON + "}"
	default:
		return ""
	}
}

// optionURL is known to every source: schemes that do not sign the URL have
// nothing to compare it with, and it does no harm there.
const optionURL = "url"

func (p *preset) checkOptions(options map[string]string) error {
	known := map[string]bool{optionURL: true}
	for _, option := range p.OptionalOptions {
		known[option.Name] = true
	}
	for _, option := range p.NeededOptions {
		known[option.Name] = true
		if options[option.Name] == "" {
			return fmt.Errorf("source.options.%s: provider %s needs it: %s", option.Name, p.Name, option.Description)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(options)) {
		if known[name] {
			continue
		}
		names := slices.Sorted(maps.Keys(known))
		return fmt.Errorf("source.options.%s: provider %s does not know it; it takes %s",
			name, p.Name, strings.Join(names, ", "))
	}
	return nil
}

// gather turns the configuration into what builders take.
func gather(config Config, p *preset) (material, error) {
	m := material{provider: p.Name, options: config.Source.Options, url: config.URL, tolerance: p.tolerance(config)}
	m.fetch, m.marksSigned = config.Fetcher, p.Identity == IdentityID && !p.IDSigned
	if text := config.Source.Options[optionURL]; text != "" {
		m.url = text
	}
	if m.url != "" {
		if u, err := url.Parse(m.url); err != nil || u.Host == "" {
			return m, errors.New("source.options.url: must be an absolute URL such as https://hooks.example.com/team/name")
		}
	}
	err := m.gatherKeys(config.Keys, p)
	return m, err
}

// gatherKeys takes the keys of the Secret and the public ones among the options.
func (m *material) gatherKeys(keys []route.Key, p *preset) error {
	for _, k := range keys {
		text := strings.TrimRight(string(k.Value), "\r\n")
		if text == "" {
			return badKey(k.Name, "is empty: an empty key verifies nothing")
		}
		m.keys = append(m.keys, key{name: k.Name, text: text})
	}
	for _, option := range []string{p.publicKeyOption, optionKey.Name} {
		if text := m.options[option]; p.publicKeyOption != "" && text != "" {
			m.keys = append(m.keys, key{name: fromOptions + option, text: strings.TrimSpace(text)})
		}
	}
	if p.special == nil && p.publicKeyOption != "" && len(m.keys) == 0 {
		return fmt.Errorf("provider %s needs its public key: set source.options.%s or secretRef",
			p.Name, p.publicKeyOption)
	}
	if p.Secret == SecretRequired && len(m.keys) == 0 && !awaits(m.options) {
		return fmt.Errorf("provider %s needs a Secret: set secretRef", p.Name)
	}
	return nil
}

func (p *preset) tolerance(config Config) tolerance {
	source := config.Source
	t := tolerance{past: p.Tolerance, future: p.FutureTolerance}
	if config.Window != 0 {
		t.past = max(p.freshFor, min(t.past, config.Window-t.future))
	}
	if source.ToleranceSeconds > 0 {
		custom := time.Duration(source.ToleranceSeconds) * time.Second
		// A provider that never signs ahead of time keeps that rule.
		if t.past == 0 || t.future != 0 {
			t.future = custom
		}
		t.past = custom
	}
	return t
}

func (p *preset) variants(options map[string]string) ([]Variant, error) {
	if p.adapt == nil {
		return p.Variants, nil
	}
	return p.adapt(options, slices.Clone(p.Variants))
}

// build makes the judge of the preset from its material.
func (p *preset) build(m material) (judge, error) {
	if len(m.keys) == 0 && awaits(m.options) {
		return waiting{}, nil
	}
	if p.special != nil {
		return p.special(m)
	}
	variants, err := p.variants(m.options)
	if err != nil {
		return nil, err
	}
	return newFamily(variants, m)
}

package sign

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
)

// Event says what to send.
type Event struct {
	// Provider is a preset's name or alias.
	Provider string
	Secret   route.SecretBytes
	Options  map[string]string
	// URL is the URL as configured at the provider.
	URL string
	// Type and ID are the event type and the delivery id; empty means a default.
	Type string
	ID   string
	// Body replaces the sample body; it is sent byte for byte.
	Body []byte
	Now  time.Time
}

// Request is a signed request, ready to be sent.
type Request struct {
	Method   string
	RawQuery string
	Header   http.Header
	Body     []byte
}

// Build makes the request of one event.
func Build(event Event) (*Request, error) {
	preset, ok := verify.Lookup(event.Provider)
	if !ok {
		return nil, verify.Check(route.Source{Provider: event.Provider})
	}
	if event.URL == "" {
		event.URL = "https://hooks.example.com/team/" + preset.Name
	}
	d, err := newDraft(&preset, event)
	if err != nil {
		return nil, err
	}
	if preset.Secret == verify.SecretNone {
		return d.request(), nil
	}
	if len(event.Secret) == 0 {
		return nil, fmt.Errorf("sign: provider %s signs with a key: none was given", preset.Name)
	}
	if special, ok := specials[preset.Name]; ok {
		return special(d, event)
	}
	scheme, ok := preset.SchemeFor(event.Secret, event.Options)
	if !ok {
		return nil, fmt.Errorf("sign: requests of %s cannot be built here; %s can", preset.Name,
			strings.Join(Providers(), ", "))
	}
	if scheme.Timestamp.JSON != "" && event.Body == nil {
		if err := d.setJSON(scheme.Timestamp.JSON, d.now.UnixMilli()); err != nil {
			return nil, err
		}
	}
	d.header, err = verify.Sign(&scheme, event.Secret, d.draft())
	return d.request(), err
}

// Providers lists the presets whose requests can be built, sorted.
func Providers() []string {
	names := slices.Collect(maps.Keys(specials))
	for _, p := range verify.Presets() {
		if len(p.Variants) > 0 || p.Secret == verify.SecretNone {
			names = append(names, p.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// draft is a request on its way to be signed.
type draft struct {
	preset *verify.Preset
	header http.Header
	body   []byte
	query  string
	id     string
	url    string
	now    time.Time
}

func (d *draft) draft() *verify.Draft {
	return &verify.Draft{
		Method: d.method(), RawQuery: d.query, Header: d.header, Body: d.body, ID: d.id, URL: d.url, Now: d.now,
	}
}

func (d *draft) request() *Request {
	return &Request{Method: d.method(), RawQuery: d.query, Header: d.header, Body: d.body}
}

func (d *draft) method() string { return d.preset.Methods[0] }

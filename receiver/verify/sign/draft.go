package sign

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/postern-dev/postern/receiver/verify"
)

// newDraft fills in body, headers, id and type, but no signature.
func newDraft(preset *verify.Preset, event Event) (*draft, error) {
	d := &draft{preset: preset, header: http.Header{}, body: event.Body, id: event.ID, url: event.URL, now: event.Now}
	if d.now.IsZero() {
		d.now = time.Now()
	}
	d.header.Set("Content-Type", "application/json")
	d.header.Set("User-Agent", "postern-send")
	if d.id == "" {
		d.id = randomID()
	}
	eventType, madeUp := event.Type, false
	if event.Body == nil {
		d.body, eventType, madeUp = sample(preset, event.Type)
	}
	if err := d.place(preset.DeliveryID, d.id, event.Body == nil); err != nil {
		return nil, err
	}
	if eventType == "" {
		eventType = "example.created"
	}
	if err := d.place(preset.EventType, eventType, madeUp); err != nil {
		return nil, err
	}
	return d, d.placeSigned()
}

func randomID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// place puts a value where the first alternative of a template reads it. A
// template of several variables shares the value out at its separators.
func (d *draft) place(template, value string, intoBody bool) error {
	first, _, _ := strings.Cut(template, " | ")
	rest := value
	for first != "" {
		open, end := strings.IndexByte(first, '{'), strings.IndexByte(first, '}')
		if open < 0 || end < open {
			return nil
		}
		kind, name, _ := strings.Cut(first[open+1:end], ":")
		first = first[end+1:]
		part := rest
		if next := strings.IndexByte(first, '{'); next > 0 {
			part, rest, _ = strings.Cut(rest, first[:next])
		} else {
			rest = ""
		}
		switch {
		case part == "":
		case kind == "header":
			d.header.Set(name, part)
		case intoBody:
			if err := d.setJSON(name, part); err != nil {
				return err
			}
		}
	}
	return nil
}

// placeSigned gives a value to every header that is signed beside the body.
func (d *draft) placeSigned() error {
	for _, v := range d.preset.Variants {
		for rest := v.Scheme.Content; ; {
			_, after, found := strings.Cut(rest, "{header:")
			if !found {
				break
			}
			var name string
			if name, rest, found = strings.Cut(after, "}"); found && d.header.Get(name) == "" {
				d.header.Set(name, fmt.Sprint(d.now.Unix()))
			}
		}
	}
	return nil
}

// setJSON sets a field of the JSON body; what is not JSON stays as it is.
func (d *draft) setJSON(path string, value any) error {
	decoder := json.NewDecoder(bytes.NewReader(d.body))
	decoder.UseNumber()
	var document any
	if err := decoder.Decode(&document); err != nil {
		return fmt.Errorf("sign: the sample body is not JSON: %w", err)
	}
	document = withValue(document, splitPath(path), value)
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(document); err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	d.body = bytes.TrimSuffix(out.Bytes(), []byte("\n"))
	return nil
}

// splitPath turns "a.b[0].c" into its steps; only index 0 occurs.
func splitPath(path string) []string {
	path = strings.ReplaceAll(path, "[0]", ".[0]")
	return strings.Split(strings.TrimPrefix(path, "."), ".")
}

// withValue returns the document with the value at the path; what stands in
// the way is replaced.
func withValue(document any, path []string, value any) any {
	if len(path) == 0 {
		return value
	}
	if path[0] == "[0]" {
		list, _ := document.([]any)
		if len(list) == 0 {
			list = []any{nil}
		}
		list[0] = withValue(list[0], path[1:], value)
		return list
	}
	object, ok := document.(map[string]any)
	if !ok {
		object = map[string]any{}
	}
	object[path[0]] = withValue(object[path[0]], path[1:], value)
	return object
}

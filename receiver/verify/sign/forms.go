package sign

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what the providers sign with
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/postern-dev/postern/receiver/verify"
)

// Providers that sign URLs, form parameters or a canonical request.

const formType = "application/x-www-form-urlencoded"

// signedForm signs the URL and the sorted parameters of a form. A body that is
// JSON is signed by its digest in the URL, where the provider does that.
func signedForm(header string, fields func(body []byte) (url.Values, error), digest bool) signer {
	return func(d *draft, event Event) (*Request, error) {
		parameters := url.Values{}
		var err error
		switch {
		case event.Body == nil:
			parameters, err = fields(d.body)
			d.body = []byte(parameters.Encode())
		case digest && json.Valid(event.Body):
			sum := sha256.Sum256(event.Body)
			d.query = addQuery(d.url, "bodySHA256", hex.EncodeToString(sum[:]))
		default:
			parameters, err = url.ParseQuery(string(event.Body))
		}
		if err != nil {
			return nil, fmt.Errorf("sign: %s sends a form: %w", d.preset.Name, err)
		}
		if d.query == "" {
			d.header.Set("Content-Type", formType)
		}
		content := verify.SignedURL(d.url, d.query) + sortedParameters(parameters)
		d.header.Set(header, base64.StdEncoding.EncodeToString(sha1MAC(event.Secret, content)))
		return d.request(), nil
	}
}

// addQuery returns the query of an address with one more parameter.
func addQuery(address, name, value string) string {
	pair := name + "=" + url.QueryEscape(value)
	if _, query, found := strings.Cut(address, "?"); found && query != "" {
		return query + "&" + pair
	}
	return pair
}

func sortedParameters(parameters url.Values) string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		for _, value := range slices.Compact(slices.Sorted(slices.Values(parameters[name]))) {
			text.WriteString(name + value)
		}
	}
	return text.String()
}

func sha1MAC(secret []byte, content string) []byte {
	h := hmac.New(sha1.New, secret)
	h.Write([]byte(content))
	return h.Sum(nil)
}

// flatFields are the members of a JSON object, as form parameters.
func flatFields(body []byte) (url.Values, error) {
	var fields map[string]any
	if err := json.Unmarshal(body, &fields); err != nil {
		return nil, err
	}
	values := url.Values{}
	for name, value := range fields {
		if text, ok := value.(string); ok {
			values.Set(name, text)
		}
	}
	return values, nil
}

// mandrillFields are one parameter with all events.
func mandrillFields(body []byte) (url.Values, error) {
	return url.Values{"mandrill_events": {string(body)}}, nil
}

// signBraintree sends an XML notification of the event type.
func signBraintree(d *draft, event Event) (*Request, error) {
	public := event.Options["publicKey"]
	if public == "" {
		return nil, errors.New("sign: braintree needs the option publicKey, which names the signature")
	}
	document := event.Body
	if document == nil {
		document = fmt.Appendf(nil, `<notification><kind>%s</kind><timestamp type="datetime">%s</timestamp>`+
			`<subject><subscription><id>%s</id><status>Active</status></subscription></subject></notification>`,
			firstOf(event.Type, "subscription_charged_successfully"), d.now.UTC().Format("2006-01-02T15:04:05Z"), d.id)
	}
	payload := base64.StdEncoding.EncodeToString(document) + "\n"
	secret := sha1.Sum(event.Secret) //nolint:gosec // the provider's key derivation
	d.header.Set("Content-Type", formType)
	d.body = []byte(url.Values{
		"bt_payload":   {payload},
		"bt_signature": {public + "|" + hex.EncodeToString(sha1MAC(secret[:], payload))},
	}.Encode())
	return d.request(), nil
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// signContentful signs method, path, some headers and the body.
func signContentful(d *draft, event Event) (*Request, error) {
	target, err := url.Parse(d.url)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	names := []string{"x-contentful-signed-headers", "x-contentful-timestamp", "x-contentful-topic"}
	d.header.Set("Content-Type", "application/vnd.contentful.management.v1+json")
	d.header.Set("X-Contentful-Signed-Headers", strings.Join(names, ","))
	d.header.Set("X-Contentful-Timestamp", fmt.Sprint(d.now.UnixMilli()))
	pairs := make([]string, len(names))
	for i, name := range names {
		pairs[i] = name + ":" + d.header.Get(name)
	}
	content := http.MethodPost + "\n" + target.RequestURI() + "\n" + strings.Join(pairs, ";") + "\n" + string(d.body)
	d.header.Set("X-Contentful-Signature", hex.EncodeToString(mac(event.Secret, content)))
	return d.request(), nil
}

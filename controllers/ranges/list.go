package ranges

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
)

// List is where a provider publishes its ranges, and how to read it.
type List struct {
	// URL is the document's address.
	URL string
	// read returns the ranges of the document as text.
	read func(document []byte) ([]string, error)
}

// lists are the providers with a documented, machine-readable list. A provider
// whose list also covers other senders, such as a whole cloud, is left out.
var lists = map[string]List{
	"bitbucket": {URL: "https://ip-ranges.atlassian.com/", read: atlassian("bitbucket")},
	"datadog":   {URL: "https://ip-ranges.datadoghq.com/", read: datadog},
	"github":    {URL: "https://api.github.com/meta", read: field("hooks")},
	"jira":      {URL: "https://ip-ranges.atlassian.com/", read: atlassian("jira")},
	"stripe":    {URL: "https://stripe.com/files/ips/ips_webhooks.json", read: field("WEBHOOKS")},
	"trello":    {URL: "https://ip-ranges.atlassian.com/", read: atlassian("trello")},
}

// Providers returns the names of the built-in lists, sorted.
func Providers() []string { return slices.Sorted(maps.Keys(lists)) }

// WithURLs returns the built-in lists with other addresses, and with further
// ones: the list of a provider that is not built in is a JSON array of ranges.
func WithURLs(urls map[string]string) map[string]List {
	all := maps.Clone(lists)
	for provider, url := range urls {
		list, known := all[provider]
		if !known {
			list.read = array
		}
		list.URL = url
		all[provider] = list
	}
	return all
}

func array(document []byte) ([]string, error) {
	var ranges []string
	return ranges, json.Unmarshal(document, &ranges)
}

// field reads an array of ranges that is a field of the document.
func field(name string) func([]byte) ([]string, error) {
	return func(document []byte) ([]string, error) {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(document, &fields); err != nil {
			return nil, err
		}
		if fields[name] == nil {
			return nil, fmt.Errorf("there is no field %q", name)
		}
		return array(fields[name])
	}
}

func datadog(document []byte) ([]string, error) {
	var published struct {
		Webhooks struct {
			IPv4 []string `json:"prefixes_ipv4"`
			IPv6 []string `json:"prefixes_ipv6"`
		} `json:"webhooks"`
	}
	err := json.Unmarshal(document, &published)
	return append(published.Webhooks.IPv4, published.Webhooks.IPv6...), err
}

// atlassian reads the ranges from which one product sends.
func atlassian(product string) func([]byte) ([]string, error) {
	return func(document []byte) ([]string, error) {
		var published struct {
			Items []struct {
				CIDR      string   `json:"cidr"`
				Product   []string `json:"product"`
				Direction []string `json:"direction"`
			} `json:"items"`
		}
		err := json.Unmarshal(document, &published)
		var ranges []string
		for _, item := range published.Items {
			if slices.Contains(item.Product, product) && slices.Contains(item.Direction, "egress") {
				ranges = append(ranges, item.CIDR)
			}
		}
		return ranges, err
	}
}

const (
	// maxRanges bounds a list; the route of every endpoint that uses it holds it.
	maxRanges = 2000
	// minBits is the widest range that is believed. A list that allows a large
	// part of the internet is a mistake or an attack, not a provider.
	minBits4 = 8
	minBits6 = 16
)

// parse reads a document completely or not at all.
func (l List) parse(document []byte) ([]netip.Prefix, error) {
	texts, err := l.read(document)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the list does not have the expected form: %w", err)
	case len(texts) == 0:
		return nil, errors.New("the list has no ranges")
	case len(texts) > maxRanges:
		return nil, fmt.Errorf("the list has %d ranges, at most %d are possible", len(texts), maxRanges)
	}
	prefixes := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		prefix, err := parsePrefix(text)
		if err != nil {
			return nil, err
		}
		prefixes = append(prefixes, prefix)
	}
	slices.SortFunc(prefixes, netip.Prefix.Compare)
	return slices.Compact(prefixes), nil
}

func parsePrefix(text string) (netip.Prefix, error) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		address, addressErr := netip.ParseAddr(text)
		if addressErr != nil || address.Zone() != "" {
			return prefix, fmt.Errorf("%q is neither a CIDR nor an address", text)
		}
		prefix = netip.PrefixFrom(address, address.BitLen())
	}
	if prefix.Addr().Is4In6() {
		return prefix, fmt.Errorf("%q is not a plain IPv4 or IPv6 range", text)
	}
	widest := minBits6
	if prefix.Addr().Is4() {
		widest = minBits4
	}
	if prefix.Bits() < widest {
		return prefix, fmt.Errorf("%q is wider than /%d and is not believed", text, widest)
	}
	return prefix.Masked(), nil
}

package compile

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/postern-dev/postern/api/v1alpha1"
)

// compileRanges writes every range as a prefix.
func compileRanges(result *Result, in Input) []string {
	var prefixes []string
	for i, text := range in.Endpoint.Spec.AllowedIPRanges {
		field := item("spec.allowedIPRanges", i)
		if provider, published := strings.CutPrefix(string(text), v1alpha1.ProviderRanges); published {
			prefixes = append(prefixes, publishedRanges(result, in.Ranges[provider], provider, field)...)
			continue
		}
		prefix, problem := parseRange(string(text))
		if problem != "" {
			result.refuse(v1alpha1.ReasonInvalidAddressRange, field, "%q %s", text, problem)
			continue
		}
		prefixes = append(prefixes, prefix.String())
	}
	return prefixes
}

// publishedRanges writes a provider's ranges. Without them there is no route:
// leaving the entry out would refuse the provider, or allow everybody.
func publishedRanges(result *Result, ranges Ranges, provider, field string) []string {
	switch {
	case ranges.Unknown:
		result.refuse(v1alpha1.ReasonInvalidAddressRange, field, "%s", ranges.Problem)
	case len(ranges.Prefixes) == 0:
		problem := ranges.Problem
		if problem == "" {
			problem = "the ranges of " + provider + " are not known"
		}
		result.refuse(v1alpha1.ReasonAddressRangesUnavailable, field, "%s", problem)
	}
	prefixes := make([]string, len(ranges.Prefixes))
	for i, prefix := range ranges.Prefixes {
		prefixes[i] = prefix.String()
	}
	return prefixes
}

// RangeProviders returns the providers whose published ranges an endpoint names.
func RangeProviders(endpoint *v1alpha1.WebhookEndpoint) []string {
	var providers []string
	for _, text := range endpoint.Spec.AllowedIPRanges {
		if provider, published := strings.CutPrefix(string(text), v1alpha1.ProviderRanges); published {
			providers = append(providers, provider)
		}
	}
	return providers
}

// parseRange reads a CIDR or an address, or says what is wrong with it.
func parseRange(text string) (prefix netip.Prefix, problem string) {
	if address, err := netip.ParseAddr(text); err == nil {
		if address.Is4In6() || address.Zone() != "" {
			return prefix, fmt.Sprintf("must be written without zone and not as IPv4 in IPv6, such as %s",
				address.Unmap().WithZone(""))
		}
		return netip.PrefixFrom(address, address.BitLen()), ""
	}
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return prefix, "must be a CIDR such as 192.30.252.0/22 or 2a0a:a440::/29, or a single address"
	case prefix.Addr().Is4In6():
		return prefix, "must not be written as IPv4 in IPv6: write the IPv4 range"
	case prefix != prefix.Masked():
		return prefix, fmt.Sprintf("must start at the first address of its range: write %s, or %s for that address alone",
			prefix.Masked(), prefix.Addr())
	}
	return prefix, ""
}

// item returns the path of an entry of a list.
func item(field string, index int) string { return fmt.Sprintf("%s[%d]", field, index) }

package compile

import (
	"fmt"
	"net/netip"

	"github.com/postern-dev/postern/api/v1alpha1"
)

// compileRanges writes every range as a prefix.
func compileRanges(result *Result, ranges []v1alpha1.IPRange) []string {
	var prefixes []string
	for i, text := range ranges {
		prefix, problem := parseRange(string(text))
		if problem != "" {
			result.refuse(v1alpha1.ReasonInvalidAddressRange, item("spec.allowedIPRanges", i), "%q %s", text, problem)
			continue
		}
		prefixes = append(prefixes, prefix.String())
	}
	return prefixes
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

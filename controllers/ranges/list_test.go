package ranges

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// The documents have the form that the providers document, shortened; the
// addresses are those reserved for documentation.
const (
	githubMeta = `{"verifiable_password_authentication":false,"hooks":["192.0.2.0/24","2001:db8::/32","192.0.2.0/24"],
		"web":["198.51.100.0/24"]}`
	stripeIPs    = `{"WEBHOOKS":["192.0.2.7","198.51.100.9"]}`
	atlassianIPs = `{"creationDate":"x","syncToken":1,"items":[
		{"network":"192.0.2.0","cidr":"192.0.2.0/28","product":["bitbucket","jira"],"direction":["egress"]},
		{"network":"198.51.100.0","cidr":"198.51.100.0/28","product":["bitbucket"],"direction":["ingress"]},
		{"network":"203.0.113.0","cidr":"203.0.113.0/28","product":["trello"],"direction":["ingress","egress"]}]}`
	datadogIPs = `{"version":1,"agents":{"prefixes_ipv4":["198.51.100.0/24"]},
		"webhooks":{"prefixes_ipv4":["192.0.2.1/32"],"prefixes_ipv6":["2001:db8::1/128"]}}`
)

func TestBuiltInLists(t *testing.T) {
	t.Parallel()
	documents := map[string]struct{ document, want string }{
		"bitbucket": {atlassianIPs, "192.0.2.0/28"},
		"datadog":   {datadogIPs, "192.0.2.1/32 2001:db8::1/128"},
		"github":    {githubMeta, "192.0.2.0/24 2001:db8::/32"},
		"jira":      {atlassianIPs, "192.0.2.0/28"},
		"stripe":    {stripeIPs, "192.0.2.7/32 198.51.100.9/32"},
		"trello":    {atlassianIPs, "203.0.113.0/28"},
	}
	for _, provider := range Providers() {
		t.Run(provider, func(t *testing.T) {
			t.Parallel()
			prefixes, err := lists[provider].parse([]byte(documents[provider].document))
			if err != nil {
				t.Fatal(err)
			}
			var texts []string
			for _, prefix := range prefixes {
				texts = append(texts, prefix.String())
			}
			if got := strings.Join(texts, " "); got != documents[provider].want {
				t.Errorf("got %s, want %s", got, documents[provider].want)
			}
			if !strings.HasPrefix(lists[provider].URL, "https://") {
				t.Errorf("%s is fetched without TLS", lists[provider].URL)
			}
		})
	}
}

// A list that is not beyond doubt is refused as a whole.
func TestDoubtfulListsAreRefused(t *testing.T) {
	t.Parallel()
	many := `["` + strings.Repeat(`192.0.2.1","`, maxRanges) + `192.0.2.2"]`
	for name, c := range map[string]struct{ document, want string }{
		"not JSON":              {`<html>`, "expected form"},
		"another form":          {`{"a":1}`, "expected form"},
		"empty":                 {`[]`, "no ranges"},
		"too many":              {many, "at most 2000"},
		"not a range":           {`["192.0.2.0/24","example.com"]`, "neither a CIDR nor an address"},
		"everybody":             {`["192.0.2.0/24","0.0.0.0/0"]`, "wider than /8"},
		"half of everybody":     {`["128.0.0.0/1"]`, "wider than /8"},
		"everybody by IPv6":     {`["::/0"]`, "wider than /16"},
		"IPv4 in IPv6":          {`["::ffff:192.0.2.0/120"]`, "not a plain"},
		"an address with zone":  {`["fe80::1%eth0"]`, "neither a CIDR"},
		"a range with zone":     {`["fe80::1%eth0/64"]`, "neither a CIDR"},
		"something before them": {`x["192.0.2.1"]`, "expected form"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list := WithURLs(map[string]string{"own": "https://example.com"})["own"]
			prefixes, err := list.parse([]byte(c.document))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v and %v, want an error about %q", prefixes, err, c.want)
			}
		})
	}
	if _, err := lists["github"].parse([]byte(`{"web":[]}`)); err == nil || !strings.Contains(err.Error(), `"hooks"`) {
		t.Errorf("got %v, want an error that names the missing field", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, document := range []string{githubMeta, stripeIPs, atlassianIPs, datadogIPs, `["192.0.2.1"]`, `[""]`, `null`} {
		f.Add([]byte(document))
	}
	all := WithURLs(map[string]string{"own": "https://example.com"})
	f.Fuzz(func(t *testing.T, document []byte) {
		for provider, list := range all {
			prefixes, err := list.parse(document)
			if err != nil {
				continue
			}
			if len(prefixes) == 0 || len(prefixes) > maxRanges || !slices.IsSortedFunc(prefixes, netip.Prefix.Compare) {
				t.Errorf("%s: %v", provider, prefixes)
			}
			for _, prefix := range prefixes {
				if prefix != prefix.Masked() || prefix.Bits() < minBits4 {
					t.Errorf("%s: accepted %s", provider, prefix)
				}
			}
		}
	})
}

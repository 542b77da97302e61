package header_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/postern-dev/postern/receiver/header"
)

// separators are the characters of a header's name that are neither letter nor
// digit (RFC 9110, 5.6.2).
const separators = "!#$%&'*+-.^_`|~"

// spellings returns the name with each separator, in each case.
func spellings(name string) []string {
	var all []string
	for _, separator := range separators {
		spelled := strings.ReplaceAll(name, "-", string(separator))
		all = append(all, spelled, strings.ToUpper(spelled), strings.ToLower(spelled))
	}
	return all
}

// TestNoSpellingOfAReservedNamePasses sends each name that Postern, a proxy or
// the connection sets, as servers that fold names would read it.
func TestNoSpellingOfAReservedNamePasses(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"Postern-Verified", "Postern-Event-Id", "Postern-Anything", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-Ip",
		"True-Client-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "Via", "Forwarded", "Host", "Content-Length",
		"Transfer-Encoding", "Connection", "Keep-Alive", "Te", "Trailer", "Upgrade", "Http2-Settings", "Expect",
		"Proxy-Authorization", "Proxy-Authenticate", "Proxy-Connection", "Traceparent", "Tracestate",
		"X-Gitlab-Token", "X-Listed", "X-Also-Listed",
	} {
		for _, spelled := range spellings(name) {
			original := http.Header{spelled: {"forged"}, "X-Kept": {"1"}}
			if name != "Connection" {
				original["Connection"] = []string{"close, x-listed", "X_Also.Listed"}
			}
			got := header.Forwardable(original, []string{"X-Gitlab-Token"})
			if len(got) != 1 || got.Get("X-Kept") == "" {
				t.Errorf("%s passes: %v", spelled, got)
			}
		}
	}
}

// TestOneSpellingOfAHeaderIsKept: a target that folds names must not find two
// values where the scheme has looked at one.
func TestOneSpellingOfAHeaderIsKept(t *testing.T) {
	t.Parallel()
	got := header.Forwardable(http.Header{
		"X-Github-Event": {"push"}, "X_github_event": {"forged"}, "X.github.event": {"forged"},
		"X_custom": {"1"}, "X.custom": {"2"}, "X_alone": {"3"},
	}, nil)
	want := http.Header{"X-Github-Event": {"push"}, "X.custom": {"2"}, "X_alone": {"3"}}
	if len(got) != len(want) {
		t.Errorf("kept are %v, want %v", got, want)
	}
	for name, values := range want {
		if !slices.Equal(got[name], values) {
			t.Errorf("%s is %v, want %v", name, got[name], values)
		}
	}
}

func TestRemoveTakesEverySpelling(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Webhook-Id", "Ce-Type", "Ce-Anything"} {
		for _, spelled := range spellings(name) {
			got := http.Header{spelled: {"forged"}, "Webhook-Ids": {"1"}, "Cedar": {"1"}}
			header.Remove(got, "Webhook-Id", "Ce-")
			if len(got) != 2 {
				t.Errorf("%s passes: %v", spelled, got)
			}
		}
	}
}

// FuzzForwardable holds that nothing passes whose folded name is reserved, and
// that values stay as they were sent.
func FuzzForwardable(f *testing.F) {
	f.Add("Postern.Verified", "X_Forwarded_For", "X-Token")
	f.Add("Connection", "X~Token", "x token")
	f.Fuzz(func(t *testing.T, first, second, credential string) {
		original := http.Header{first: {"1"}, second: {"2"}}
		for name, values := range header.Forwardable(original, []string{credential}) {
			folded := header.Fold(name)
			if strings.HasPrefix(folded, "postern-") || strings.HasPrefix(folded, "x-forwarded-") ||
				folded == header.Fold(strings.TrimSpace(credential)) {
				t.Errorf("%q passes", name)
			}
			if !slices.Equal(values, original[name]) {
				t.Errorf("%q became %q", original[name], values)
			}
		}
	})
}

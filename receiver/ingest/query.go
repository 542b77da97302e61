package ingest

import (
	"net/url"
	"slices"
	"strings"

	"github.com/postern-dev/postern/receiver/verify"
)

// forwardableQuery takes out the parameters that carry a secret of the scheme
// and leaves the rest as it was sent, byte for byte.
func forwardableQuery(rawQuery string, verifier verify.Verifier) string {
	credentials, ok := verifier.(verify.QueryCredentials)
	if !ok || rawQuery == "" {
		return rawQuery
	}
	names := credentials.CredentialParameters()
	if len(names) == 0 {
		return rawQuery
	}
	kept := slices.DeleteFunc(strings.Split(rawQuery, "&"), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		decoded, err := url.QueryUnescape(name)
		return err == nil && slices.Contains(names, decoded)
	})
	return strings.Join(kept, "&")
}

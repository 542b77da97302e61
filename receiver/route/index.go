package route

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
)

// IndexHash identifies a whole set of routes, given the hash of each by uid. A
// receiver that starts compares it with what it has loaded, so that it never
// takes half of a table for the whole.
func IndexHash(hashes map[string]string) string {
	digest := sha256.New()
	for _, uid := range slices.Sorted(maps.Keys(hashes)) {
		digest.Write([]byte(uid + "\x00" + hashes[uid] + "\x00"))
	}
	return hex.EncodeToString(digest.Sum(nil)[:16])
}

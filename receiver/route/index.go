package route

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
)

// IndexHash identifies a whole set of routes, given the hash of each by uid.
func IndexHash(hashes map[string]string) string {
	digest := sha256.New()
	for _, uid := range slices.Sorted(maps.Keys(hashes)) {
		digest.Write([]byte(uid + "\x00" + hashes[uid] + "\x00"))
	}
	return hex.EncodeToString(digest.Sum(nil)[:16])
}

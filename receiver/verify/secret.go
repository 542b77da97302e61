package verify

import "crypto/subtle"

// secretEqual is the one comparison of secrets, signatures and digests in this
// package. It takes the same time wherever the values differ.
func secretEqual[A, B ~string | ~[]byte](a A, b B) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

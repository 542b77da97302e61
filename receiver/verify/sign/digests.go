package sign

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // what the provider signs with
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// Providers that hash the key together with the request, and those that can be
// given any credential.

// signCloudinary hashes body, time and secret with SHA-1, Cloudinary's default.
func signCloudinary(d *draft, event Event) (*Request, error) {
	at := fmt.Sprint(d.now.Unix())
	sum := sha1.Sum([]byte(string(d.body) + at + string(event.Secret))) //nolint:gosec // see above
	d.header.Set("X-Cld-Timestamp", at)
	d.header.Set("X-Cld-Signature", hex.EncodeToString(sum[:]))
	return d.request(), nil
}

// signLark encrypts and signs with the encrypt key.
func signLark(d *draft, event Event) (*Request, error) {
	sealed, err := sealLark(event.Secret, d.body)
	if err != nil {
		return nil, err
	}
	if d.body, err = json.Marshal(map[string]string{"encrypt": sealed}); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	at, nonce := fmt.Sprint(d.now.Unix()), randomID()
	sum := sha256.Sum256([]byte(at + nonce + string(event.Secret) + string(d.body)))
	d.header.Set("X-Lark-Request-Timestamp", at)
	d.header.Set("X-Lark-Request-Nonce", nonce)
	d.header.Set("X-Lark-Signature", hex.EncodeToString(sum[:]))
	return d.request(), nil
}

// sealLark is AES-256-CBC under the SHA-256 of the key, after a random first block.
func sealLark(secret, body []byte) (string, error) {
	sum := sha256.Sum256(secret)
	block, err := aes.NewCipher(sum[:])
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	padding := aes.BlockSize - len(body)%aes.BlockSize
	plain := append(bytes.Clone(body), bytes.Repeat([]byte{byte(padding)}, padding)...)
	sealed := make([]byte, aes.BlockSize+len(plain))
	_, _ = rand.Read(sealed[:aes.BlockSize])
	iv := sealed[:aes.BlockSize]
	cipher.NewCBCEncrypter(block, iv).CryptBlocks( //nolint:gosec // the line before fills it with random bytes
		sealed[aes.BlockSize:], plain)
	return base64.StdEncoding.EncodeToString(sealed), nil
}

// authorize gives the credential as the endpoint expects it: in the header of
// the option header, as basic authentication, or as a bearer token.
func authorize(d *draft, event Event) (*Request, error) {
	secret := string(event.Secret)
	switch name := event.Options["header"]; {
	case name != "":
		d.header.Set(name, secret)
	case strings.Contains(secret, ":"):
		d.header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString(event.Secret))
	default:
		d.header.Set("Authorization", "Bearer "+secret)
	}
	return d.request(), nil
}

// signMollie signs as the webhooks of today are, not the classic ones.
func signMollie(d *draft, event Event) (*Request, error) {
	d.header.Set("X-Mollie-Signature", "sha256="+hex.EncodeToString(mac(event.Secret, string(d.body))))
	return d.request(), nil
}

package route_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/postern-dev/postern/receiver/route"
)

// wrapped keeps secrets where people keep them: embedded, behind pointers, in
// maps, slices and interfaces.
type wrapped struct {
	route.Key
	Pointer *route.SecretBytes
	Map     map[string]route.SecretBytes
	Any     any
}

func holders() map[string]any {
	secret := route.SecretBytes(currentKey)
	return map[string]any{
		"secret":      secret,
		"pointer":     &secret,
		"key":         full().Keys[0],
		"keys":        full().Keys,
		"target":      full().Targets[0],
		"endpoint":    *full(),
		"its pointer": full(),
		"wrapped": wrapped{
			Key: full().Keys[0], Pointer: &secret, Map: map[string]route.SecretBytes{"a": secret}, Any: secret,
		},
		"error": fmt.Errorf("key %v of %s", secret, secret),
	}
}

func assertNoSecret(t *testing.T, form, text string) {
	t.Helper()
	for _, secret := range []string{currentKey, previousKey, signingKey} {
		decimal := strings.Trim(fmt.Sprintf("%d", []byte(secret)), "[]")
		for _, shape := range []string{
			secret, hex.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte(secret)), decimal,
		} {
			if strings.Contains(strings.ToLower(text), strings.ToLower(shape)) {
				t.Errorf("%s shows a secret: %s", form, text)
			}
		}
	}
}

func TestSecretsAreRedactedByEveryVerb(t *testing.T) {
	t.Parallel()
	for name, value := range holders() {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%o", "%b", "%c", "%U", "%t"} {
			assertNoSecret(t, name+" "+verb, fmt.Sprintf(verb, value))
		}
	}
}

func TestSecretsAreRedactedByEncoders(t *testing.T) {
	t.Parallel()
	for name, value := range holders() {
		if data, err := json.Marshal(value); err != nil {
			t.Errorf("%s: %v", name, err)
		} else {
			assertNoSecret(t, name+" as JSON", string(data))
		}
	}
}

func TestSecretsAreRedactedByLogs(t *testing.T) {
	t.Parallel()
	for name, value := range holders() {
		var text bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("Loaded route", "value", value, slog.Group("g", "value", value))
		slog.New(slog.NewJSONHandler(&text, nil)).Info("Loaded route", "value", value, slog.Group("g", "value", value))
		assertNoSecret(t, name+" in a log", text.String())
	}
}

// The document itself is the one place where key material must be found.
func TestDocumentCarriesTheKeys(t *testing.T) {
	t.Parallel()
	text := string(marshal(t, full()))
	for _, secret := range []string{currentKey, previousKey, signingKey} {
		if !strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(secret))) {
			t.Errorf("%s is not in the document", secret)
		}
	}
}

// Embedding must not have the document encode itself as its endpoint does: a
// MarshalJSON of Endpoint would silently drop the keys.
func TestEndpointHasNoEncoderOfItsOwn(t *testing.T) {
	t.Parallel()
	if _, ok := any(full()).(json.Marshaler); ok {
		t.Error("Endpoint has MarshalJSON, which its document inherits")
	}
}

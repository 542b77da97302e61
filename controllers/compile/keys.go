package compile

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/receiver/route"
)

// maxKeyBytes is the largest key that is taken: an RSA key of 16,384 bits in PEM
// has a fifth of that. Every receiver holds every key.
const maxKeyBytes = 16 << 10

// tooLarge is the sentence about a value of so many bytes.
func tooLarge(key v1alpha1.SecretKey, secret string, bytes int) string {
	return fmt.Sprintf("key %q of Secret %s has %d bytes, at most %d are taken: put the key itself there",
		key, secret, bytes, maxKeyBytes)
}

// compileKeys sets the keys that requests are verified with. Without any, the
// route stays and answers that the secret is unavailable: to take it away would
// tell the provider that there is nothing here.
func compileKeys(result *Result, r *route.Endpoint, in Input, spec v1alpha1.WebhookEndpointSpec) {
	ref := spec.SecretRef
	if ref.Name == "" {
		return
	}
	if in.Secret == nil {
		result.report(v1alpha1.ConditionSecretsResolved, v1alpha1.ReasonSecretNotFound, "spec.secretRef.name",
			"there is no Secret %s in namespace %s: create it, requests are refused until then", ref.Name, r.Namespace)
		secretUnavailable(r, "there is no Secret "+ref.Name)
		return
	}
	r.SecretVersion = in.Secret.ResourceVersion
	for i, name := range ref.Keys {
		value, found := in.Secret.Data[string(name)]
		field := item("spec.secretRef.keys", i)
		switch {
		case !found && i > 0:
		case !found:
			result.report(v1alpha1.ConditionSecretsResolved, v1alpha1.ReasonKeyNotFound, field,
				"Secret %s has no key %q: add it, or list the key that holds the secret; %s", ref.Name, name, has(in.Secret))
		case len(value) > maxKeyBytes:
			result.report(v1alpha1.ConditionSecretsResolved, v1alpha1.ReasonInvalidSecret, field, "%s",
				tooLarge(name, ref.Name, len(value)))
		case len(bytes.TrimRight(value, "\r\n")) == 0:
			result.report(v1alpha1.ConditionSecretsResolved, v1alpha1.ReasonEmptySecret, field,
				"key %q of Secret %s is empty: an empty secret verifies nothing", name, ref.Name)
		default:
			r.Keys = append(r.Keys, route.Key{Name: string(name), Value: value})
		}
	}
	if len(r.Keys) == 0 {
		secretUnavailable(r, "Secret "+ref.Name+" has none of the keys")
	}
}

func secretUnavailable(r *route.Endpoint, message string) {
	r.Unavailable = &route.Unavailable{Reason: route.ReasonSecretUnavailable, Message: message}
}

// maxNamed is how many keys of a Secret a message names.
const maxNamed = 16

// has lists the keys that a Secret has, which are no secret.
func has(secret *corev1.Secret) string {
	if len(secret.Data) == 0 {
		return "it has no keys"
	}
	names := sortedKeys(secret.Data)
	if len(names) > maxNamed {
		names = append(names[:maxNamed], fmt.Sprintf("and %d more", len(names)-maxNamed))
	}
	return "it has " + strings.Join(names, ", ")
}

// signingPrefix stands before the base64 of a Standard Webhooks secret.
const signingPrefix = "whsec_"

// compileSigningKey sets the key that deliveries to the target are signed with.
// Without it events wait: a target that checks signatures would refuse them.
func compileSigningKey(result *Result, t *route.Target, in Input, field string, ref v1alpha1.SecretKeyReference) {
	if ref.Name == "" {
		return
	}
	field += ".signingSecretRef"
	report := func(reason, format string, args ...any) {
		result.report(v1alpha1.ConditionSecretsResolved, reason, field, format, args...)
		t.Unavailable = &route.Unavailable{
			Reason: route.ReasonSigningSecretUnavailable, Message: fmt.Sprintf(format, args...),
		}
	}
	secret := in.SigningSecrets[ref.Name]
	if secret == nil {
		report(v1alpha1.ReasonSecretNotFound, "there is no Secret %s in namespace %s: create it, events wait until then",
			ref.Name, in.Endpoint.Namespace)
		return
	}
	value, found := secret.Data[string(ref.Key)]
	text := strings.TrimSpace(string(value))
	if !found {
		report(v1alpha1.ReasonKeyNotFound, "Secret %s has no key %q; %s", ref.Name, ref.Key, has(secret))
		return
	}
	if len(value) > maxKeyBytes {
		report(v1alpha1.ReasonInvalidSecret, "%s", tooLarge(ref.Key, ref.Name, len(value)))
		return
	}
	if text == "" {
		report(v1alpha1.ReasonEmptySecret, "key %q of Secret %s is empty", ref.Key, ref.Name)
		return
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, signingPrefix))
	if err != nil || len(key) == 0 {
		report(v1alpha1.ReasonInvalidSecret, "key %q of Secret %s must be %s followed by base64, as Standard Webhooks has it",
			ref.Key, ref.Name, signingPrefix)
		return
	}
	t.SigningKey = key
	t.SigningKeyVersion = secret.ResourceVersion
}

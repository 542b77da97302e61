package compile

import (
	"errors"
	"slices"
	"strings"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
)

// noProvider is the provider that verifies nothing.
const noProvider = "none"

// compileSource sets who sends and how that is verified, keys aside.
func compileSource(result *Result, r *route.Endpoint, spec v1alpha1.WebhookEndpointSpec) {
	r.Source = route.Source{
		Provider:         spec.Source.Provider,
		Scheme:           compileScheme(spec.Source.Scheme),
		ToleranceSeconds: int64(spec.Source.ToleranceSeconds),
		Options:          compileOptions(spec.Source.Options),
		Enforcement:      route.Enforcement(spec.Source.Enforcement),
	}
	for _, method := range spec.Methods {
		r.Source.Methods = append(r.Source.Methods, string(method))
	}
	if (r.Source.Provider == "") == (r.Source.Scheme == nil) {
		result.refuse(v1alpha1.ReasonInvalidSpec, "spec.source", "exactly one of provider and scheme must be set")
		return
	}
	if err := verify.Check(r.Source); err != nil {
		refuseSource(result, r.Source, err)
		return
	}
	checkSecretNeed(result, r.Source, spec)
}

// checkSecretNeed makes verification never optional by accident.
func checkSecretNeed(result *Result, source route.Source, spec v1alpha1.WebhookEndpointSpec) {
	named := spec.SecretRef.Name != ""
	preset, builtIn := verify.Lookup(source.Provider)
	switch {
	case builtIn && preset.Secret == verify.SecretNone && named:
		result.refuse(v1alpha1.ReasonInvalidSpec, "spec.secretRef",
			"provider %s verifies nothing and takes no secret: remove secretRef, or name the provider that signs", preset.Name)
	case builtIn && preset.Secret == verify.SecretRequired && !named:
		result.refuse(v1alpha1.ReasonSecretRequired, "spec.secretRef",
			"provider %s signs with a secret: name the Secret that holds it", preset.Name)
	case !builtIn && !named:
		result.refuse(v1alpha1.ReasonSecretRequired, "spec.secretRef",
			"a scheme verifies with a key: name the Secret that holds it")
	}
	if source.Provider == noProvider && source.Enforcement == route.EnforcementAudit {
		result.refuse(v1alpha1.ReasonInvalidSpec, "spec.source.enforcement",
			"Audit has nothing to audit with provider none: remove it")
	}
}

// refuseSource reports an error of package verify about the source itself.
func refuseSource(result *Result, source route.Source, err error) {
	reason := v1alpha1.ReasonInvalidScheme
	if source.Scheme == nil {
		reason = v1alpha1.ReasonInvalidOptions
		if _, known := verify.Lookup(source.Provider); !known {
			reason = v1alpha1.ReasonUnknownProvider
		}
	}
	field, message := fieldOf(err)
	if strings.HasPrefix(field, "spec.methods") {
		reason = v1alpha1.ReasonInvalidSpec
	}
	result.refuse(reason, field, "%s", message)
}

// fieldOf splits an error of package verify into field and message.
func fieldOf(err error) (field, message string) {
	if key, ok := errors.AsType[*verify.KeyError](err); ok {
		return "spec.source." + key.Key, key.Problem
	}
	field, message, found := strings.Cut(err.Error(), ": ")
	if !found || !strings.HasPrefix(field, "source") && !strings.HasPrefix(field, "methods") {
		return "spec.source", err.Error()
	}
	return "spec." + field, message
}

// compileVerification has the receiver's own code look at source and keys
// together, so that what is accepted here is accepted there.
func compileVerification(result *Result, r *route.Endpoint, spec v1alpha1.WebhookEndpointSpec) {
	if !result.accepted() || r.Unavailable != nil {
		return
	}
	err := tryKeys(r, r.Keys)
	if err == nil {
		return
	}
	if !isAboutSecret(err, r.Keys) {
		refuseSource(result, r.Source, err)
		return
	}
	// One bad key must not take the good ones with it: that is how a rotation
	// that goes wrong stays without consequence.
	var good []route.Key
	for i, key := range r.Keys {
		if err := tryKeys(r, r.Keys[i:i+1]); err != nil {
			at := slices.Index(spec.SecretRef.Keys, v1alpha1.SecretKey(key.Name))
			result.report(v1alpha1.ConditionSecretsResolved, v1alpha1.ReasonInvalidSecret,
				item("spec.secretRef.keys", at), "Secret %s: %v", spec.SecretRef.Name, err)
			continue
		}
		good = append(good, key)
	}
	r.Keys = good
	if len(good) == 0 {
		secretUnavailable(r, "no key of Secret "+spec.SecretRef.Name+" can be used")
	}
}

// isAboutSecret tells errors of the Secret's keys from those of the spec, which
// may hold public keys too.
func isAboutSecret(err error, keys []route.Key) bool {
	bad, ok := errors.AsType[*verify.KeyError](err)
	return ok && slices.ContainsFunc(keys, func(key route.Key) bool { return key.Name == bad.Key })
}

func tryKeys(r *route.Endpoint, keys []route.Key) error {
	_, err := verify.Compile(verify.Config{Source: r.Source, Keys: keys, URL: r.URL})
	return err
}

func compileOptions(options map[string]v1alpha1.OptionValue) map[string]string {
	if len(options) == 0 {
		return nil
	}
	texts := make(map[string]string, len(options))
	for name, value := range options {
		texts[name] = string(value)
	}
	return texts
}

package verify_test

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
	"github.com/postern-dev/postern/receiver/verify/sign"
)

var signedAt = time.Date(2026, 3, 6, 12, 0, 0, 0, time.UTC)

// secrets are keys of the form that each provider gives out.
func secretOf(p verify.Preset, variant byte) string {
	switch {
	case p.Class == verify.ClassStatic && strings.Contains(" postmark sparkpost chargebee mixpanel ", " "+p.Name+" "):
		return "user:pass-" + string(variant)
	case p.Name == "gitlab":
		return "whsec_" + strings.Repeat(string(variant), 32)
	case p.Name == "supabase":
		return "v1,whsec_" + strings.Repeat(string(variant), 32)
	case len(p.Variants) == 0 && p.Name == "adyen-payments":
		return strings.Repeat("4"+string(variant), 32)
	case len(p.Variants) == 0:
		return "example-secret-" + string(variant)
	}
	scheme, _ := p.SchemeFor([]byte("probe"), nil)
	switch scheme.Key.Encoding {
	case route.EncodingHex:
		return strings.Repeat("4"+string(variant), 32)
	case route.EncodingBase64:
		return scheme.Key.StripPrefix + strings.Repeat(string(variant), 32)
	}
	return "example-secret-" + string(variant)
}

// private are signed with a private key, or need options: they have tests of
// their own.
const private = " discord telnyx sendgrid paypal aws-sns travis plaid google-pubsub oidc braintree "

// sendable are the presets whose requests can be built.
func sendable() []verify.Preset {
	return slices.DeleteFunc(verify.Presets(), func(p verify.Preset) bool {
		return p.Class == verify.ClassNone || !slices.Contains(sign.Providers(), p.Name)
	})
}

// signable are those that need a shared key and nothing else.
func signable(t *testing.T) []verify.Preset {
	t.Helper()
	return slices.DeleteFunc(sendable(), func(p verify.Preset) bool {
		return p.Secret == verify.SecretNone || strings.Contains(private, " "+p.Name+" ")
	})
}

func compile(t *testing.T, provider string, tolerance int64, secrets ...string) verify.Verifier {
	t.Helper()
	config := verify.Config{
		Source: route.Source{Provider: provider, ToleranceSeconds: tolerance},
		URL:    "https://hooks.example.com/team/" + provider,
	}
	for i, secret := range secrets {
		config.Keys = append(config.Keys, route.Key{Name: "key" + string(rune('0'+i)), Value: []byte(secret)})
	}
	v, err := verify.Compile(config)
	if err != nil {
		t.Fatalf("compile %s: %v", provider, err)
	}
	return v
}

func build(t *testing.T, provider, secret string) *verify.Request {
	t.Helper()
	r, err := sign.Build(sign.Event{Provider: provider, Secret: []byte(secret), Now: signedAt, ID: "0123456789"})
	if err != nil {
		t.Fatalf("build %s: %v", provider, err)
	}
	return &verify.Request{Method: r.Method, RawQuery: r.RawQuery, Header: r.Header, Body: r.Body, Now: signedAt}
}

func reasonOf(t *testing.T, err error) verify.Reason {
	t.Helper()
	var rejection *verify.Rejection
	if !errors.As(err, &rejection) {
		t.Fatalf("error %v is no rejection", err)
	}
	return rejection.Reason
}

func TestEveryPreset(t *testing.T) {
	t.Parallel()
	for _, p := range signable(t) {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			secret, other := secretOf(p, '1'), secretOf(p, '2')
			t.Run("accepts", func(t *testing.T) {
				verdict, err := compile(t, p.Name, 0, secret).Verify(t.Context(), build(t, p.Name, secret))
				if err != nil {
					t.Fatal(err)
				}
				if verdict.KeyName != "key0" || verdict.Handshake != nil {
					t.Errorf("verdict %+v, want key0 and no handshake", verdict)
				}
				if p.DeliveryID != "" && verdict.DeliveryID == "" {
					t.Errorf("no delivery id from %s", p.DeliveryID)
				}
			})
			t.Run("rotation", func(t *testing.T) {
				verdict, err := compile(t, p.Name, 0, other, secret).Verify(t.Context(), build(t, p.Name, secret))
				if err != nil || verdict.KeyName != "key1" {
					t.Errorf("got %+v, %v; want key1", verdict, err)
				}
			})
			t.Run("wrong key", func(t *testing.T) {
				_, err := compile(t, p.Name, 0, other).Verify(t.Context(), build(t, p.Name, secret))
				if reason := reasonOf(t, err); reason != verify.SignatureMismatch {
					t.Errorf("reason %s, want %s", reason, verify.SignatureMismatch)
				}
			})
			t.Run("missing proof", func(t *testing.T) {
				_, err := compile(t, p.Name, 0, secret).Verify(t.Context(), &verify.Request{
					Method: http.MethodPost, Header: http.Header{}, Body: []byte(`{"a":1}`), Now: signedAt,
				})
				if reason := reasonOf(t, err); reason != verify.SignatureMissing {
					t.Errorf("reason %s, want %s", reason, verify.SignatureMissing)
				}
			})
			if p.BodySigned || p.Name == "adyen-payments" {
				t.Run("tampered body", func(t *testing.T) { tamper(t, p, secret) })
			}
			if p.Tolerance > 0 {
				t.Run("time", func(t *testing.T) { wrongTime(t, p, secret) })
			}
			if len(p.Variants) > 0 && p.Class == verify.ClassHMAC {
				t.Run("malformed", func(t *testing.T) { malformed(t, p, secret) })
			}
		})
	}
}

// tamper changes one byte at several places.
func tamper(t *testing.T, p verify.Preset, secret string) {
	t.Helper()
	v := compile(t, p.Name, 0, secret)
	good := build(t, p.Name, secret)
	offsets := []int{0, len(good.Body) / 3, len(good.Body) / 2, len(good.Body) - 1}
	if p.Name == "github" {
		offsets = offsets[:0]
		for i := range good.Body {
			offsets = append(offsets, i)
		}
	}
	if p.Name == "adyen-payments" {
		offsets = []int{bytes.Index(good.Body, []byte("0123456789")), bytes.Index(good.Body, []byte("1130"))}
	}
	for _, i := range offsets {
		bad := *good
		bad.Body = bytes.Clone(good.Body)
		bad.Body[i] ^= 1
		if _, err := v.Verify(t.Context(), &bad); err == nil {
			t.Errorf("accepted with byte %d changed", i)
		}
	}
	longer := *good
	longer.Body = append(bytes.Clone(good.Body), '\n')
	if _, err := v.Verify(t.Context(), &longer); err == nil && p.Name != "adyen-payments" {
		t.Error("accepted with a line break appended")
	}
}

func wrongTime(t *testing.T, p verify.Preset, secret string) {
	t.Helper()
	v := compile(t, p.Name, 0, secret)
	for _, c := range []struct {
		name   string
		offset time.Duration
		ok     bool
	}{
		{"at the edge of the past", p.Tolerance, true},
		{"stale", p.Tolerance + time.Second, false},
		{"at the edge of the future", -p.FutureTolerance, true},
		{"future", -p.FutureTolerance - time.Second, false},
	} {
		request := build(t, p.Name, secret)
		request.Now = signedAt.Add(c.offset)
		_, err := v.Verify(t.Context(), request)
		if c.ok {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if err == nil || reasonOf(t, err) != verify.TimestampOutOfTolerance {
			t.Errorf("%s: got %v, want %s", c.name, err, verify.TimestampOutOfTolerance)
		}
	}
	request := build(t, p.Name, secret)
	request.Now = signedAt.Add(p.Tolerance + time.Hour)
	custom := compile(t, p.Name, int64((p.Tolerance+2*time.Hour)/time.Second), secret)
	if _, err := custom.Verify(t.Context(), request); err != nil {
		t.Errorf("toleranceSeconds does not win over the default: %v", err)
	}
}

// malformed breaks the signature header in every way that a lenient decoder
// would forgive, and doubles it.
func malformed(t *testing.T, p verify.Preset, secret string) {
	t.Helper()
	v := compile(t, p.Name, 0, secret)
	scheme, _ := p.SchemeFor([]byte(secret), nil)
	name := http.CanonicalHeaderKey(scheme.Signature.Headers[0])
	good := build(t, p.Name, secret).Header.Get(name)
	breaks := map[string]string{
		"cut": good[:len(good)-3], "longer": good + "00", "line break": good[:len(good)-4] + "\n" + good[len(good)-4:],
		"carriage return": good + "\r\n", "garbage": "garbage", "other version": "v9=" + good,
	}
	if scheme.Signature.Prefix != "" {
		breaks["no prefix"] = strings.Replace(good, scheme.Signature.Prefix, "", 1)
	}
	for what, value := range breaks {
		request := build(t, p.Name, secret)
		request.Header.Set(name, value)
		_, err := v.Verify(t.Context(), request)
		if what == "carriage return" && scheme.Signature.List != nil {
			continue // surrounding white space of an item is no part of it
		}
		if err == nil {
			t.Errorf("%s: accepted %q", what, value)
		} else if reason := reasonOf(t, err); reason != verify.SignatureMalformed && reason != verify.SignatureMissing &&
			!(what == "other version" && reason == verify.TimestampMissing) {
			t.Errorf("%s: reason %s for %q", what, reason, value)
		}
	}
	if scheme.Signature.List != nil {
		return
	}
	request := build(t, p.Name, secret)
	request.Header.Add(name, good)
	if _, err := v.Verify(t.Context(), request); err == nil || reasonOf(t, err) != verify.SignatureMalformed {
		t.Errorf("two signature headers: got %v, want %s", err, verify.SignatureMalformed)
	}
}

// TestEveryPresetSaysWhatAnEventIs: a row without one of these facts would
// promise what is not known of its provider.
func TestEveryPresetSaysWhatAnEventIs(t *testing.T) {
	t.Parallel()
	identities := []verify.Identity{verify.IdentityID, verify.IdentityRequest, verify.IdentityNone}
	evidence := []verify.Evidence{
		verify.EvidenceDocumented, verify.EvidenceSDK, verify.EvidenceObserved, verify.EvidenceInferred,
	}
	retriedBy := []verify.RetriedBy{verify.RetriedByProvider, verify.RetriedByHand, verify.RetriedByNever}
	bytes := []verify.RetryBytes{verify.RetryBytesIdentical, verify.RetryBytesResigned, verify.RetryBytesUnknown}
	for _, p := range verify.Presets() {
		for field, said := range map[string]bool{
			"identity": slices.Contains(identities, p.Identity), "evidence": slices.Contains(evidence, p.Evidence),
			"retries.by": slices.Contains(retriedBy, p.Retries.By), "retries.bytes": slices.Contains(bytes, p.Retries.Bytes),
			"sources": len(p.Sources) > 0,
		} {
			if !said {
				t.Errorf("%s does not say its %s", p.Name, field)
			}
		}
		for _, source := range p.Sources {
			if !strings.HasPrefix(source, "https://") {
				t.Errorf("%s: the source %q is no page", p.Name, source)
			}
		}
		if p.Identity == verify.IdentityID && (p.DeliveryID == "" || p.Evidence == verify.EvidenceInferred) {
			t.Errorf("%s would drop events by an id that is absent or only inferred", p.Name)
		}
		if p.Identity == verify.IdentityNone && len(p.DistinguishedBy) > 0 {
			t.Errorf("%s tells events apart by %s, and has no identity", p.Name, p.DistinguishedBy)
		}
		if p.Window() < p.Tolerance+p.FutureTolerance {
			t.Errorf("%s takes requests that are older than its marks", p.Name)
		}
	}
}

// TestRetriesOfTheSameBytesAreInTime: for as long as the provider retries, and
// never for longer than ids are remembered.
func TestRetriesOfTheSameBytesAreInTime(t *testing.T) {
	t.Parallel()
	widened := 0
	for _, p := range signable(t) {
		if p.Retries.Bytes != verify.RetryBytesIdentical || p.Tolerance == 0 || p.Retries.For == 0 {
			continue
		}
		widened++
		for name, c := range map[string]struct {
			window, age time.Duration
			ok          bool
		}{
			"the last retry":         {0, p.Retries.For, true},
			"a day later":            {0, p.Retries.For + 24*time.Hour, false},
			"without deduplication":  {-1, p.Retries.For, false},
			"past the window":        {p.Retries.For / 2, p.Retries.For, false},
			"within a short window":  {p.Retries.For / 2, p.Retries.For / 4, true},
			"at once, without marks": {-1, time.Second, true},
		} {
			v, err := verify.Compile(verify.Config{
				Source: route.Source{Provider: p.Name}, URL: "https://hooks.example.com/team/" + p.Name, Window: c.window,
				Keys: []route.Key{{Name: "k", Value: []byte(secretOf(p, '1'))}},
			})
			if err != nil {
				t.Fatal(err)
			}
			request := build(t, p.Name, secretOf(p, '1'))
			request.Now = signedAt.Add(c.age)
			if _, err := v.Verify(t.Context(), request); (err == nil) != c.ok {
				t.Errorf("%s, %s: got %v, want in time: %v", p.Name, name, err, c.ok)
			}
		}
	}
	if widened == 0 {
		t.Error("no provider retries with the same bytes; the test shows nothing")
	}
}

package provision_test

import (
	"strings"
	"testing"

	"github.com/postern-dev/postern/controllers/provision"
)

func TestParseFillsInWhatIsLeftOut(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"{}", `{"spec":{"replicas":1}}`, "spec:\n  logLevel: Debug\n"} {
		receiver, err := provision.Parse(text, "hooks")
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		got := receiver.GetAPIVersion() + " " + receiver.GetKind() + " " + receiver.GetNamespace() + "/" + receiver.GetName()
		if want := "hooks.postern.dev/v1alpha1 WebhookReceiver hooks/default"; got != want {
			t.Errorf("%s: is %s, want %s", text, got, want)
		}
	}
}

func TestParseKeepsOnlyWhatIsWritten(t *testing.T) {
	t.Parallel()
	receiver, err := provision.Parse(`{"metadata":{"name":"edge"},"spec":{"replicas":0},"status":{"replicas":3}}`, "hooks")
	if err != nil {
		t.Fatal(err)
	}
	spec, _ := receiver.Object["spec"].(map[string]any)
	if len(spec) != 1 || spec["replicas"] == nil || receiver.GetName() != "edge" {
		t.Errorf("the receiver is %v", receiver.Object)
	}
	if _, found := receiver.Object["status"]; found {
		t.Error("a status was kept")
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"no object", "[]", "not a WebhookReceiver"},
		{"not YAML", "{", "not a WebhookReceiver"},
		{"unknown field", `{"spec":{"replica":1}}`, `unknown field "spec.replica"`},
		{"wrong type", `{"spec":{"replicas":"three"}}`, "replicas"},
		{"other namespace", `{"metadata":{"namespace":"ci"}}`, `"ci": receivers live in the system namespace, "hooks"`},
		{"other kind", `{"apiVersion":"hooks.postern.dev/v1alpha1","kind":"WebhookEndpoint"}`, "it is a WebhookEndpoint"},
		{"other version", `{"apiVersion":"hooks.postern.dev/v1","kind":"WebhookReceiver"}`, "hooks.postern.dev/v1alpha1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := provision.Parse(c.text, "hooks")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want %q in it", err, c.want)
			}
		})
	}
}

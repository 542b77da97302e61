package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/verify"
)

func TestProvidersWritesThePage(t *testing.T) {
	t.Parallel()
	page := filepath.Join(t.TempDir(), "providers.md")
	var blank strings.Builder
	for _, part := range []string{"count", "providers", "identities", "handshakes", "aliases", "unconfirmed", "steps"} {
		blank.WriteString(markerBegin(part) + "\nstale\n" + markerEnd + "\n\nBy hand.\n\n")
	}
	write(t, page, blank.String())
	presets := []verify.Preset{
		{
			Name: "acme", DisplayName: "Acme", Aliases: []string{"acme-corp"}, DocsURL: "https://docs.example",
			Class: verify.ClassHMAC, BodySigned: true, Headers: []string{"X-Acme"}, Methods: []string{"POST", "GET"},
			DeliveryID: "{header:X-Id} | {json:id}", Retries: verify.Retries{For: 5 * 24 * time.Hour}, AckLimit: 90 * time.Second,
			Secret: verify.SecretRequired, NeededOptions: []verify.Option{{Name: "must"}},
			OptionalOptions: []verify.Option{{Name: "may"}}, Handshake: "GET | echo", Unconfirmed: "the header",
			Identity: verify.IdentityID, Evidence: verify.EvidenceDocumented,
			DistinguishedBy: []string{"{header:X-Topic}"}, Sources: []string{"https://docs.example/ids"},
			SetUp: []string{"Do this."},
		},
		{Name: "plain", DisplayName: "Plain", Class: verify.ClassNone, Secret: verify.SecretNone,
			Identity: verify.IdentityNone, Retries: verify.Retries{By: verify.RetriedByNever}},
	}
	if err := providers(page, presets); err != nil {
		t.Fatal(err)
	}
	first := read(t, page)
	for _, want := range []string{
		"2 providers, known under 3 names; 1 of them with a handshake.",
		"| [`acme`](#acme) | HMAC | yes | `X-Acme` | required, **`must`**, `may` | " +
			"`{header:X-Id}`, `{json:id}` | no | 5 d | 90 s |",
		"| None | no |  | no secret |  | no | 3 d |  |",
		`| ` + "`acme`" + ` | POST, GET | GET \| echo |`,
		"| `acme` | `acme-corp` |",
		"| `acme` | the header |",
		"| `acme` | ID | header X-Id or body field id; header X-Topic | Documented | by the provider, for 5 days |",
		"| `plain` | None | nothing: each request is an event of its own, unless deduplication.key says otherwise |  | " +
			"never |",
		"### acme\n\n[Acme](https://docs.example)\n\nTold apart by header X-Id or body field id; header X-Topic. " +
			"Retried by the provider, for 5 days. " +
			"A duplicate: a retry of an event that was accepted before; it is not delivered again. " +
			"Known from [1](https://docs.example/ids).\n\n1. Do this.\n- `must`: \n- `may`: \n",
		"By hand.",
	} {
		if !strings.Contains(first, want) {
			t.Errorf("page lacks %q:\n%s", want, first)
		}
	}
	if strings.Contains(first, "stale") || strings.Count(first, "`plain`") != 2 || strings.Count(first, "### plain") != 1 {
		t.Errorf("page is not as it should be:\n%s", first)
	}
	if err := providers(page, presets); err != nil {
		t.Fatal(err)
	}
	if read(t, page) != first {
		t.Error("a second run changed the page")
	}
	if err := providers(filepath.Join(t.TempDir(), "none.md"), presets); err == nil {
		t.Error("a page that is not there is no error")
	}
}

// TestTheCommittedPageIsCurrent needs no `make verify`: a row that changed
// without its page fails here.
func TestTheCommittedPageIsCurrent(t *testing.T) {
	t.Parallel()
	committed := read(t, "../../docs/providers.md")
	page := filepath.Join(t.TempDir(), "providers.md")
	write(t, page, committed)
	if err := providers(page, verify.Presets()); err != nil {
		t.Fatal(err)
	}
	if read(t, page) != committed {
		t.Error("docs/providers.md differs from the presets: run `make docs`")
	}
}

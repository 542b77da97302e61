package verifycmd_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/postern-dev/postern/cli/clitest"
	"github.com/postern-dev/postern/cli/exit"
)

// vector is one request as receiver/verify records them.
type vector struct {
	Provider    string
	Case        string
	Secret      any
	PublicKey   string            `json:"public_key"`
	SecretExtra map[string]string `json:"secret_extra"`
	Headers     map[string]string
	URL         string
	Method      string
	Body        []byte `json:"body_base64"`
	NowUnix     int64  `json:"now_unix"`
	ToleranceS  int64  `json:"tolerance_s"`
	Expect      string
}

// optionOf names the option that a vector's public key stands for; all others
// call it publicKey.
var optionOf = map[string]string{
	"aws-sns": "certificate", "paypal": "certificate", "google-pubsub": "jwks", "plaid": "jwks",
	"webhook_id": "webhookID", "audience": "audience", "email": "email",
}

func (v *vector) commandLine(t *testing.T) []string {
	t.Helper()
	folder := t.TempDir()
	line := []string{"verify", "--provider", v.Provider, "--method", v.Method}
	var secrets []string
	switch secret := v.Secret.(type) {
	case string:
		secrets = append(secrets, secret)
	case []any:
		for _, one := range secret {
			secrets = append(secrets, one.(string))
		}
	}
	for i, secret := range secrets {
		line = append(line, "--secret-file", clitest.WriteFile(t, folder, fmt.Sprint("key", i), secret+"\n"))
	}
	if v.PublicKey != "" {
		line = append(line, "--option", option(v.Provider)+"="+v.PublicKey)
	}
	for name, value := range v.SecretExtra {
		line = append(line, "--option", option(name)+"="+value)
	}
	for name, value := range v.Headers {
		line = append(line, "--header", name+": "+value)
	}
	if v.URL != "" {
		line = append(line, "--url", v.URL)
	}
	now := v.NowUnix
	if now == 0 {
		now = 1_780_000_000
	}
	line = append(line, "--at", fmt.Sprint(now), "--tolerance-seconds", fmt.Sprint(v.ToleranceS))
	return append(line, "--body-file", clitest.WriteFile(t, folder, "body", string(v.Body)))
}

func option(name string) string {
	if known, found := optionOf[name]; found {
		return known
	}
	return "publicKey"
}

func TestVectors(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../receiver/verify/testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors {
		t.Run(v.Provider+"/"+v.Case, func(t *testing.T) {
			t.Parallel()
			got := clitest.Run(t, v.commandLine(t)...)
			want, result := exit.OK, "verified"
			if v.Expect == "reject" {
				want, result = exit.Failure, "rejected"
			}
			var answer struct{ Result, Reason string }
			if err := json.Unmarshal([]byte(got.Stdout), &answer); err != nil {
				t.Fatalf("output is %q (%v), standard error %q", got.Stdout, err, got.Stderr)
			}
			if got.Status != want || answer.Result != result || (answer.Reason == "") != (result == "verified") {
				t.Errorf("status is %d and output %s, want status %d and %s", got.Status, got.Stdout, want, result)
			}
		})
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	slackKey := clitest.WriteFile(t, folder, "slack", "8f742231b10e8888abcd99yyyzzz85a5\n")
	slackBody := clitest.WriteFile(t, folder, "slack.json",
		`{"type":"url_verification","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}`)
	key := clitest.WriteFile(t, folder, "token", "s3cret\n")
	scheme := clitest.WriteFile(t, folder, "scheme.yaml", `
algorithm: Token
signature: {headers: [X-Token]}
id: {json: delivery.id}
eventType: {header: X-Event}
`)
	body := clitest.WriteFile(t, folder, "body.json", `{"delivery":{"id":"d-1"}}`)
	for _, test := range []struct {
		name   string
		line   []string
		status int
		stdout string
	}{
		{
			"a scheme of one's own",
			[]string{"--scheme-file", scheme, "--secret-file", key, "--header", "x-token: s3cret",
				"--header", "X-Event: made", "--body-file", body},
			exit.OK,
			`{"result":"verified","key":"token","deliveryId":"d-1","eventType":"made"}`,
		},
		{
			"a missing header",
			[]string{"--scheme-file", scheme, "--secret-file", key, "--body-file", body},
			exit.Failure,
			`{"result":"rejected","reason":"signature_missing"`,
		},
		{
			"a provider without secret",
			[]string{"--provider", "none"},
			exit.OK,
			`{"result":"verified"}`,
		},
		{
			"a stale timestamp",
			[]string{"--provider", "slack", "--secret-file", slackKey, "--body-file", slackBody, "--at", "1700001000",
				"--header", "X-Slack-Request-Timestamp: 1700000000",
				"--header", "X-Slack-Signature: v0=" + strings.Repeat("0", 64)},
			exit.Failure,
			`{"result":"rejected","reason":"`,
		},
		{
			"a handshake in the query",
			[]string{"--provider", "dropbox", "--secret-file", key, "--method", "GET",
				"--url", "https://hooks.example.com/ci/dropbox?challenge=abc"},
			exit.OK,
			`{"result":"handshake","response":{"status":200,"headers":{`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := clitest.Run(t, append([]string{"verify"}, test.line...)...)
			if got.Status != test.status || !strings.HasPrefix(got.Stdout, test.stdout) || got.Stderr != "" {
				t.Errorf("status %d, output %s, standard error %q; want status %d and %s",
					got.Status, got.Stdout, got.Stderr, test.status, test.stdout)
			}
			if strings.Count(got.Stdout, "\n") != 1 || strings.Contains(got.Stdout, "s3cret") {
				t.Errorf("output is %q, want one line without the secret", got.Stdout)
			}
		})
	}
}

// TestHint recognises a body that lost its last byte on the way to a file.
func TestHint(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	key := clitest.WriteFile(t, folder, "key", "s3cret\n")
	body := "{\"zen\": \"Keep it\"}\n"
	mac := hmac.New(sha256.New, []byte("s3cret"))
	mac.Write([]byte(body))
	got := clitest.Run(t, "verify", "--provider", "github", "--secret-file", key,
		"--header", "X-Hub-Signature-256: sha256="+hex.EncodeToString(mac.Sum(nil)),
		"--body-file", clitest.WriteFile(t, folder, "body", strings.TrimSpace(body)))
	var answer struct {
		Reason, Hint string
		Findings     []struct{ Cause, Text string }
	}
	if err := json.Unmarshal([]byte(got.Stdout), &answer); err != nil || got.Status != exit.Failure {
		t.Fatalf("status %d, output %s (%v)", got.Status, got.Stdout, err)
	}
	if answer.Reason != "signature_mismatch" || len(answer.Findings) != 1 || answer.Hint != answer.Findings[0].Text ||
		!strings.Contains(answer.Findings[0].Cause, "newline") {
		t.Errorf("answer is %+v, want the missing newline named", answer)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	key := clitest.WriteFile(t, folder, "key", "s3cret")
	broken := clitest.WriteFile(t, folder, "broken.yaml", "algorithm: Token\nsignatures: {}\n")
	nonsense := clitest.WriteFile(t, folder, "nonsense.yaml", "algorithm: ROT13\nsignature: {headers: [A]}\n")
	for name, test := range map[string]struct{ line, want string }{
		"nothing":            {"", "provider scheme-file"},
		"both":               {"--provider github --scheme-file " + broken, "scheme-file"},
		"unknown provider":   {"--provider githup --secret-file " + key, "github"},
		"no secret":          {"--provider github", "secret"},
		"unknown field":      {"--scheme-file " + broken + " --secret-file " + key, "signatures"},
		"unknown algorithm":  {"--scheme-file " + nonsense + " --secret-file " + key, "ROT13"},
		"missing scheme":     {"--scheme-file " + folder + "/none --secret-file " + key, "--scheme-file"},
		"unknown option":     {"--provider github --option a=b --secret-file " + key, "a"},
		"bad header":         {"--provider none --header nocolon", "--header"},
		"bad url":            {"--provider none --url nourl", "--url"},
		"bad time":           {"--provider none --at soon", "--at"},
		"negative tolerance": {"--provider none --tolerance-seconds -1", "--tolerance-seconds"},
		"argument":           {"--provider none extra", "extra"},
		"unknown flag":       {"--provider none --nonsense", "--nonsense"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := clitest.Run(t, append([]string{"verify"}, strings.Fields(test.line)...)...)
			if got.Status != exit.Usage || got.Stdout != "" || !strings.Contains(got.Stderr, test.want) {
				t.Errorf("status %d, output %q, standard error %q; want status 2 and an error about %q",
					got.Status, got.Stdout, got.Stderr, test.want)
			}
		})
	}
}

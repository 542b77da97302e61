//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/postern-dev/postern/test/e2e/wire"
	"github.com/postern-dev/postern/test/kube"
)

const (
	service = "http://postern-receiver.postern-system.svc.cluster.local"
	// The paths of endpoints.
	github = namespace + "/github"
	stripe = namespace + "/stripe"
)

// body holds what a re-serialisation would change.
const body = `{"ref":"refs\/heads\/main",  "n": 1.0, "é":"\u00e9<>&"}` + "\n"

// sent is what the receiver answered.
type sent struct {
	Code   int
	Status string `json:"status"`
	ID     string `json:"id"`
	Error  string `json:"error"`
}

// send sends an event to the endpoint of a path; the receiver must answer.
func (s *suite) send(t *testing.T, path, provider, secret, id string) sent {
	t.Helper()
	answer := s.post(t, service+"/"+path, provider, secret, id)
	if answer.Code == 0 {
		t.Fatalf("the receiver does not answer: %s", answer.Error)
	}
	return answer
}

// post lets `postern send` inside the cluster sign and post an event. Without an
// answer the code is 0 and the error what it complained of.
func (s *suite) post(t *testing.T, url, provider, secret, id string) sent {
	t.Helper()
	order, err := json.Marshal(wire.Run{
		Arguments: []string{
			"send", provider, "--secret-file", "secret", "--url", url, "--body-file", "body", "--id", id, "--output", "json",
		},
		Files: map[string][]byte{"secret": []byte(secret), "body": []byte(body)},
	})
	must(t, err)
	data, err := s.agent("POST", "run").Body(order).DoRaw(t.Context())
	must(t, err)
	var result wire.Result
	must(t, json.Unmarshal(data, &result))
	var printed struct {
		Status int    `json:"status"`
		Body   string `json:"body"`
	}
	if err := json.Unmarshal([]byte(result.Output), &printed); err != nil {
		return sent{Error: result.Complaint}
	}
	answer := sent{Code: printed.Status}
	if err := json.Unmarshal([]byte(printed.Body), &answer); err != nil {
		t.Fatalf("the receiver answered %d %q, which is not its JSON", printed.Status, printed.Body)
	}
	return answer
}

// accept sends a GitHub event that must be accepted, and returns its id.
func (s *suite) accept(t *testing.T, id string) string {
	t.Helper()
	answer := s.send(t, github, "github", s.secret, id)
	if answer.Code != 200 || answer.Status != "accepted" {
		t.Fatalf("event %s: the receiver answered %+v, want 200 accepted", id, answer)
	}
	return answer.ID
}

// delivered waits until events are at the target, each once and unchanged.
func (s *suite) delivered(t *testing.T, ids ...string) {
	t.Helper()
	must(t, kube.Until(t.Context(), "deliveries", patience, func(context.Context) error {
		events := s.events(t)
		for _, id := range ids {
			if len(events[id]) == 0 {
				return errors.New("event " + id + " has not arrived")
			}
		}
		return nil
	}))
	events := s.events(t)
	for _, id := range ids {
		if got := string(events[id][0].Body); got != body {
			t.Errorf("event %s changed on its way: %q", id, got)
		}
	}
}

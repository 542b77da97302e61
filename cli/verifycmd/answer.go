package verifycmd

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/postern-dev/postern/receiver/verify"
	"github.com/postern-dev/postern/receiver/verify/diagnose"
)

// answer is the JSON object of the command.
type answer struct {
	// Result is verified, rejected or handshake.
	Result string `json:"result"`
	// Reason and Detail say why a request is rejected.
	Reason verify.Reason `json:"reason,omitempty"`
	Detail string        `json:"detail,omitempty"`
	// Hint tells what would have matched, Findings the same for programs.
	Hint     string             `json:"hint,omitempty"`
	Findings []diagnose.Finding `json:"findings,omitempty"`
	// Key names the file whose secret matched.
	Key        string `json:"key,omitempty"`
	DeliveryID string `json:"deliveryId,omitempty"`
	EventType  string `json:"eventType,omitempty"`
	// Response is what a handshake is answered with.
	Response *response `json:"response,omitempty"`
}

type response struct {
	Status  int         `json:"status"`
	Headers http.Header `json:"headers,omitempty"`
	// Body is the text; BodyBase64 takes its place when it is none.
	Body       string `json:"body,omitempty"`
	BodyBase64 []byte `json:"bodyBase64,omitempty"`
}

func rejectedAnswer(rejection *verify.Rejection, findings []diagnose.Finding) answer {
	texts := make([]string, len(findings))
	for i, finding := range findings {
		texts[i] = finding.Text
	}
	return answer{
		Result: "rejected", Reason: rejection.Reason, Detail: rejection.Detail,
		Hint: strings.Join(texts, "; "), Findings: findings,
	}
}

func acceptedAnswer(verdict verify.Verdict) answer {
	said := answer{
		Result: "verified", Key: verdict.KeyName, DeliveryID: verdict.DeliveryID, EventType: verdict.EventType,
	}
	if verdict.Handshake == nil {
		return said
	}
	said.Result = "handshake"
	said.Response = &response{Status: verdict.Handshake.Status, Headers: verdict.Handshake.Header}
	if utf8.Valid(verdict.Handshake.Body) {
		said.Response.Body = string(verdict.Handshake.Body)
	} else {
		said.Response.BodyBase64 = verdict.Handshake.Body
	}
	return said
}

package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"time"

	"github.com/postern-dev/postern/test/local"
)

// answer is what the receiver said.
type answer struct {
	code   int
	Status string `json:"status"`
	ID     string `json:"id"`
	Error  string `json:"error"`
}

func (a answer) String() string {
	if a.Error != "" {
		return fmt.Sprintf("%d %s", a.code, a.Error)
	}
	return fmt.Sprintf("%d %s", a.code, a.Status)
}

// is says whether the answer is as expected, by status code and word.
func (a answer) is(code int, word string) error {
	if a.code == code && (a.Status == word || a.Error == word) {
		return nil
	}
	return fmt.Errorf("the receiver answered %s, want %d %s", a, code, word)
}

// send lets `postern send` build, sign and post an event.
func (s *stage) send(ctx context.Context, provider, endpoint, body, id, event string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	file, err := s.write("body.json", []byte(body))
	if err != nil {
		return answer{}, err
	}
	arguments := []string{
		"send", provider, "--secret-file", s.path(provider + ".secret"), "--url", s.public + endpoint,
		"--body-file", file, "--event", event, "--output", "json",
	}
	if id != "" {
		arguments = append(arguments, "--id", id)
	}
	var out, log bytes.Buffer
	command := exec.CommandContext(ctx, local.Absolute(s.postern), arguments...)
	command.Stdout, command.Stderr = &out, &log
	runErr := command.Run() // a refusal exits non-zero and still prints the answer
	var sent struct {
		Status int    `json:"status"`
		Body   string `json:"body"`
	}
	if err := json.NewDecoder(&out).Decode(&sent); err != nil {
		return answer{}, fmt.Errorf("postern send %s said %q: %w", provider, log.String(), errors.Join(err, runErr))
	}
	return parse(sent.Status, []byte(sent.Body))
}

// gitHubRequest is a signed push, made here and not by Postern: two independent
// programs agree on the signature.
type gitHubRequest struct {
	secret, id, body string
	client           string // the address that the proxy in front saw; empty for none
}

func (s *stage) postGitHub(ctx context.Context, g gitHubRequest) (answer, error) {
	mac := hmac.New(sha256.New, []byte(g.secret))
	mac.Write([]byte(g.body))
	url := s.public + "/ci/github"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(g.body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-GitHub-Event", "push")
	request.Header.Set("X-GitHub-Delivery", g.id)
	request.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	if g.client != "" {
		request.Header.Set("X-Forwarded-For", g.client)
	}
	code, body, err := s.do(request)
	if err != nil {
		return answer{}, err
	}
	return parse(code, []byte(body))
}

func parse(code int, body []byte) (answer, error) {
	a := answer{code: code}
	if err := json.Unmarshal(body, &a); err != nil {
		return a, fmt.Errorf("the receiver answered %d with %q, which is not its JSON", code, body)
	}
	return a, nil
}

func (s *stage) get(ctx context.Context, url string) (int, string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	return s.do(request)
}

// do returns status and body of the answer.
func (s *stage) do(request *http.Request) (int, string, error) {
	response, err := s.http.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

package redistest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"
)

// Do runs one command and returns its reply as text.
func (s *Server) Do(t testing.TB, args ...string) string {
	t.Helper()
	reply, err := s.ask(args)
	if err != nil {
		t.Fatalf("redis %v: %v", args, err)
	}
	return reply
}

func (s *Server) ask(args []string) (string, error) {
	client, err := s.dial()
	if err != nil {
		return "", err
	}
	defer client.Close()
	reply, err := client.Do(context.Background(), client.B().Arbitrary(args...).Build()).ToAny()
	if err != nil && !rueidis.IsRedisNil(err) {
		return "", err
	}
	return fmt.Sprint(reply), nil
}

// Await polls a command until its reply contains the text. Errors are asked
// again: a server that changes its role ends all its connections.
func (s *Server) Await(t testing.TB, text string, args ...string) {
	t.Helper()
	deadline := time.After(startDeadline)
	retry := time.NewTicker(5 * time.Millisecond)
	defer retry.Stop()
	for {
		reply, err := s.ask(args)
		if err == nil && strings.Contains(reply, text) {
			return
		}
		select {
		case <-retry.C:
		case <-deadline:
			t.Fatalf("redis %v still replies %q and %v after %s, want %q", args, reply, err, startDeadline, text)
		}
	}
}

// Client connects to the server; the caller closes the client.
func (s *Server) Client(t testing.TB) rueidis.Client {
	t.Helper()
	client, err := s.dial()
	if err != nil {
		t.Fatalf("connecting to redis-server: %v", err)
	}
	return client
}

func (s *Server) dial() (rueidis.Client, error) {
	option, err := rueidis.ParseURL(s.URL())
	if err != nil {
		return nil, err
	}
	option.ForceSingleClient = true
	option.DisableCache = true
	option.DisableRetry = true
	option.PipelineMultiplex = -1
	option.Username = s.username
	option.ClientSetInfo = rueidis.DisableClientSetInfo
	return rueidis.NewClient(option)
}

// await polls until the server answers or is gone.
func (s *Server) await(t testing.TB) {
	t.Helper()
	deadline := time.After(startDeadline)
	retry := time.NewTicker(5 * time.Millisecond)
	defer retry.Stop()
	for {
		if s.ping() == nil {
			return
		}
		select {
		case <-retry.C:
		case <-s.exited:
			t.Fatalf("redis-server ended at once:\n%s", s.output.String())
		case <-deadline:
			t.Fatalf("redis-server does not answer after %s", startDeadline)
		}
	}
}

func (s *Server) ping() error {
	client, err := s.dial()
	if err != nil {
		return err
	}
	defer client.Close()
	return client.Do(context.Background(), client.B().Ping().Build()).Error()
}

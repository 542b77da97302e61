package redistest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/redis/rueidis"

	"github.com/postern-dev/postern/test/wait"
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
	wait.For(t, fmt.Sprintf("redis %v", args), func() error {
		reply, err := s.ask(args)
		if err == nil && !strings.Contains(reply, text) {
			err = fmt.Errorf("the reply is %q, want %q", reply, text)
		}
		return err
	})
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
	option.Dialer.Timeout, option.ConnWriteTimeout = wait.Patience, wait.Patience
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
	wait.For(t, "the answer of redis-server", func() error {
		select {
		case <-s.exited:
			t.Fatalf("redis-server ended at once:\n%s", s.output.String())
		default:
		}
		return s.ping()
	})
}

func (s *Server) ping() error {
	client, err := s.dial()
	if err != nil {
		return err
	}
	defer client.Close()
	return client.Do(context.Background(), client.B().Ping().Build()).Error()
}

package queue_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/acl"
	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/test/wait"
)

func TestWeakSettingsAreRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, value, want string
	}{
		{"appendonly", "no", "yes"},
		{"appendfsync", "everysec", "always"},
		{"no-appendfsync-on-rewrite", "yes", "no"},
		{"maxmemory-policy", "allkeys-lru", "noeviction"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, redistest.WithArgs("--"+test.name, test.value))
			store := open(t, server, queue.Options{})
			err := store.Check(t.Context())
			settings, ok := errors.AsType[*queue.SettingsError](err)
			if !ok || len(settings.Wrong) != 1 {
				t.Fatalf("Check returned %v, want one wrong setting", err)
			}
			if got := settings.Wrong[0]; got.Name != test.name || got.Value != test.value || got.Want != test.want {
				t.Errorf("Check found %+v", got)
			}
			if !strings.Contains(err.Error(), test.name+` is "`+test.value+`"`) {
				t.Errorf("the message is %q", err)
			}
			wantUnavailable(t, store)
			if err := store.Health(t.Context()); !errors.As(err, &settings) {
				t.Errorf("Health returned %v, want the settings", err)
			}
			if store.Weak() != nil {
				t.Error("what is refused is reported as accepted")
			}
		})
	}
}

func TestWeakSettingsCanBeAccepted(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.WithArgs("--appendfsync", "everysec"))
	store := open(t, server, queue.Options{AllowWeakDurability: true})
	if err := store.Check(t.Context()); err != nil {
		t.Fatalf("Check: %v", err)
	}
	mustAdmit(t, store, admission(numbered(1), 0))
	if weak := store.Weak(); weak == nil || weak.Wrong[0].Name != "appendfsync" {
		t.Errorf("Weak returned %v, want appendfsync", weak)
	}
}

// TestNothingIsAcknowledgedByAServerThatTurnedWeak: the poll is an hour away, so
// that it is the new connections that have the settings read; not one event may
// be acknowledged before that.
func TestNothingIsAcknowledgedByAServerThatTurnedWeak(t *testing.T) {
	t.Parallel()
	for name, weaken := range map[string]func(*testing.T, *redistest.Server){
		"restart": func(t *testing.T, server *redistest.Server) { server.Restart(t, "--appendfsync", "no") },
		"reconnect": func(t *testing.T, server *redistest.Server) {
			server.Do(t, "CONFIG", "SET", "appendfsync", "everysec")
			server.Do(t, "CLIENT", "KILL", "TYPE", "normal")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			store := open(t, server, queue.Options{})
			mustAdmit(t, store, admission(numbered(1), 0))
			weaken(t, server)
			wait.For(t, "the store", func() error {
				receipt, err := store.Admit(t.Context(), admission(queue.NewID(), 0))
				if err == nil {
					t.Fatalf("a weak store acknowledged: %+v", receipt)
				}
				if _, found := errors.AsType[*queue.SettingsError](err); !found {
					return err
				}
				return nil
			})
			server.Do(t, "CONFIG", "SET", "appendfsync", "always")
			wait.For(t, "the store", func() error { return store.Check(t.Context()) })
			wait.For(t, "the store", func() error {
				_, err := store.Admit(t.Context(), admission(numbered(1), 0))
				return err
			})
		})
	}
}

func TestChangedSettingsAreFoundByPolling(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := open(t, server, queue.Options{PollInterval: 5 * time.Millisecond})
	server.Do(t, "CONFIG", "SET", "appendfsync", "everysec")
	wait.For(t, "the store", func() error {
		if store.Health(t.Context()) == nil {
			return errors.New("the changed setting is not found out")
		}
		return nil
	})
	server.Do(t, "CONFIG", "SET", "appendfsync", "always")
	wait.For(t, "the store", func() error { return store.Health(t.Context()) })
}

func TestSettingsThatMayNotBeReadAreAnError(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	server.Do(t, append([]string{"ACL", "SETUSER", "blind", "on", "nopass"}, acl.Rules...)...)
	server.Do(t, "ACL", "SETUSER", "blind", "-config|get")
	store := open(t, server, queue.Options{Username: "blind"})
	err := store.Check(t.Context())
	if !errors.Is(err, queue.ErrUnavailable) || !strings.Contains(err.Error(), "CONFIG GET must be permitted") {
		t.Errorf("Check returned %v", err)
	}
	wantUnavailable(t, store)
	lenient := open(t, server, queue.Options{Username: "blind", AllowWeakDurability: true})
	mustAdmit(t, lenient, admission(numbered(1), 0))
}

func TestUserMayDoNothingElse(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	server.Do(t, append([]string{"ACL", "SETUSER", acl.Username, "on", "nopass"}, acl.Rules...)...)
	for _, command := range [][]string{
		{"FLUSHALL"},
		{"KEYS", "*"},
		{"CONFIG", "SET", "appendfsync", "no"},
		{"ACL", "LIST"},
		{"DEBUG", "SLEEP", "1"},
		{"SHUTDOWN"},
		{"REPLICAOF", "NO", "ONE"},
		{"GET", "of-somebody-else"},
		{"PUBLISH", "p:channel", "x"},
		{"SCRIPT", "FLUSH"},
	} {
		reply := server.Do(t, append([]string{"ACL", "DRYRUN", acl.Username}, command...)...)
		if !strings.Contains(reply, "no permissions") {
			t.Errorf("%v: %s, want it forbidden", command, reply)
		}
	}
}

func TestBadURLs(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"", "unix://", "http://user:hunter2@host", "redis://user:hunter2@host/one/two", "redis://:hunter2@%zz",
		"redis://", "rediss://:hunter2@:6379",
	} {
		store, err := queue.NewRedis(t.Context(), queue.Options{URL: url})
		if err == nil {
			store.Close()
			t.Errorf("NewRedis(%q) succeeded", url)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "unix:///path/to/socket") {
			t.Errorf("NewRedis(%q): %v", url, err)
		}
	}
}

func TestTCPWithPassword(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.WithTCP(t))
	server.Do(t, append([]string{"ACL", "SETUSER", "remote", "on", ">hunter2"}, acl.Rules...)...)
	server.Do(t, append([]string{"ACL", "SETUSER", "remote"}, acl.ExternalRules...)...)
	url := server.TCPURL()
	store := open(t, server, queue.Options{URL: url, Username: "remote", Password: "hunter2"})
	mustAdmit(t, store, admission(numbered(1), 0))

	wrong := open(t, server, queue.Options{URL: url, Username: "remote", Password: "wrong"})
	wantUnavailable(t, wrong)
	if err := wrong.Check(t.Context()); !strings.Contains(err.Error(), "WRONGPASS") {
		t.Errorf("Check returned %v, want the server's reason", err)
	}
}

package queue_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/test/wait"
)

func TestTLSBelievesOnlyTheGivenAuthority(t *testing.T) {
	t.Parallel()
	authority, another := redistest.NewAuthority(t), redistest.NewAuthority(t)
	server := redistest.Start(t, redistest.WithTLS(t, authority, "no"))
	store := open(t, nil, queue.Options{URL: server.TCPURL(), TLSDir: authority.Dir()})
	mustAdmit(t, store, admission(numbered(1), 0))
	for name, dir := range map[string]string{"the system's": "", "another": another.Dir()} {
		stranger := open(t, nil, queue.Options{URL: server.TCPURL(), TLSDir: dir})
		wantUnavailable(t, stranger)
		if err := stranger.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "unknown authority") {
			t.Errorf("%s: Check returned %v, want the reason", name, err)
		}
	}
}

func TestTLSWithSentinel(t *testing.T) {
	t.Parallel()
	authority := redistest.NewAuthority(t)
	primary := redistest.Start(t, redistest.WithTLS(t, authority, "no"))
	watcher := redistest.StartWatcher(t, primary)
	store := open(t, nil, queue.Options{
		URL: watcher.TCPURL() + "?master_set=" + redistest.PrimaryName, TLSDir: authority.Dir(),
		AllowWeakDurability: true, // there is no replica
	})
	mustAdmit(t, store, admission(numbered(1), 0))
}

// TestTLSCertificatesAreRenewed: the client's own certificate and the authority
// change in place, as a mounted Secret does.
func TestTLSCertificatesAreRenewed(t *testing.T) {
	t.Parallel()
	authority, dir := redistest.NewAuthority(t), t.TempDir()
	server := redistest.Start(t, redistest.WithTLS(t, authority, "yes"))
	redistest.NewAuthority(t).Copy(t, dir)
	store := open(t, nil, queue.Options{URL: server.TCPURL(), TLSDir: dir, PollInterval: 10 * time.Millisecond})
	wantUnavailable(t, store)
	authority.Copy(t, dir)
	wait.For(t, "the store", func() error {
		_, err := store.Admit(t.Context(), admission(numbered(1), 0))
		return err
	})
}

func TestBadCertificatesAreRefusedAtStart(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		url, file, content, want string
	}{
		"nothing there":     {"rediss://store:6379", "", "", "neither ca.crt nor"},
		"no certificate":    {"rediss://store:6379", "ca.crt", "hello", "no PEM certificate"},
		"no key":            {"rediss://store:6379", "tls.crt", "hello", "tls.key"},
		"not TLS":           {"redis://store:6379", "ca.crt", "hello", "rediss://"},
		"everybody is fine": {"rediss://store:6379?skip_verify=true", "ca.crt", "hello", "skip_verify"},
	} {
		dir := t.TempDir()
		if test.file != "" {
			if err := os.WriteFile(filepath.Join(dir, test.file), []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		store, err := queue.NewRedis(t.Context(), queue.Options{URL: test.url, TLSDir: dir})
		if err == nil {
			store.Close()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: NewRedis returned %v, want %q in it", name, err, test.want)
		}
	}
}

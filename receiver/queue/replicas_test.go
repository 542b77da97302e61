package queue_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/acl"
	"github.com/postern-dev/postern/receiver/queue/queuetest"
	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/test/wait"
)

// startReplicated starts a primary and its replica, in step.
func startReplicated(t *testing.T) (primary, replica *redistest.Server) {
	t.Helper()
	primary = redistest.Start(t, redistest.WithTCP(t), redistest.WithArgs("--repl-diskless-sync-delay", "0"))
	host, port, _ := strings.Cut(strings.TrimPrefix(primary.TCPURL(), "redis://"), ":")
	replica = redistest.Start(t, redistest.WithArgs("--replicaof", host+" "+port))
	primary.Await(t, "state=online", "INFO", "replication")
	return primary, replica
}

func TestReplicatedStoreConforms(t *testing.T) {
	t.Parallel()
	primary, _ := startReplicated(t)
	queuetest.Run(t, func(t *testing.T, clock func() time.Time) queue.Store {
		return open(t, primary, queue.Options{Clock: clock})
	})
}

// TestAcknowledgedMeansReplicated: a copy of an event whose first answer was no
// acknowledgement must not be told "duplicate" before a replica has it either.
func TestAcknowledgedMeansReplicated(t *testing.T) {
	t.Parallel()
	primary, replica := startReplicated(t)
	hurried := queue.Options{StepTimeout: time.Second}
	store, another := open(t, primary, hurried), open(t, primary, hurried)
	wait.For(t, "the store", func() error {
		_, err := store.Admit(t.Context(), admission(numbered(1), 0))
		return err
	})
	if got := replica.Do(t, "EXISTS", fmt.Sprintf("p:{%s}:e:%s", uid, numbered(1))); got != "1" {
		t.Errorf("EXISTS at the replica is %s right after the acknowledgement, want 1", got)
	}

	replica.Pause(t)
	again := admission(numbered(2), 0)
	again.ReplayMark = "body"
	for _, asked := range []*queue.Redis{store, another} {
		if receipt, err := asked.Admit(t.Context(), again); !errors.Is(err, queue.ErrUnavailable) {
			t.Errorf("Admit returned %+v and %v, want ErrUnavailable while the replica confirms nothing", receipt, err)
		}
	}
	wait.For(t, "the store", func() error {
		if receipt, err := store.Admit(t.Context(), again); !errors.Is(err, queue.ErrUnavailable) {
			t.Fatalf("Admit returned %+v and %v, want ErrUnavailable again", receipt, err)
		}
		if primary.Do(t, "EXISTS", fmt.Sprintf("p:{%s}:e:%s", uid, numbered(2))) != "1" {
			return errors.New("the primary has not stored it")
		}
		return nil
	})
	replica.Resume(t)
	wait.For(t, "the store", func() error {
		receipt, err := store.Admit(t.Context(), again)
		if err == nil && !receipt.Duplicate {
			t.Fatal("an event that was stored is admitted a second time")
		}
		return err
	})
}

func TestReplicaThatIsGoneIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	primary, replica := startReplicated(t)
	store := open(t, primary, queue.Options{StepTimeout: time.Second, PollInterval: 10 * time.Millisecond})
	wait.For(t, "the store", func() error {
		_, err := store.Admit(t.Context(), admission(numbered(1), 0))
		return err
	})
	replica.Kill(t)
	wait.For(t, "the store", func() error {
		_, err := store.Admit(t.Context(), admission(queue.NewID(), 0))
		return err
	})
}

func TestReplicasNeedTheRightToWait(t *testing.T) {
	t.Parallel()
	primary, _ := startReplicated(t)
	primary.Do(t, append([]string{"ACL", "SETUSER", "remote", "on", "nopass"}, acl.Rules...)...)
	store := open(t, primary, queue.Options{Username: "remote"})
	if err := store.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "WAIT must be permitted") {
		t.Errorf("Check returned %v, want what is missing", err)
	}
	primary.Do(t, append([]string{"ACL", "SETUSER", "remote"}, acl.ExternalRules...)...)
	if err := store.Check(t.Context()); err != nil {
		t.Errorf("Check: %v", err)
	}
	mustAdmit(t, store, admission(numbered(1), 0))
}

package fault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/postern-dev/postern/test/chaos/history"
	"github.com/postern-dev/postern/test/chaos/traffic"
	"github.com/postern-dev/postern/test/chaos/world"
)

// F14: the log is damaged while nobody looks.
var (
	TornTail = &Kind{
		Name: "F14 torn end of the log", Lane: Processes, Excuses: duplicates, AtBegin: true, Inject: tornTail,
	}
	FlippedBits = &Kind{
		Name: "F14 flipped bits in bodies", Lane: Processes, Inject: flippedBits,
		Excuses: []history.Excuse{history.ExcuseDuplicates, history.ExcuseCorruption},
	}
	BrokenFraming = &Kind{
		Name: "F14 broken log", Lane: Processes, Excuses: duplicates, Inject: brokenFraming,
	}
)

// unfinished is the begin of a transaction that was being written when the power
// went: nobody was told that it is done.
const unfinished = "*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$12\r\np:unfinished\r\n$4\r\nlost\r\n*1\r\n$4\r\nEXEC\r\n"

// tail is the file that the server appends to.
func tail(s *world.Store) (string, error) {
	paths, err := filepath.Glob(filepath.Join(s.Dir, "appendonlydir", "*.incr.aof"))
	if err == nil && len(paths) == 0 {
		err = errors.New("the store has no log")
	}
	if err != nil {
		return "", err
	}
	newest := slices.MaxFunc(paths, func(a, b string) int { return int(modified(a) - modified(b)) })
	return newest, nil
}

func modified(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.ModTime().UnixMicro()
}

// down stops receiver and store for a while in which the log can be changed.
func (i *Injection) down(s *world.Store, change func(path string) error) error {
	for _, r := range i.World.Receivers {
		r.Hold()
		defer r.Release()
		r.Kill()
	}
	s.Hold()
	defer s.Release()
	s.Kill()
	path, err := tail(s)
	if err != nil {
		return err
	}
	return change(path)
}

func tornTail(ctx context.Context, i *Injection) error {
	s, length := i.store(), 1+i.Chance.IntN(len(unfinished)-1)
	i.Begin(s.Name, "%d bytes of a transaction", length)
	err := i.down(s, func(path string) error {
		file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = file.WriteString(unfinished[:length])
		return errors.Join(err, file.Close())
	})
	return errors.Join(err, i.World.AwaitReady(healing(ctx)))
}

const (
	// gathering is how long events queue up to be damaged.
	gathering = time.Second
	// damaged is how many.
	damaged = 5
)

// flippedBits changes a bit in bodies that wait for their targets.
func flippedBits(ctx context.Context, i *Injection) error {
	s := i.store()
	i.Begin(s.Name, "in %d events", damaged)
	i.behave(traffic.Behaviour{Kind: traffic.Fail, Status: 503})
	defer i.mend(i.Targets...)
	path, err := tail(s)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	rest(ctx, gathering)
	flipped := 0
	err = i.down(s, func(now string) error {
		if now != path {
			return nil // the log was rewritten meanwhile: which events wait is not known
		}
		flipped, err = flip(path, info.Size())
		return err
	})
	if err := errors.Join(err, i.World.AwaitReady(healing(ctx))); err != nil || flipped == 0 {
		return err
	}
	i.mend(i.Targets...)
	return i.World.AwaitDead(healing(ctx), i.Endpoints, "corrupt")
}

// flip changes a letter in some bodies behind an offset and returns in how many.
func flip(path string, offset int64) (int, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	word, flipped := []byte("quick"), 0
	for at := int(offset); flipped < damaged; flipped++ {
		next := bytes.Index(content[at:], word)
		if next < 0 {
			break
		}
		content[at+next] ^= 1
		// The next one is in another event.
		at += next + 4096
		if at >= len(content) {
			break
		}
	}
	return flipped, os.WriteFile(path, content, 0o600) //nolint:gosec // the path is of a folder of this run
}

// refusing is how long the server is watched to refuse a broken log.
const refusing = 1500 * time.Millisecond

// brokenFraming must keep the server from starting: what follows the damage
// cannot be read, and going on without it would lose events silently.
func brokenFraming(ctx context.Context, i *Injection) error {
	s := i.store()
	i.Begin(s.Name, "a command in the middle")
	s.MayEnd(true)
	defer s.MayEnd(false)
	var path string
	var whole []byte
	err := i.down(s, func(at string) (err error) {
		path = at
		if whole, err = os.ReadFile(at); err != nil {
			return err
		}
		middle := bytes.Index(whole[len(whole)/2:], []byte("\r\n*"))
		if middle < 0 {
			return errors.New("the log is too short to be broken in the middle")
		}
		broken := bytes.Clone(whole)
		broken[len(whole)/2+middle+2] = '?'
		return os.WriteFile(at, broken, 0o600)
	})
	if err != nil {
		return err
	}
	rest(ctx, refusing)
	var wrong error
	for _, r := range i.World.Receivers {
		if r.Ready(healing(ctx)) {
			wrong = fmt.Errorf("%s is ready although the log of its store is broken", r.Name)
		}
	}
	s.Hold()
	s.Kill()
	err = os.WriteFile(path, whole, 0o600)
	s.Release()
	return errors.Join(wrong, err, i.World.AwaitReady(healing(ctx)))
}

// behave has every target do the same.
func (i *Injection) behave(behaviour traffic.Behaviour) {
	for _, t := range i.Targets {
		t.Behave(traffic.Share{Behaviour: behaviour, Weight: 1})
	}
}

package world

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/test/chaos/history"
	"github.com/postern-dev/postern/test/chaos/proxy"
	"github.com/postern-dev/postern/test/chaos/shim"
	"github.com/postern-dev/postern/test/local"
)

// Keeper is the user of the harness at a store: faults need commands that the
// receiver's own user may not run.
const Keeper = "chaos"

var keeperRules = []string{"--user", Keeper, "on", "nopass", "~*", "&*", "+@all"}

// Store is one redis-server, and the proxy through which receivers reach it.
type Store struct {
	*Unit
	// Gate is nil for stores that are found by Sentinel.
	Gate *proxy.Proxy
	// Page is nil without the shim.
	Page *shim.Page
	// Dir holds the append-only file.
	Dir string
	// Port is 0 for a store on a socket.
	Port int

	network, address string
}

// storeFiles are where a store lives.
type storeFiles struct{ run, data string }

func (w *World) newStore(name string, port int, args []string) (*Store, error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, fmt.Errorf("%w: hack/redis installs it", err)
	}
	files := storeFiles{run: filepath.Join(w.run, name), data: filepath.Join(w.run, name, "data")}
	if w.options.DataDir != "" {
		files.data = filepath.Join(w.options.DataDir, name)
	}
	if err := errors.Join(os.MkdirAll(files.run, 0o700), os.MkdirAll(files.data, 0o700)); err != nil {
		return nil, err
	}
	s := &Store{Dir: files.data, Port: port}
	s.network, s.address = "unix", filepath.Join(files.run, "redis.sock")
	if port != 0 {
		s.network, s.address = "tcp", address(port)
	}
	args = local.Relocate(args, "/run/postern", files.run, "/data", files.data)
	args = slices.Concat(args, w.options.StoreArgs, keeperRules)
	if w.options.Topology == Sentinel {
		if args, err = configured(args, files.run); err != nil {
			return nil, err
		}
	}
	var env []string
	if w.options.Shim != nil {
		if s.Page, err = w.options.Shim.Page(filepath.Join(files.run, "page")); err != nil {
			return nil, err
		}
		if err := s.Page.Ahead(w.options.Ahead); err != nil {
			return nil, err
		}
		env = s.Page.Env()
	}
	if err := s.gate(w, files.run); err != nil {
		return nil, err
	}
	s.Unit = newUnit(name, w.options.Folder, w.options.History, func() (local.Command, error) {
		return local.Command{Program: program, Args: args, Env: env}, nil
	}, s.answers)
	return s, nil
}

// gate puts the proxy where the receiver looks for the store.
func (s *Store) gate(w *World, run string) error {
	if w.options.Topology == Sentinel {
		return nil
	}
	at := filepath.Join(run, "gate.sock")
	if s.Port != 0 {
		at = "127.0.0.1:0"
	}
	var err error
	s.Gate, err = proxy.Listen(s.network, at, s.address)
	return err
}

// URL is where receivers find the store.
func (s *Store) URL() string {
	if s.Port != 0 {
		return "redis://" + s.Gate.Address()
	}
	return "unix://" + s.Gate.Address()
}

// Do runs one command as the harness.
func (s *Store) Do(ctx context.Context, command ...string) (string, error) {
	return ask(ctx, s.network, s.address, []string{"AUTH", Keeper, "none"}, command)
}

func (s *Store) answers(ctx context.Context) error {
	reply, err := s.Do(ctx, "PING")
	if err == nil && reply != "PONG" {
		err = errors.New("it answers PING with " + reply)
	}
	return err
}

func (s *Store) close() {
	s.Unit.close()
	if s.Gate != nil {
		s.Gate.Close()
	}
	if s.Page != nil {
		s.Page.Close()
	}
}

// durable are a store's settings where no Deployment says them.
func durable(port int) []string {
	return []string{
		"--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", "/data",
		"--appendonly", "yes", "--appendfsync", "always", "--no-appendfsync-on-rewrite", "no",
		"--save", "", "--maxmemory", "268435456", "--maxmemory-policy", "noeviction", "--io-threads", "1",
		// A replica must not throw away what it has because a link was down for a moment.
		"--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1",
	}
}

// configured puts arguments into a file, because Sentinel has a server keep its
// role in the one that it was started with.
func configured(args []string, run string) ([]string, error) {
	var b strings.Builder
	for i, arg := range args {
		name, isName := strings.CutPrefix(arg, "--")
		switch {
		case isName && i > 0:
			b.WriteString("\n" + name)
		case isName:
			b.WriteString(name)
		default:
			b.WriteString(" " + cmp.Or(arg, `""`))
		}
	}
	path := filepath.Join(run, "redis.conf")
	return []string{path}, os.WriteFile(path, []byte(b.String()+"\n"), 0o600)
}

// Empty removes the store's files, as the end of its volume does. The store must
// not run.
func (s *Store) Empty() error {
	return errors.Join(os.RemoveAll(s.Dir), os.MkdirAll(s.Dir, 0o700))
}

// toldWithin bounds how long a store is asked for its memory: one that stands
// still must not hold up the look at the others.
const toldWithin = 300 * time.Millisecond

// memory adds the store's own account of its memory.
func (s *Store) memory(ctx context.Context, into map[string]float64) {
	ctx, cancel := context.WithTimeout(ctx, toldWithin)
	defer cancel()
	info, err := s.Do(ctx, "INFO", "memory")
	if err != nil {
		return
	}
	var used, most float64
	for line := range strings.SplitSeq(info, "\n") {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		number, _ := strconv.ParseFloat(value, 64) // others are not looked at
		switch name {
		case "used_memory":
			used = number
		case "maxmemory":
			most = number
		}
	}
	into[history.ValueStoreMemory] = used
	if most > 0 {
		into[history.ValueStoreUsed] = 100 * used / most
	}
}

// values are what the store uses.
func (s *Store) values(ctx context.Context, into map[string]float64) {
	if !s.away() {
		s.memory(ctx, into)
	}
	var bytes int64
	_ = filepath.WalkDir(s.Dir, func(_ string, entry os.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // a file that a rewrite has just removed
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			bytes += info.Size()
		}
		return nil
	})
	into[history.ValueStoreDisk] = float64(bytes)
}

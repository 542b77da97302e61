package traffic

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postern-dev/postern/test/chaos/history"
)

// headerTimeout bounds the headers of a request; a receiver that was killed
// never sends the rest.
const headerTimeout = 10 * time.Second

// TargetOptions configure a [Target].
type TargetOptions struct {
	// Name is namespace/endpoint/target.
	Name string
	// Address is where to listen; port 0 means any free one.
	Address string
	History *history.Writer
	// Seed decides which requests get which behaviour.
	Seed uint64
}

// Target is an HTTP server that receives events. It can be stopped and started
// again at the same address.
type Target struct {
	options TargetOptions
	address string
	mix     atomic.Pointer[mix]
	done    atomic.Int64

	mu     sync.Mutex
	server *http.Server
	chance *rand.Rand
	ended  sync.WaitGroup

	// serving is held by requests for reading, and by Stop to wait for them.
	serving sync.RWMutex
	stopped bool
}

// NewTarget starts a target that answers everything with 200.
func NewTarget(options TargetOptions) (*Target, error) {
	t := &Target{
		options: options,
		address: options.Address,
		chance:  rand.New(rand.NewPCG(options.Seed, 0)),
	}
	t.Behave(Share{Behaviour: Behaviour{Kind: OK}, Weight: 1})
	return t, t.Start()
}

// Address is where the target listens, the same after every start.
func (t *Target) Address() string { return t.address }

// Name is namespace/endpoint/target.
func (t *Target) Name() string { return t.options.Name }

// URL is the target's root.
func (t *Target) URL() string { return "http://" + t.address }

// Received is how many requests were answered 2xx.
func (t *Target) Received() int64 { return t.done.Load() }

// Behave changes what becomes of requests from now on.
func (t *Target) Behave(shares ...Share) {
	made := newMix(shares)
	t.mix.Store(&made)
}

// Start listens again after Stop.
func (t *Target) Start() error {
	listener, err := net.Listen("tcp", t.address)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.address = listener.Addr().String()
	t.server = &http.Server{Handler: t, ReadHeaderTimeout: headerTimeout}
	server := t.server
	t.halt(false)
	t.ended.Go(func() { _ = server.Serve(listener) }) // ends with Stop
	return nil
}

// Stop closes the listener and every connection: the target is dead. Answers
// on their way may be lost.
func (t *Target) Stop() {
	t.mu.Lock()
	server := t.server
	t.mu.Unlock()
	_ = server.Close() // it was listening, and now it does not
	t.ended.Wait()
	t.halt(true)
}

func (t *Target) halt(stopped bool) {
	t.serving.Lock()
	defer t.serving.Unlock()
	t.stopped = stopped
}

// ServeHTTP receives one event.
func (t *Target) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t.serving.RLock()
	defer t.serving.RUnlock()
	if t.stopped {
		panic(http.ErrAbortHandler)
	}
	began := time.Now()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // a request that was cut short is no delivery
	}
	behaviour := t.mix.Load().choose(t.random())
	code := behaviour.answer(w, r)
	if succeeded(code) {
		t.done.Add(1)
	}
	attempt, _ := strconv.Atoi(r.Header.Get("Postern-Attempt")) // 0 is what the checker calls missing
	receive := &history.Receive{
		Target:    t.options.Name,
		Endpoint:  r.Header.Get("Postern-Endpoint"),
		ID:        idOf(body),
		EventID:   r.Header.Get("Postern-Event-Id"),
		Attempt:   attempt,
		Replay:    r.Header.Get("Postern-Replay") != "",
		Body:      history.Digest(body),
		Verified:  r.Header.Get("Postern-Verified") == "true",
		Code:      code,
		TookNanos: int64(time.Since(began)),
	}
	if code >= http.StatusBadRequest && code != http.StatusGone {
		receive.RetryAfter = behaviour.RetryAfter
	}
	t.options.History.Write(history.Record{Receive: receive})
}

func (t *Target) random() float64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.chance.Float64()
}

func succeeded(code int) bool { return code >= 200 && code <= 299 }

// idOf finds the sender's id where bodyOf puts it.
func idOf(body []byte) string {
	rest, ok := bytes.CutPrefix(body, []byte(bodyHead))
	if !ok {
		return ""
	}
	id, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(id)
}

// gone tells whether the client has left.
func gone(ctx context.Context) bool { return ctx.Err() != nil }

package ranges_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/postern-dev/postern/controllers/ranges"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory keeps lists as a Secret does, over several keepers.
type memory struct {
	mu    sync.Mutex
	lists map[string]ranges.Published
}

func (m *memory) Load(context.Context) (map[string]ranges.Published, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.lists, nil
}

func (m *memory) Save(_ context.Context, lists map[string]ranges.Published) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lists = lists
	return nil
}

// site is a provider that publishes a list.
type site struct {
	url string

	mu       sync.Mutex
	status   int
	document string
}

func newSite(t *testing.T, document string) *site {
	t.Helper()
	s := &site{status: http.StatusOK, document: document}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.status == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(s.status)
		_, _ = w.Write([]byte(s.document))
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *site) answer(status int, document string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status, s.document = status, document
}

// kept is a running keeper with a clock of its own.
type kept struct {
	*ranges.Keeper
	clock   *clocktesting.FakeClock
	changed chan string
}

func keep(t *testing.T, s *site, store ranges.Store) *kept {
	t.Helper()
	k := &kept{clock: clocktesting.NewFakeClock(time.Unix(1_758_600_000, 0)), changed: make(chan string, 16)}
	transport := &http.Transport{}
	k.Keeper = ranges.NewKeeper(ranges.Options{
		Lists: ranges.WithURLs(map[string]string{"own": s.url}),
		Store: store,
		Client: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
		Clock:   k.clock,
		Changed: func(provider string) { k.changed <- provider },
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- k.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the keeper ended with %v", err)
		}
		transport.CloseIdleConnections()
	})
	return k
}

// step lets time pass once the keeper waits for it.
func (k *kept) step(d time.Duration) {
	k.clock.Step(d)
}

func (k *kept) want(t *testing.T, prefix string) {
	t.Helper()
	published, err := k.Lookup("own")
	if err != nil {
		t.Fatal(err)
	}
	if len(published.Prefixes) != 1 || published.Prefixes[0] != netip.MustParsePrefix(prefix) {
		t.Errorf("ranges are %v, want %s", published.Prefixes, prefix)
	}
}

func TestKeeperFetchesWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	s := newSite(t, `["192.0.2.0/24"]`)
	k := keep(t, s, &memory{})
	if _, err := k.Lookup("nobody"); !errors.Is(err, ranges.ErrNoList) || !strings.Contains(err.Error(), "github") {
		t.Errorf("got %v, want an error that names the known lists", err)
	}
	if _, err := k.Lookup("own"); err == nil || !strings.Contains(err.Error(), "not been fetched yet") {
		t.Errorf("got %v, want to be told to wait", err)
	}
	if provider := <-k.changed; provider != "own" {
		t.Fatalf("%q changed", provider)
	}
	k.want(t, "192.0.2.0/24")

	s.answer(http.StatusOK, `["198.51.100.0/24"]`)
	k.step(ranges.RefreshEvery)
	<-k.changed
	k.want(t, "198.51.100.0/24")
}

func TestLastGoodListIsKept(t *testing.T) {
	t.Parallel()
	s, store := newSite(t, `["192.0.2.0/24"]`), &memory{}
	first := keep(t, s, store)
	_, _ = first.Lookup("own")
	<-first.changed
	for _, broken := range []struct {
		status   int
		document string
	}{{http.StatusInternalServerError, ""}, {http.StatusOK, "<html>"}, {http.StatusFound, ""}, {http.StatusOK, `["0.0.0.0/0"]`}} {
		s.answer(broken.status, broken.document)
		next := keep(t, s, store) // a process that starts while the list is broken
		if provider := <-next.changed; provider != "own" {
			t.Fatalf("%q changed", provider)
		}
		next.step(ranges.RefreshEvery)
		next.want(t, "192.0.2.0/24")
	}
}

func TestFirstFetchThatFailsIsToldAndTriedAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	s.answer(http.StatusServiceUnavailable, "")
	k := keep(t, s, &memory{})
	_, _ = k.Lookup("own")
	<-k.changed
	if _, err := k.Lookup("own"); err == nil || !strings.Contains(err.Error(), "answered 503") {
		t.Errorf("got %v, want the reason", err)
	}
	s.answer(http.StatusOK, `["192.0.2.0/24"]`)
	k.step(ranges.RetryAfter)
	<-k.changed
	k.want(t, "192.0.2.0/24")
}

// A list that was fetched from another address is another list.
func TestKeptListOfAnotherAddressIsNotUsed(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	s.answer(http.StatusNotFound, "")
	k := keep(t, s, &memory{lists: map[string]ranges.Published{"own": {
		Source: "https://example.com/old", Prefixes: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
	}}})
	_, _ = k.Lookup("own")
	<-k.changed
	if published, err := k.Lookup("own"); err == nil {
		t.Errorf("got %v of another address", published)
	}
}

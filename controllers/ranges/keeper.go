package ranges

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"
)

const (
	// RefreshEvery is how old a list gets before it is fetched again.
	RefreshEvery = time.Hour
	// RetryAfter is how long a failed fetch rests.
	RetryAfter = time.Minute

	fetchTimeout = 10 * time.Second
	// maxDocument bounds a list's document, in bytes.
	maxDocument = 4 << 20
)

// Published is the last good list of a provider.
type Published struct {
	// Source is the address that it came from.
	Source string `json:"source"`
	// At is when it was fetched.
	At time.Time `json:"at"`
	// Prefixes are sorted and never empty.
	Prefixes []netip.Prefix `json:"prefixes"`
}

// Options configure a [Keeper]. Lists and Store are required.
type Options struct {
	// Lists are the known lists by provider, see [WithURLs].
	Lists map[string]List
	// Store keeps the last good lists over restarts.
	Store Store
	// Client fetches; nil means a client with time-outs that follows no redirect.
	Client *http.Client
	// Clock paces refreshing; nil means the real one.
	Clock clock.WithTicker
	// Logger is told of failures; nil discards.
	Logger logr.Logger
	// Changed is called with a provider whose list was fetched again, or whose
	// first fetch failed. It must not block.
	Changed func(provider string)
}

// Store keeps lists for the next process.
type Store interface {
	Load(ctx context.Context) (map[string]Published, error)
	Save(ctx context.Context, lists map[string]Published) error
}

// Keeper keeps the lists that somebody asked for fresh.
type Keeper struct {
	options Options

	mu      sync.Mutex
	loaded  bool
	known   map[string]Published
	tried   map[string]attempt
	wanted  map[string]bool
	knocked chan struct{}
}

// attempt is the last try to fetch a list.
type attempt struct {
	at  time.Time
	err error
}

// NewKeeper returns a keeper that does nothing until it is started.
func NewKeeper(options Options) *Keeper {
	if options.Clock == nil {
		options.Clock = clock.RealClock{}
	}
	if options.Client == nil {
		options.Client = &http.Client{
			Timeout:       fetchTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	if options.Logger.IsZero() {
		options.Logger = logr.FromSlogHandler(slog.DiscardHandler)
	}
	if options.Changed == nil {
		options.Changed = func(string) {}
	}
	return &Keeper{
		options: options,
		known:   map[string]Published{}, tried: map[string]attempt{}, wanted: map[string]bool{},
		knocked: make(chan struct{}, 1),
	}
}

// ErrNoList means that no list is known for a provider.
var ErrNoList = errors.New("no list of address ranges is known")

// NoList says which lists there are instead of the one of provider.
func NoList(provider string, known map[string]List) error {
	return fmt.Errorf("%w for %q: the known ones are %s; write the ranges themselves", ErrNoList, provider,
		strings.Join(slices.Sorted(maps.Keys(known)), ", "))
}

// Lookup returns the last good list of a provider and keeps it fresh from now
// on. The error says why there is none: the provider publishes none, or it has
// not been fetched yet.
func (k *Keeper) Lookup(provider string) (Published, error) {
	if _, exists := k.options.Lists[provider]; !exists {
		return Published{}, NoList(provider, k.options.Lists)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.wanted[provider] {
		k.wanted[provider] = true
		k.knock()
	}
	if published, ok := k.known[provider]; ok {
		return published, nil
	}
	if err := k.tried[provider].err; err != nil {
		return Published{}, fmt.Errorf("the ranges of %s could not be fetched and are tried again: %w", provider, err)
	}
	return Published{}, fmt.Errorf("the ranges of %s have not been fetched yet", provider)
}

func (k *Keeper) knock() {
	select {
	case k.knocked <- struct{}{}:
	default:
	}
}

// Start refreshes until ctx ends.
func (k *Keeper) Start(ctx context.Context) error {
	ticker := k.options.Clock.NewTicker(RetryAfter / 2)
	defer ticker.Stop()
	for {
		k.load(ctx)
		for _, provider := range k.due() {
			k.refresh(ctx, provider)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-k.knocked:
		case <-ticker.C():
		}
	}
}

// load reads what the process before kept, once.
func (k *Keeper) load(ctx context.Context) {
	if k.loaded {
		return
	}
	kept, err := k.options.Store.Load(ctx)
	if err != nil {
		k.options.Logger.Error(err, "Kept address ranges could not be read")
		return
	}
	k.loaded = true
	k.mu.Lock()
	for provider, published := range kept {
		// A list from another address is another list.
		if published.Source == k.options.Lists[provider].URL && len(published.Prefixes) > 0 {
			k.known[provider] = published
		}
	}
	providers := slices.Sorted(maps.Keys(k.known))
	k.mu.Unlock()
	for _, provider := range providers {
		k.options.Changed(provider)
	}
}

// due returns the wanted providers whose list is old or missing.
func (k *Keeper) due() []string {
	now := k.options.Clock.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	var due []string
	for _, provider := range slices.Sorted(maps.Keys(k.wanted)) {
		published, known := k.known[provider]
		fresh := known && now.Sub(published.At) < RefreshEvery
		tried, resting := k.tried[provider]
		resting = resting && tried.err != nil && now.Sub(tried.at) < RetryAfter
		if !fresh && !resting {
			due = append(due, provider)
		}
	}
	return due
}

// refresh fetches one list; the last good one stays when that fails.
func (k *Keeper) refresh(ctx context.Context, provider string) {
	list := k.options.Lists[provider]
	prefixes, err := k.fetch(ctx, list)
	now := k.options.Clock.Now()
	k.mu.Lock()
	before, knownBefore := k.known[provider]
	firstTry := k.tried[provider].at.IsZero()
	k.tried[provider] = attempt{at: now, err: err}
	if err == nil {
		k.known[provider] = Published{Source: list.URL, At: now, Prefixes: prefixes}
	}
	kept := maps.Clone(k.known)
	k.mu.Unlock()
	if err != nil {
		k.options.Logger.Error(err, "Address ranges could not be fetched, the last good ones stay",
			"provider", provider, "source", list.URL, "lastGood", before.At)
		if firstTry && !knownBefore {
			k.options.Changed(provider)
		}
		return
	}
	if err := k.options.Store.Save(ctx, kept); err != nil {
		k.options.Logger.Error(err, "Address ranges could not be kept", "provider", provider)
	}
	k.options.Changed(provider)
}

package traffic

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/postern-dev/postern/test/chaos/history"
)

// Endpoint is where a sender sends to, and how.
type Endpoint struct {
	// Name is namespace/name.
	Name string
	// URLs are the same endpoint at each replica of the receiver.
	URLs     []string
	Provider string
	// Key is what requests are signed with; see [SecretOf].
	Key []byte
	// Types are the event types, chosen evenly.
	Types []string
	// Weight is this endpoint's part of the events, relative to the others'.
	Weight float64
}

// Options configure [Senders]. Endpoints and Folder are required.
type Options struct {
	// Name begins every id; it must be unique among the senders of a run.
	Name      string
	Endpoints []Endpoint
	// Folder is where the history is written.
	Folder string
	Seed   uint64
	// Events is how many are sent; 0 means until the context ends.
	Events int
	// Rate is new events in a second; 0 means as many as go.
	Rate float64
	// Workers is how many requests are made at a time; 64 by default.
	Workers int
	// UnderWay bounds the events that wait for an answer or for their next try,
	// so that an outage stops the senders; 1024 by default.
	UnderWay int
	// Forged, Copied and Repeated are shares of the events: not verifying, sent
	// in Copies requests at the same moment, sent again after their ok.
	Forged, Copied, Repeated float64
	Copies                   int
	// MinBody and MaxBody bound the bytes of a body; 200 and 1000 by default.
	MinBody, MaxBody int
	// Timeout bounds one request; 10 s by default, as the strictest providers.
	Timeout time.Duration
	// MaxWait bounds the wait between tries; 2 s by default. Deadline is how long
	// an event is tried; 2 min by default.
	MaxWait, Deadline time.Duration
}

func (o Options) withDefaults() Options {
	o.Name = cmp.Or(o.Name, "e")
	o.Workers = cmp.Or(o.Workers, 64)
	o.UnderWay = cmp.Or(o.UnderWay, 1024)
	o.Copies = max(o.Copies, 2)
	o.MinBody = cmp.Or(o.MinBody, 200)
	o.MaxBody = max(cmp.Or(o.MaxBody, 1000), o.MinBody)
	o.Timeout = cmp.Or(o.Timeout, 10*time.Second)
	o.MaxWait = cmp.Or(o.MaxWait, 2*time.Second)
	o.Deadline = cmp.Or(o.Deadline, 2*time.Minute)
	return o
}

// Totals are what senders have done so far.
type Totals struct {
	// Events are those begun, Forged among them; Acked were answered 2xx, GivenUp
	// not before their deadline.
	Events, Forged, Acked, GivenUp, Requests int64
}

// Senders send events until each is acknowledged.
type Senders struct {
	options Options
	client  *http.Client
	limit   *rate.Limiter
	writers []*history.Writer

	jobs  chan *job
	later chan *job
	slots chan struct{}

	events, forged, acked, givenUp, requests atomic.Int64
}

// files is how many histories the workers share.
const files = 4

// NewSenders checks the options and begins the history. Run ends it.
func NewSenders(options Options) (*Senders, error) {
	options = options.withDefaults()
	s := &Senders{
		options: options,
		client:  newClient(options),
		limit:   rate.NewLimiter(limitOf(options.Rate), options.Workers),
		jobs:    make(chan *job, options.Workers),
		later:   make(chan *job, options.Workers),
		slots:   make(chan struct{}, options.UnderWay),
	}
	if len(options.Endpoints) == 0 {
		return nil, errors.New("senders need an endpoint")
	}
	for _, endpoint := range options.Endpoints {
		if len(endpoint.URLs) == 0 || len(endpoint.Types) == 0 {
			return nil, fmt.Errorf("endpoint %s needs a URL and an event type", endpoint.Name)
		}
		if _, err := sign(endpoint.Provider, endpoint.Key, message{}, ""); err != nil {
			return nil, fmt.Errorf("endpoint %s: %w", endpoint.Name, err)
		}
	}
	for n := range files {
		w, err := history.Create(options.Folder, fmt.Sprintf("senders-%s-%d", options.Name, n))
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		s.writers = append(s.writers, w)
	}
	return s, nil
}

func newClient(options Options) *http.Client {
	return &http.Client{
		Timeout: options.Timeout,
		Transport: &http.Transport{
			MaxIdleConns:        0,
			MaxIdleConnsPerHost: options.Workers + options.Copies,
			IdleConnTimeout:     time.Minute,
			DisableCompression:  true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func limitOf(perSecond float64) rate.Limit {
	if perSecond <= 0 {
		return rate.Inf
	}
	return rate.Limit(perSecond)
}

// SetRate changes the rate of new events; 0 means as many as go.
func (s *Senders) SetRate(perSecond float64) { s.limit.SetLimit(limitOf(perSecond)) }

// Totals may be asked for at any time.
func (s *Senders) Totals() Totals {
	return Totals{
		Events: s.events.Load(), Forged: s.forged.Load(), Acked: s.acked.Load(),
		GivenUp: s.givenUp.Load(), Requests: s.requests.Load(),
	}
}

// Run sends until all events are begun or the context ends, then until each
// has an answer or is past its deadline, and ends the history. It is called once.
func (s *Senders) Run(ctx context.Context) error {
	var group, workers sync.WaitGroup
	stop := make(chan struct{})
	for n := range s.options.Workers {
		workers.Go(func() {
			for j := range s.jobs {
				s.work(j, s.writers[n%len(s.writers)])
			}
		})
	}
	group.Go(func() { s.reschedule(stop) })
	s.produce(ctx)
	for range cap(s.slots) {
		s.slots <- struct{}{} // every slot is free: nothing is under way
	}
	close(stop)
	group.Wait()
	close(s.jobs)
	workers.Wait()
	return s.close()
}

func (s *Senders) close() error {
	s.client.CloseIdleConnections()
	var failed error
	for _, w := range s.writers {
		failed = errors.Join(failed, w.Close())
	}
	return failed
}

// produce begins events.
func (s *Senders) produce(ctx context.Context) {
	for index := 0; s.options.Events == 0 || index < s.options.Events; index++ {
		select {
		case s.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		if s.limit.Wait(ctx) != nil {
			<-s.slots
			return
		}
		j := s.newJob(uint64(index))
		s.events.Add(1)
		if j.forged != "" {
			s.forged.Add(1)
		}
		s.jobs <- j
	}
}

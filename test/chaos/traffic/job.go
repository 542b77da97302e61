package traffic

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// bodyHead begins every body, so that targets find the id without parsing.
const bodyHead = `{"id":"`

// firstWait is the wait before the second try.
const firstWait = 100 * time.Millisecond

// filler is what bodies are padded with; where they begin makes them differ.
var filler = strings.Repeat("the quick brown fox jumps over the lazy dog and back again ", 64)

// job is one event on its way. All that it is follows from seed and number.
type job struct {
	id        string
	number    int
	endpoint  *Endpoint
	eventType string
	body      []byte
	forged    string
	// copies are the requests of the next try; repeats the tries after an ok.
	copies   int
	repeats  int
	attempts int
	chance   *rand.Rand
	born     time.Time
	due      time.Time
	acked    bool
}

func (s *Senders) newJob(number uint64) *job {
	chance := rand.New(rand.NewPCG(s.options.Seed, number))
	j := &job{
		id:       fmt.Sprintf("%s-%d", s.options.Name, number),
		number:   int(number),
		endpoint: s.pick(chance.Float64()),
		chance:   chance,
		copies:   1,
		born:     time.Now(),
	}
	j.eventType = j.endpoint.Types[chance.IntN(len(j.endpoint.Types))]
	j.body = bodyOf(j.id, j.eventType, s.options.MinBody+chance.IntN(s.options.MaxBody-s.options.MinBody+1), chance)
	switch kind := chance.Float64(); {
	case kind < s.options.Forged:
		all := forgeries(j.endpoint.Provider)
		j.forged = all[chance.IntN(len(all))]
	case kind < s.options.Forged+s.options.Copied:
		j.copies = s.options.Copies
	case kind < s.options.Forged+s.options.Copied+s.options.Repeated:
		j.repeats = 1
	}
	return j
}

func (s *Senders) pick(random float64) *Endpoint {
	var total float64
	for i := range s.options.Endpoints {
		total += s.options.Endpoints[i].Weight
	}
	left := random * total
	for i := range s.options.Endpoints {
		if left -= s.options.Endpoints[i].Weight; left < 0 {
			return &s.options.Endpoints[i]
		}
	}
	return &s.options.Endpoints[0]
}

func bodyOf(id, eventType string, size int, chance *rand.Rand) []byte {
	head := bodyHead + id + `","type":"` + eventType + `","text":"`
	pad := max(size-len(head)-2, 0)
	body := append(make([]byte, 0, len(head)+pad+2), head...)
	for pad > 0 {
		from := chance.IntN(len(filler))
		part := filler[from:min(from+pad, len(filler))]
		body = append(body, part...)
		pad -= len(part)
	}
	return append(body, `"}`...)
}

// wait is how long a sender waits before the next try.
func (j *job) wait(most time.Duration) time.Duration {
	wait := min(firstWait<<min(j.attempts, 16), most)
	return wait/2 + time.Duration(j.chance.Int64N(int64(wait/2)+1))
}

// reschedule keeps the jobs whose next try is later.
func (s *Senders) reschedule(stop <-chan struct{}) {
	var waiting waitingJobs
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var ready chan<- *job
		var next *job
		if len(waiting) > 0 {
			next = waiting[0]
			if wait := time.Until(next.due); wait > 0 {
				timer.Reset(wait)
			} else {
				ready = s.jobs
			}
		}
		select {
		case j := <-s.later:
			heap.Push(&waiting, j)
		case ready <- next:
			heap.Pop(&waiting)
		case <-timer.C:
		case <-stop:
			return
		}
	}
}

// waitingJobs is a heap by when they are due.
type waitingJobs []*job

func (w waitingJobs) Len() int           { return len(w) }
func (w waitingJobs) Less(i, k int) bool { return w[i].due.Before(w[k].due) }
func (w waitingJobs) Swap(i, k int)      { w[i], w[k] = w[k], w[i] }
func (w *waitingJobs) Push(j any)        { *w = append(*w, j.(*job)) }
func (w *waitingJobs) Pop() any {
	last := (*w)[len(*w)-1]
	*w = (*w)[:len(*w)-1]
	return last
}

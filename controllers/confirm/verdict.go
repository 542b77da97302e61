package confirm

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Verdict is whether all receivers serve a route.
type Verdict struct {
	// Receivers is how many were asked, Serving how many serve the very route.
	Receivers int
	Serving   int
	// Rejected says which receiver refuses the route and why; empty if none does.
	Rejected string
	// Pending says which receivers do not serve it yet and why.
	Pending string
	// KeysUsed is when keys last verified a request at any receiver, by key; keys
	// that none has used since it started are absent.
	KeysUsed map[string]time.Time
}

// Confirmed says that there are receivers and all serve the route.
func (v Verdict) Confirmed() bool { return v.Receivers > 0 && v.Serving == v.Receivers }

// AskFunc asks one receiver about one route; [Client.Route] is the real one.
type AskFunc func(ctx context.Context, receiver Receiver, uid string) (*Loaded, error)

// All asks every receiver at once whether it serves the route with that hash.
func All(ctx context.Context, ask AskFunc, receivers []Receiver, uid, hash string) Verdict {
	answers := make([]answer, len(receivers))
	var group sync.WaitGroup
	for i, receiver := range receivers {
		group.Go(func() {
			loaded, err := ask(ctx, receiver, uid)
			answers[i] = judge(receiver, loaded, err, hash)
			if loaded != nil {
				answers[i].keysUsed = loaded.KeysUsed
			}
		})
	}
	group.Wait()
	return sum(answers)
}

type answer struct {
	serving  bool
	rejected string
	pending  string
	keysUsed map[string]time.Time
}

func judge(receiver Receiver, loaded *Loaded, err error, hash string) answer {
	switch {
	case err != nil:
		return answer{pending: fmt.Sprintf("%s does not answer: %v", receiver.Name, err)}
	case loaded == nil:
		return answer{pending: receiver.Name + " has not loaded it"}
	case loaded.Hash == hash && loaded.Error == "":
		return answer{serving: true}
	case loaded.Error != "":
		return answer{rejected: fmt.Sprintf("%s: %s", receiver.Name, loaded.Error)}
	default:
		return answer{pending: receiver.Name + " still serves the one before"}
	}
}

func sum(answers []answer) Verdict {
	verdict := Verdict{Receivers: len(answers), KeysUsed: map[string]time.Time{}}
	var rejected, pending []string
	for _, a := range answers {
		for key, at := range a.keysUsed {
			if at.After(verdict.KeysUsed[key]) {
				verdict.KeysUsed[key] = at
			}
		}
		if a.serving {
			verdict.Serving++
		}
		if a.rejected != "" {
			rejected = append(rejected, a.rejected)
		}
		if a.pending != "" {
			pending = append(pending, a.pending)
		}
	}
	verdict.Rejected = few(rejected)
	verdict.Pending = few(pending)
	return verdict
}

// few keeps a message readable when many receivers say the same.
func few(texts []string) string {
	const most = 3
	if len(texts) > most {
		return fmt.Sprintf("%s; and %d more", strings.Join(texts[:most], "; "), len(texts)-most)
	}
	return strings.Join(texts, "; ")
}

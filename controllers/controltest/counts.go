package controltest

import (
	"encoding/json"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/controllers/confirm"
	"github.com/postern-dev/postern/controllers/meta"
	"github.com/postern-dev/postern/receiver/route"
)

// SetProgress says how far the receiver got with a replay; it tells so as long
// as the replay is asked for.
func (r *Receiver) SetProgress(progress route.ReplayProgress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress[progress.UID] = progress
}

// SetTraffic says how the receiver's endpoints do.
func (r *Receiver) SetTraffic(traffic ...confirm.Traffic) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counted = traffic
}

func (r *Receiver) replays(w http.ResponseWriter, request *http.Request) {
	asked, err := r.asked(request)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	progress := []route.ReplayProgress{}
	r.mu.Lock()
	for _, replay := range asked {
		known, ok := r.progress[replay.UID]
		if !ok {
			known.UID = replay.UID
		}
		progress = append(progress, known)
	}
	r.mu.Unlock()
	answer(w, map[string]any{"replays": progress})
}

// asked are the replays that are asked for.
func (r *Receiver) asked(request *http.Request) ([]*route.Replay, error) {
	var secrets corev1.SecretList
	r.mu.Lock()
	namespace := r.namespace
	r.mu.Unlock()
	err := r.cluster.Client.List(request.Context(), &secrets,
		client.InNamespace(namespace), client.MatchingLabels{meta.LabelReplay: meta.LabelTrue})
	if err != nil {
		return nil, err
	}
	var asked []*route.Replay
	for i := range secrets.Items {
		replay, err := route.UnmarshalReplay(secrets.Items[i].Data[meta.ReplayKey])
		if err != nil {
			return nil, err
		}
		asked = append(asked, replay)
	}
	return asked, nil
}

func (r *Receiver) traffic(w http.ResponseWriter, _ *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	answer(w, map[string]any{"endpoints": r.counted})
}

func answer(w http.ResponseWriter, content any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(content); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

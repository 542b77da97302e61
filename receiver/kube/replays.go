package kube

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/postern-dev/postern/receiver/route"
)

// Names of the objects that carry replays.
const (
	ReplayLabel  = "hooks.postern.dev/replay"
	ReplayKey    = "replay.json"
	ReplayPrefix = "replay-"
)

// followReplays hands on all replays, again after every change. It needs no
// complete set: a replay that comes later begins later.
func (s *Source) followReplays(ctx context.Context) {
	if !cache.WaitForCacheSync(ctx.Done(), s.replays.HasSynced) {
		return
	}
	for {
		s.options.Replays(s.readReplays())
		select {
		case <-ctx.Done():
			return
		case <-s.replaysChanged:
		}
		if !pause(ctx, s.options.Debounce) {
			return
		}
	}
}

func (s *Source) readReplays() []*route.Replay {
	var replays []*route.Replay
	for _, object := range s.replays.GetStore().List() {
		secret := object.(*corev1.Secret)
		replay, err := decodeReplay(secret)
		if err != nil {
			s.log.Error("Replay was not read and is left alone",
				"secret", secret.Namespace+"/"+secret.Name, "error", err)
			continue
		}
		replays = append(replays, replay)
	}
	slices.SortFunc(replays, func(a, b *route.Replay) int { return strings.Compare(a.UID, b.UID) })
	return replays
}

func decodeReplay(secret *corev1.Secret) (*route.Replay, error) {
	data, ok := secret.Data[ReplayKey]
	if !ok {
		return nil, fmt.Errorf("key %s is missing", ReplayKey)
	}
	replay, err := route.UnmarshalReplay(data)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", ReplayKey, err)
	}
	if name := ReplayPrefix + replay.UID; secret.Name != name {
		return nil, fmt.Errorf("key %s: it is the replay of uid %q", ReplayKey, replay.UID)
	}
	return replay, nil
}

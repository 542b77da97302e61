package controllers

import (
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/postern-dev/postern/controllers/apply"
	"github.com/postern-dev/postern/controllers/confirm"
	"github.com/postern-dev/postern/controllers/endpoint"
	"github.com/postern-dev/postern/controllers/fleet"
	"github.com/postern-dev/postern/controllers/index"
	"github.com/postern-dev/postern/controllers/ranges"
	"github.com/postern-dev/postern/controllers/replay"
	"github.com/postern-dev/postern/controllers/resources"
	"github.com/postern-dev/postern/controllers/status"
	"github.com/postern-dev/postern/controllers/tombstone"
	"github.com/postern-dev/postern/controllers/traffic"
)

// shared is what the controllers are made of.
type shared struct {
	mgr       ctrl.Manager
	options   Options
	asking    *confirm.Client
	receivers confirm.Source
	writer    *apply.Writer
	patcher   *status.Patcher
	table     *index.Table
}

func (s *shared) endpoints(
	published *ranges.Keeper, changed <-chan event.TypedGenericEvent[string],
) *endpoint.Reconciler {
	return &endpoint.Reconciler{
		Client:          s.mgr.GetClient(),
		Live:            s.mgr.GetAPIReader(),
		Writer:          s.writer,
		Patcher:         s.patcher,
		Recorder:        s.mgr.GetEventRecorder("postern-endpoint"),
		Receivers:       s.receivers,
		Ask:             s.asking.Route,
		Ranges:          published.Lookup,
		RangesChanged:   changed,
		Table:           s.table,
		Namespace:       s.options.Namespace,
		WatchNamespaces: s.options.WatchNamespaces,
		External:        len(s.options.ReceiverURLs) > 0,
		Clock:           clock.RealClock{},
	}
}

func (s *shared) routes() *index.Reconciler {
	return &index.Reconciler{
		Client:    s.mgr.GetClient(),
		Writer:    s.writer,
		Live:      s.mgr.GetAPIReader(),
		Owner:     s.options.owner(s.mgr.GetClient()),
		Table:     s.table,
		Namespace: s.options.Namespace,
	}
}

func (s *shared) pulse() *fleet.Pulse {
	return fleet.NewPulse(fleet.PulseOptions{
		Client:    s.mgr.GetClient(),
		Ask:       s.asking.Health,
		Port:      s.options.ReceiverPort,
		Namespace: s.options.Namespace,
		Logger:    s.mgr.GetLogger().WithName("pulse"),
	})
}

func (s *shared) fleet(pulse *fleet.Pulse) *fleet.Reconciler {
	return &fleet.Reconciler{
		Client:    s.mgr.GetClient(),
		Live:      s.mgr.GetAPIReader(),
		Writer:    s.writer,
		Patcher:   s.patcher,
		Recorder:  s.mgr.GetEventRecorder("postern-receiver"),
		Ask:       s.asking.Health,
		Pulse:     pulse,
		Port:      s.options.ReceiverPort,
		Settings:  resources.Settings{Image: s.options.Image, ClusterDomain: s.options.ClusterDomain},
		Namespace: s.options.Namespace,
		Clock:     clock.RealClock{},
	}
}

func (s *shared) replays() *replay.Reconciler {
	return &replay.Reconciler{
		Client:          s.mgr.GetClient(),
		Writer:          s.writer,
		Patcher:         s.patcher,
		Recorder:        s.mgr.GetEventRecorder("postern-replay"),
		Receivers:       s.receivers,
		Ask:             s.asking.Replays,
		Namespace:       s.options.Namespace,
		WatchNamespaces: s.options.WatchNamespaces,
		Clock:           clock.RealClock{},
	}
}

func (s *shared) tombstones() *tombstone.Collector {
	return &tombstone.Collector{
		Client:    s.mgr.GetClient(),
		Writer:    s.writer,
		Receivers: s.receivers,
		Ask:       s.asking.Purged,
		External:  len(s.options.ReceiverURLs),
		Namespace: s.options.Namespace,
		Logger:    s.mgr.GetLogger().WithName("tombstones"),
		Clock:     clock.RealClock{},
	}
}

func (s *shared) traffic() *traffic.Reporter {
	return &traffic.Reporter{
		Client:    s.mgr.GetClient(),
		Patcher:   s.patcher,
		Receivers: s.receivers,
		Ask:       s.asking.Traffic,
		Logger:    s.mgr.GetLogger().WithName("traffic"),
	}
}

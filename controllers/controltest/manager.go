package controltest

import (
	"context"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// Manage runs a manager with what setup registers, until ctx ends; the channel
// then tells how it ended.
func (c *Cluster) Manage(
	ctx context.Context, options cache.Options, setup func(ctrl.Manager) error,
) (<-chan error, error) {
	skipNames := true // several managers in one process have controllers of the same names
	mgr, err := ctrl.NewManager(c.Config, ctrl.Options{
		Scheme:     c.Client.Scheme(),
		Cache:      options,
		Logger:     logr.Discard(),
		Metrics:    server.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: &skipNames},
	})
	if err != nil {
		return nil, err
	}
	if err := setup(mgr); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	return ended, nil
}

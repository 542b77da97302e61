// Package managercmd is `postern manager`: it wires the controllers to a
// cluster.
//
// It imports controllers and controller-runtime; it decides nothing that flags
// do not say.
package managercmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync/atomic"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/postern-dev/postern/cli/cluster"
	"github.com/postern-dev/postern/cli/envflag"
	"github.com/postern-dev/postern/cli/exit"
	"github.com/postern-dev/postern/cli/logging"
	"github.com/postern-dev/postern/controllers"
)

const (
	leaderElectionID = "postern-manager.hooks.postern.dev"
	// podContainer is the manager's container in its pod.
	podContainer = "manager"
)

// Command returns the command.
func Command() *cobra.Command {
	options := &Options{}
	command := &cobra.Command{
		Use:   "manager",
		Short: "Compile endpoints into routes and run the receiver (the control plane)",
		Long: `Watch WebhookEndpoints and WebhookReceivers, compile endpoints into routes, run
the receiver and report status. Every flag can also be given as an environment
variable: --watch-namespaces as POSTERN_WATCH_NAMESPACES.`,
		Example: `  postern manager --leader-elect
  postern manager --kubeconfig ~/.kube/config --receiver-url http://127.0.0.1:8081 --metrics-bind-address 0`,
		Args:    cobra.NoArgs,
		PreRunE: envflag.PreRun,
		RunE: func(command *cobra.Command, _ []string) error {
			return run(command.Context(), options, command.ErrOrStderr())
		},
	}
	options.BindFlags(command.Flags())
	return command
}

func run(ctx context.Context, options *Options, out io.Writer) error {
	if err := options.Controllers.Validate(); err != nil {
		return exit.Usagef("%w", err)
	}
	level := new(slog.LevelVar)
	options.Logging.Running = level
	logger, err := logging.New(out, options.Logging)
	if err != nil {
		return exit.Usagef("%w", err)
	}
	defer logging.ToggleOnSignal(level, logger)()
	log := logr.FromSlogHandler(logger.Handler())
	ctrl.SetLogger(log)
	klog.SetLogger(log)
	options.Memory.Apply(logger)

	mgr, err := newManager(options, logging.LevelHandler(level, logger))
	if err != nil {
		return err
	}
	if err := options.defaultImage(ctx, mgr.GetAPIReader(), os.LookupEnv); err != nil {
		return err
	}
	if err := controllers.Setup(ctx, mgr, options.Controllers); err != nil {
		return err
	}
	return mgr.Start(ctx)
}

func newManager(options *Options, level http.Handler) (ctrl.Manager, error) {
	config, err := clusterConfig(options.Kubeconfig)
	if err != nil {
		return nil, err
	}
	scheme, err := controllers.NewScheme()
	if err != nil {
		return nil, err
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                  scheme,
		Cache:                   controllers.CacheOptions(options.Controllers),
		Metrics:                 options.metrics(level),
		HealthProbeBindAddress:  options.ProbeBindAddress,
		LeaderElection:          options.LeaderElect,
		LeaderElectionID:        leaderElectionID,
		LeaderElectionNamespace: options.Controllers.Namespace,
		// The process ends with the manager, so the next one need not wait.
		LeaderElectionReleaseOnCancel: true,
	})
	if err != nil {
		return nil, fmt.Errorf("start manager: %w", err)
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return nil, err
	}
	caches := &started{}
	return mgr, errors.Join(mgr.AddReadyzCheck("caches", caches.check), mgr.Add(caches))
}

// started tells whether the caches are filled: the manager starts runnables
// that need no leadership right after that. A manager whose permissions are
// missing is never ready, and a rollout stops there.
type started struct{ done atomic.Bool }

// Start is called when the caches are filled.
func (s *started) Start(context.Context) error {
	s.done.Store(true)
	return nil
}

// NeedLeaderElection is false: one that stands by is ready too.
func (s *started) NeedLeaderElection() bool { return false }

func (s *started) check(*http.Request) error {
	if !s.done.Load() {
		return errors.New("the caches are not filled yet")
	}
	return nil
}

// metrics are served beside the level of the log, to those who are authorised
// for either.
func (o *Options) metrics(level http.Handler) metricsserver.Options {
	served := metricsserver.Options{
		BindAddress: o.MetricsBindAddress, SecureServing: o.MetricsSecure, CertDir: o.MetricsCertDir,
		ExtraHandlers: map[string]http.Handler{"/loglevel": level},
	}
	if o.MetricsSecure {
		served.FilterProvider = filters.WithAuthenticationAndAuthorization
	}
	return served
}

// defaultImage makes receivers run what this manager runs, unless told
// otherwise. Outside a cluster there is no pod to ask.
func (o *Options) defaultImage(ctx context.Context, reader client.Reader, lookup func(string) (string, bool)) error {
	name, inPod := lookup("POD_NAME")
	if o.Controllers.Image != "" || !inPod {
		return nil
	}
	var pod corev1.Pod
	key := client.ObjectKey{Namespace: o.Controllers.Namespace, Name: name}
	if err := reader.Get(ctx, key, &pod); err != nil {
		return fmt.Errorf("read the image of pod %s: %w; or give --image", key, err)
	}
	for _, container := range pod.Spec.Containers {
		if container.Name == podContainer {
			o.Controllers.Image = container.Image
			return nil
		}
	}
	return fmt.Errorf("pod %s has no container %q to take the image from; give --image", key, podContainer)
}

// clusterConfig has no limit of requests: the API server shares its capacity
// out by itself (priority and fairness), and with the client's default limit
// the first hundreds of endpoints would wait for minutes.
func clusterConfig(kubeconfig string) (*rest.Config, error) {
	config, err := cluster.Config(kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	return config, nil
}

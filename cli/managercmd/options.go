package managercmd

import (
	"github.com/spf13/pflag"

	"github.com/postern-dev/postern/cli/logging"
	"github.com/postern-dev/postern/cli/memory"
	"github.com/postern-dev/postern/controllers"
)

// Options are the flags of the command.
type Options struct {
	Controllers controllers.Options
	Kubeconfig  string

	LeaderElect      bool
	ProbeBindAddress string

	MetricsBindAddress string
	MetricsSecure      bool
	MetricsCertDir     string

	Memory  memory.Options
	Logging logging.Options
}

// BindFlags declares the flags, with their defaults.
func (o *Options) BindFlags(flags *pflag.FlagSet) {
	c := &o.Controllers
	flags.StringVar(&c.Namespace, "namespace", "postern-system",
		"system namespace: receivers and compiled routes live here")
	flags.StringSliceVar(&c.WatchNamespaces, "watch-namespaces", nil,
		"namespaces whose endpoints are served; default: all")
	flags.StringVar(&c.Image, "image", "", "image of receivers that name none; default: the image of this pod")
	flags.StringArrayVar(&c.ReceiverURLs, "receiver-url", nil,
		"internal URL of a receiver to confirm routes with, for running outside a cluster (repeatable); default: its pods")
	flags.StringVar(&c.DefaultReceiver, "default-receiver", "",
		"WebhookReceiver to apply at the start, as JSON or YAML; for installers that cannot apply it themselves")
	flags.StringVar(&c.DefaultReceiverOwner, "default-receiver-owner", "",
		"ServiceAccount in the system namespace with which the default receiver is removed")
	flags.StringVar(&c.ClusterDomain, "cluster-domain", "", "domain of the cluster's Services; default: the receiver's")
	flags.StringToStringVar(&c.AddressRangeURLs, "address-range-url", nil,
		"provider=URL of the list for provider:NAME in allowedIPRanges (repeatable); default: the provider's own")
	flags.StringVar(&o.Kubeconfig, "kubeconfig", "", "kubeconfig file; default: the pod's own account")
	flags.BoolVar(&o.LeaderElect, "leader-elect", false, "let one of several managers act")
	flags.StringVar(&o.ProbeBindAddress, "health-probe-bind-address", ":8081", "address for /healthz and /readyz")
	flags.StringVar(&o.MetricsBindAddress, "metrics-bind-address", ":8443", "address for /metrics; 0 turns it off")
	flags.BoolVar(&o.MetricsSecure, "metrics-secure", true, "serve metrics by HTTPS to authorised callers only")
	flags.StringVar(&o.MetricsCertDir, "metrics-cert-dir", "",
		"directory with tls.crt and tls.key for metrics; default: a self-signed certificate")
	o.Memory.BindFlags(flags)
	flags.StringVar(&o.Logging.Level, "log-level", "info", "debug, info, warn or error")
	flags.StringVar(&o.Logging.Format, "log-format", logging.FormatAuto, "json, text or auto")
}

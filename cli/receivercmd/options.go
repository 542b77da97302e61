package receivercmd

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"time"

	"github.com/spf13/pflag"

	"github.com/postern-dev/postern/cli/dataplane"
	"github.com/postern-dev/postern/cli/input"
	"github.com/postern-dev/postern/cli/logging"
	"github.com/postern-dev/postern/cli/memory"
	"github.com/postern-dev/postern/cli/version"
	"github.com/postern-dev/postern/receiver/deliver/outbound"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/tracing"
)

// Options are the flags of the command.
type Options struct {
	Listen     string
	Internal   string
	TLSCertDir string

	Namespace   string
	Kubeconfig  string
	SnapshotDir string

	Store               string
	StoreUser           string
	StoreTLSDir         string
	StoreDataDir        string
	StoreExclusive      bool
	DrainStore          bool
	AllowWeakDurability bool
	AdoptStoreFrom      string

	TrustedProxies []string
	ClusterDomain  string
	Forward        []string

	ShutdownDelaySeconds int
	GracePeriodSeconds   int

	Memory            memory.Options
	MemoryBudgetBytes int64

	NamespaceRequestsPerSecond int
	NamespaceBurst             int
	NamespaceMaxStoredBytes    int64

	OTLPEndpoint        string
	TraceRatePerMillion int

	Logging logging.Options
}

// BindFlags declares the flags, with their defaults.
func (o *Options) BindFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.Listen, "listen", ":8080", "address for the providers' requests")
	flags.StringVar(&o.Internal, "internal", ":8081", "address for probes, metrics, routes and inspection")
	flags.StringVar(&o.TLSCertDir, "tls-cert-dir", "",
		"directory with tls.crt and tls.key; the public address then serves HTTPS")
	flags.StringVar(&o.Namespace, "namespace", "postern-system", "namespace with the compiled routes")
	flags.StringVar(&o.Kubeconfig, "kubeconfig", "", "kubeconfig file; default: the pod's own account")
	flags.StringVar(&o.SnapshotDir, "snapshot-dir", "",
		"memory-backed directory for the last good routes, key material included; empty keeps none")
	flags.StringVar(&o.Store, "store", "unix:///run/postern/redis.sock",
		"URL of the store: unix:///path, redis://, rediss://, or memory, which is not durable")
	flags.StringVar(&o.StoreUser, "store-user", "", "user at the store, when the URL names none")
	flags.StringVar(&o.StoreTLSDir, "store-tls-dir", "",
		"directory with ca.crt, or tls.crt and tls.key, or all three, for rediss://; read for each connection")
	flags.StringVar(&o.StoreDataDir, "store-data-dir", "",
		"directory of the store's files, when this process can see it; its volume's watermark is kept too")
	flags.BoolVar(&o.StoreExclusive, "store-exclusive", false,
		"nobody else uses the store: deliver at once what was in flight when the process before ended")
	flags.BoolVar(&o.DrainStore, "drain-store", false,
		"deliver what the store holds before stopping, because the store goes with the pod")
	flags.BoolVar(&o.AllowWeakDurability, "allow-weak-durability", false,
		"serve although the store's settings can lose acknowledged events")
	flags.StringVar(&o.AdoptStoreFrom, "adopt-store-from", "",
		"id of another installation whose store is taken over; empty takes over none")
	flags.StringSliceVar(&o.TrustedProxies, "trusted-proxies", nil,
		"CIDRs or addresses of proxies whose X-Forwarded-For is believed")
	flags.StringVar(&o.ClusterDomain, "cluster-domain", "cluster.local", "domain of the cluster's Services")
	flags.StringArrayVar(&o.Forward, "forward", nil,
		"namespace/service=URL: deliver there instead; for running outside a cluster (repeatable)")
	flags.IntVar(&o.ShutdownDelaySeconds, "shutdown-delay-seconds", 5,
		"how long requests are still served after the signal to stop")
	flags.IntVar(&o.GracePeriodSeconds, "grace-period-seconds", 30, "time from the signal to stop until the end")
	o.Memory.BindFlags(flags)
	flags.Int64Var(&o.MemoryBudgetBytes, "memory-budget-bytes", 0,
		"bound of what requests under way hold, and again of the events held in memory; "+
			"default: parts of the memory limit that the routes leave, 134217728 without a limit")
	flags.IntVar(&o.NamespaceRequestsPerSecond, "namespace-requests-per-second", 0,
		"rate that the requests of each namespace may have; 0 is no limit")
	flags.IntVar(&o.NamespaceBurst, "namespace-burst", 0,
		"requests of a namespace that may come at once; default: twice the rate")
	flags.Int64Var(&o.NamespaceMaxStoredBytes, "namespace-max-stored-bytes", 0,
		"about how much the events of each namespace may take in the store; 0 is no limit")
	flags.StringVar(&o.OTLPEndpoint, "otlp-endpoint", "",
		"base URL of a collector that takes traces by OTLP/HTTP, such as http://collector:4318; "+
			"empty reads the environment of OpenTelemetry (OTEL_EXPORTER_OTLP_ENDPOINT and its relatives)")
	flags.IntVar(&o.TraceRatePerMillion, "trace-sampling-rate-per-million", 100_000,
		"of a million traces that no sender has decided on, how many are recorded")
	flags.StringVar(&o.Logging.Level, "log-level", "info", "debug, info, warn or error")
	flags.StringVar(&o.Logging.Format, "log-format", logging.FormatAuto, "json, text or auto")
}

// validate returns what the flags mean, or an error that names the wrong one.
func (o *Options) validate() (settings, error) {
	var s settings
	var err error
	switch {
	case o.Namespace == "":
		return s, errors.New("--namespace: must not be empty")
	case o.Store == "":
		return s, errors.New("--store: must be the URL of the store, or memory")
	case o.Store == dataplane.Memory && !o.AllowWeakDurability:
		return s, errors.New("--store: memory loses everything with the process: add --allow-weak-durability to accept that")
	case o.ShutdownDelaySeconds < 0:
		return s, errors.New("--shutdown-delay-seconds: must not be negative")
	case o.GracePeriodSeconds <= o.ShutdownDelaySeconds:
		return s, errors.New("--grace-period-seconds: must be above --shutdown-delay-seconds")
	case o.MemoryBudgetBytes != 0 && o.MemoryBudgetBytes < 1<<20:
		return s, errors.New("--memory-budget-bytes: must be at least 1048576")
	case o.NamespaceRequestsPerSecond < 0 || o.NamespaceBurst < 0 || o.NamespaceMaxStoredBytes < 0:
		return s, errors.New("--namespace-…: a limit must not be negative")
	case o.NamespaceBurst > 0 && o.NamespaceRequestsPerSecond == 0:
		return s, errors.New("--namespace-burst: needs --namespace-requests-per-second")
	}
	if s.trustedProxies, err = parseProxies(o.TrustedProxies); err != nil {
		return s, err
	}
	s.forward, err = input.Forwards("forward", o.Forward)
	s.shutdownDelay = time.Duration(o.ShutdownDelaySeconds) * time.Second
	s.gracePeriod = time.Duration(o.GracePeriodSeconds) * time.Second
	return s, err
}

// tracing takes from the environment what OpenTelemetry's own variables say.
func (o *Options) tracing(logger *slog.Logger) tracing.Options {
	return tracing.Options{
		Endpoint: o.OTLPEndpoint, SamplingRatePerMillion: o.TraceRatePerMillion,
		Version: version.Current().Version, Logger: logger, Lookup: os.LookupEnv,
	}
}

// settings are what flags mean.
type settings struct {
	trustedProxies []netip.Prefix
	forward        map[string]*url.URL
	shutdownDelay  time.Duration
	gracePeriod    time.Duration
}

// namespaceRate is nil without a limit.
func (o *Options) namespaceRate() *route.RateLimit {
	if o.NamespaceRequestsPerSecond == 0 {
		return nil
	}
	return &route.RateLimit{
		RequestsPerSecond: o.NamespaceRequestsPerSecond,
		Burst:             cmp.Or(o.NamespaceBurst, 2*o.NamespaceRequestsPerSecond),
	}
}

func (o *Options) network(s settings) outbound.Network {
	return outbound.Network{ClusterDomain: o.ClusterDomain, Forward: s.forward, Deny: outbound.APIServer()}
}

func parseProxies(texts []string) ([]netip.Prefix, error) {
	prefixes := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			address, addressErr := netip.ParseAddr(text)
			if addressErr != nil {
				return nil, fmt.Errorf("--trusted-proxies: %q is neither a CIDR such as 10.0.0.0/8 nor an address", text)
			}
			prefix = netip.PrefixFrom(address, address.BitLen())
		}
		prefixes = append(prefixes, prefix.Masked())
	}
	return prefixes, nil
}

package resources

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/postern-dev/postern/receiver/queue/acl"
)

// Containers of a receiver's pod.
const (
	ContainerReceiver = "receiver"
	ContainerStore    = "store"
)

const (
	runPath      = "/run/postern"
	socketPath   = runPath + "/redis.sock"
	snapshotPath = runPath + "/routes"
	tlsPath      = "/etc/postern/tls"
	storeTLSPath = "/etc/postern/store-tls"
	// stopMarginSeconds is what the store keeps of the grace period: it stops
	// after the receiver, in the same period.
	stopMarginSeconds = 5
)

// runSizeLimit holds the snapshot of thousands of routes; it counts as memory.
var runSizeLimit = resource.MustParse("64Mi")

// receiverContainer gives arguments and no command: the image's entry point is
// the one binary.
func (m *model) receiverContainer() *corev1ac.ContainerApplyConfiguration {
	container := corev1ac.Container().
		WithName(ContainerReceiver).
		WithImage(m.spec.Image).
		WithArgs(m.receiverArguments()...).
		WithPorts(
			containerPort(m.publicPortName(), portPublicNumber),
			containerPort(portInternal, PortInternal),
		).
		WithResources(applied[corev1ac.ResourceRequirementsApplyConfiguration](m.spec.Resources)).
		WithSecurityContext(containerSecurity()).
		WithVolumeMounts(mount(volumeRun, runPath)).
		// Readiness includes the store; liveness must not, or an outage of the
		// store would become restarts of the receiver.
		WithReadinessProbe(internalProbe("/readyz").WithPeriodSeconds(2).WithFailureThreshold(2)).
		WithLivenessProbe(internalProbe("/healthz").WithPeriodSeconds(10).WithFailureThreshold(6))
	if m.spec.ImagePullPolicy != "" {
		container.WithImagePullPolicy(corev1.PullPolicy(m.spec.ImagePullPolicy))
	}
	if m.tls() {
		container.WithVolumeMounts(mount(volumeTLS, tlsPath).WithReadOnly(true))
	}
	if m.sidecar() {
		// The receiver looks at how full the store's volume is; it writes nothing there.
		container.WithVolumeMounts(mount(volumeData, storePath).WithReadOnly(true))
	} else {
		container.WithEnv(m.externalStoreURL())
	}
	if m.storeTLS() {
		container.WithVolumeMounts(mount(volumeStoreTLS, storeTLSPath).WithReadOnly(true))
	}
	return container.WithEnv(m.tracingHeaders()...)
}

func (m *model) receiverArguments() []string {
	grace := max(m.spec.TerminationGracePeriodSeconds-stopMarginSeconds, 1)
	arguments := []string{
		"receiver",
		"--namespace=" + m.namespace,
		fmt.Sprintf("--listen=:%d", portPublicNumber),
		fmt.Sprintf("--internal=:%d", PortInternal),
		"--snapshot-dir=" + snapshotPath,
		fmt.Sprintf("--shutdown-delay-seconds=%d", *m.spec.ShutdownDelaySeconds),
		fmt.Sprintf("--grace-period-seconds=%d", grace),
		"--log-level=" + strings.ToLower(string(m.spec.LogLevel)),
	}
	if limit := m.spec.Resources.Limits.Memory().Value(); limit > 0 {
		arguments = append(arguments, fmt.Sprintf("--memory-limit-bytes=%d", limit))
	}
	if m.sidecar() {
		arguments = append(arguments, "--store=unix://"+socketPath, "--store-user="+acl.Username,
			"--store-data-dir="+storePath, "--store-exclusive")
	}
	if m.sidecar() && !m.persistent() {
		arguments = append(arguments, "--drain-store")
	}
	if m.storeTLS() {
		arguments = append(arguments, "--store-tls-dir="+storeTLSPath)
	}
	if len(m.spec.TrustedProxies) > 0 {
		arguments = append(arguments, "--trusted-proxies="+join(m.spec.TrustedProxies))
	}
	if m.spec.Store.AllowWeakDurability {
		arguments = append(arguments, "--allow-weak-durability")
	}
	if m.spec.Store.AdoptFrom != "" {
		arguments = append(arguments, "--adopt-store-from="+m.spec.Store.AdoptFrom)
	}
	arguments = append(arguments, m.limitArguments()...)
	if m.tls() {
		arguments = append(arguments, "--tls-cert-dir="+tlsPath)
	}
	arguments = append(arguments, m.tracingArguments()...)
	if m.settings.ClusterDomain != "" {
		arguments = append(arguments, "--cluster-domain="+m.settings.ClusterDomain)
	}
	return arguments
}

// limitArguments are arguments and no part of the routes: a receiver must know
// them before its first request, whether or not the API server can be asked, and
// to change one must not write every route anew.
func (m *model) limitArguments() []string {
	var arguments []string
	add := func(flag string, value int64) {
		if value > 0 {
			arguments = append(arguments, fmt.Sprintf("--namespace-%s=%d", flag, value))
		}
	}
	limits := m.spec.NamespaceLimits
	add("requests-per-second", int64(limits.RateLimit.RequestsPerSecond))
	add("burst", int64(limits.RateLimit.Burst))
	add("max-stored-bytes", limits.MaxStoredBytes.Value())
	return arguments
}

// externalStoreURL comes through the environment, because it may hold a
// password and arguments can be read by everybody on the node.
func (m *model) externalStoreURL() *corev1ac.EnvVarApplyConfiguration {
	reference := m.spec.Store.External.URLSecretRef
	key := string(reference.Key)
	if key == "" {
		key = "url"
	}
	return corev1ac.EnvVar().WithName("POSTERN_STORE").WithValueFrom(corev1ac.EnvVarSource().
		WithSecretKeyRef(corev1ac.SecretKeySelector().WithName(reference.Name).WithKey(key)))
}

func containerPort(name string, number int32) *corev1ac.ContainerPortApplyConfiguration {
	return corev1ac.ContainerPort().
		WithName(name).
		WithContainerPort(number).
		WithProtocol(corev1.ProtocolTCP)
}

func internalProbe(path string) *corev1ac.ProbeApplyConfiguration {
	return corev1ac.Probe().
		WithTimeoutSeconds(2).
		WithHTTPGet(corev1ac.HTTPGetAction().WithPath(path).WithPort(intstr.FromString(portInternal)))
}

func join[S ~string](items []S) string {
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = string(item)
	}
	return strings.Join(texts, ",")
}

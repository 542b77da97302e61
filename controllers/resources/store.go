package resources

import (
	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/postern-dev/postern/receiver/queue/acl"
	"github.com/postern-dev/postern/receiver/queue/serverargs"
)

const storePath = "/data"

// storeContainer is a native sidecar: it starts before the receiver and stops
// after it, so that leases can be returned to the end.
//
// It gives arguments and no command: the entry points of the redis and the
// valkey images both start their own server when the first argument is an
// option, and both images have redis-cli.
func (m *model) storeContainer() *corev1ac.ContainerApplyConfiguration {
	container := corev1ac.Container().
		WithName(ContainerStore).
		WithImage(m.spec.Store.Sidecar.Image).
		WithRestartPolicy(corev1.ContainerRestartPolicyAlways).
		WithArgs(m.storeArguments()...).
		WithWorkingDir(storePath).
		WithResources(applied[corev1ac.ResourceRequirementsApplyConfiguration](m.spec.Store.Sidecar.Resources)).
		WithSecurityContext(containerSecurity()).
		WithVolumeMounts(mount(volumeRun, runPath), mount(volumeData, storePath)).
		WithStartupProbe(storeProbe())
	if m.spec.ImagePullPolicy != "" {
		container.WithImagePullPolicy(corev1.PullPolicy(m.spec.ImagePullPolicy))
	}
	return container
}

// storeProbe waits ten minutes for the log to be replayed, at some seconds a
// GiB. There is no liveness probe: the store exits by itself when the disk
// fails, and killing one that only waits for a slow fsync makes matters worse.
func storeProbe() *corev1ac.ProbeApplyConfiguration {
	return corev1ac.Probe().
		WithPeriodSeconds(1).
		WithFailureThreshold(600).
		WithTimeoutSeconds(2).
		WithExec(corev1ac.ExecAction().WithCommand(
			"redis-cli", "-e", "-s", socketPath, "--user", acl.Username, "--pass", "none", "--no-auth-warning", "ping"))
}

// storeArguments are the whole configuration: a socket instead of a port, every
// write on the disk before its answer, and full means refused.
func (m *model) storeArguments() []string {
	arguments := []string{
		"--port", "0",
		"--unixsocket", socketPath,
		"--unixsocketperm", "700",
		"--dir", storePath,
	}
	arguments = append(arguments, serverargs.Sized(m.spec.Store.Sidecar.MaxMemory.Value())...)
	arguments = append(arguments, serverargs.Durable...)
	arguments = append(arguments, serverargs.Tuned...)
	return append(arguments, acl.ServerArgs()...)
}

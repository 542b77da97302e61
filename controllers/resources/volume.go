package resources

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
)

// ContainerVolume waits for the volume before the store starts.
const ContainerVolume = "volume"

// volumeContainer runs before the store. Kubernetes replaces a pod that is
// deleted at once, while it goes on serving until its grace period is over; a
// claim that one node may mount does not keep two pods of that node apart. The
// receiver holds the volume's lock until it has returned its leases.
func (m *model) volumeContainer() *corev1ac.ContainerApplyConfiguration {
	container := corev1ac.Container().
		WithName(ContainerVolume).
		WithImage(m.spec.Image).
		WithArgs("receiver", "wait-for-volume", storePath).
		WithResources(applied[corev1ac.ResourceRequirementsApplyConfiguration](
			memoryBound("10m", resource.MustParse("16Mi"), resource.MustParse("64Mi")))).
		WithSecurityContext(containerSecurity()).
		WithVolumeMounts(mount(volumeData, storePath).WithReadOnly(true))
	if m.spec.ImagePullPolicy != "" {
		container.WithImagePullPolicy(corev1.PullPolicy(m.spec.ImagePullPolicy))
	}
	return container
}

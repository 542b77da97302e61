package resources

import (
	"cmp"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"github.com/postern-dev/postern/api/v1alpha1"
)

// fill sets the defaults. Those that stand in the schema too are repeated for
// objects that were stored before the schema had them.
func fill(spec *v1alpha1.WebhookReceiverSpec, settings Settings) {
	spec.Image = cmp.Or(spec.Image, settings.Image)
	if spec.Replicas == nil {
		spec.Replicas = ptr.To[int32](1)
	}
	if spec.ShutdownDelaySeconds == nil {
		spec.ShutdownDelaySeconds = ptr.To[int32](5)
	}
	spec.TerminationGracePeriodSeconds = cmp.Or(spec.TerminationGracePeriodSeconds, 60)
	spec.LogLevel = cmp.Or(spec.LogLevel, v1alpha1.LogLevelInfo)
	spec.Service.Type = cmp.Or(spec.Service.Type, v1alpha1.ServiceTypeClusterIP)
	spec.Service.Port = cmp.Or(spec.Service.Port, 80)
	if len(spec.Resources.Requests) == 0 && len(spec.Resources.Limits) == 0 {
		spec.Resources = memoryBound("100m", resource.MustParse("128Mi"), resource.MustParse("512Mi"))
	}
	spec.Store.Type = cmp.Or(spec.Store.Type, v1alpha1.StoreTypeSidecar)
	fillSidecar(&spec.Store.Sidecar)
}

func fillSidecar(sidecar *v1alpha1.SidecarStore) {
	sidecar.Image = cmp.Or(sidecar.Image, DefaultStoreImage)
	if sidecar.MaxMemory.IsZero() {
		sidecar.MaxMemory = resource.MustParse("256Mi")
	}
	sidecar.Persistence.Type = cmp.Or(sidecar.Persistence.Type, v1alpha1.PersistencePVC)
	if sidecar.Persistence.Size.IsZero() {
		sidecar.Persistence.Size = resource.MustParse("2Gi")
	}
	if len(sidecar.Persistence.AccessModes) == 0 {
		sidecar.Persistence.AccessModes = []v1alpha1.AccessMode{v1alpha1.AccessMode(corev1.ReadWriteOnce)}
	}
	if len(sidecar.Resources.Requests) == 0 && len(sidecar.Resources.Limits) == 0 {
		// A rewrite of the log forks, and pages that are written meanwhile exist
		// twice: the limit allows for all of them.
		request := resource.NewQuantity(sidecar.MaxMemory.Value()+64<<20, resource.BinarySI)
		limit := resource.NewQuantity(2*sidecar.MaxMemory.Value()+128<<20, resource.BinarySI)
		sidecar.Resources = memoryBound("100m", *request, *limit)
	}
}

// memoryBound has no CPU limit: throttling would delay acknowledgements that
// senders wait three seconds for.
func memoryBound(cpu string, request, limit resource.Quantity) corev1.ResourceRequirements {
	return corev1.ResourceRequirements{
		Requests: corev1.ResourceList{
			corev1.ResourceCPU:    resource.MustParse(cpu),
			corev1.ResourceMemory: request,
		},
		Limits: corev1.ResourceList{corev1.ResourceMemory: limit},
	}
}

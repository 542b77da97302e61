package resources

import (
	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/postern-dev/postern/controllers/meta"
)

const (
	volumeData = "store"
	volumeRun  = "run"
	volumeTLS  = "tls"

	volumeStoreTLS = "store-tls"
)

// storeClaim has no owner: events that were acknowledged must not vanish with
// a WebhookReceiver that was deleted by mistake. One of the same name takes the
// claim up again; whoever wants the events gone deletes the claim.
func (m *model) storeClaim() *corev1ac.PersistentVolumeClaimApplyConfiguration {
	persistence := m.spec.Store.Sidecar.Persistence
	spec := corev1ac.PersistentVolumeClaimSpec().
		WithResources(corev1ac.VolumeResourceRequirements().
			WithRequests(corev1.ResourceList{corev1.ResourceStorage: persistence.Size}))
	for _, mode := range persistence.AccessModes {
		spec.WithAccessModes(corev1.PersistentVolumeAccessMode(mode))
	}
	if persistence.StorageClassName != nil {
		spec.WithStorageClassName(*persistence.StorageClassName)
	}
	return corev1ac.PersistentVolumeClaim(meta.StoreClaimName(m.receiver), m.namespace).
		WithLabels(m.labels).
		WithSpec(spec)
}

func (m *model) volumes() []*corev1ac.VolumeApplyConfiguration {
	// Socket and route snapshot stay in memory: the snapshot holds key material,
	// which must not reach a disk.
	volumes := []*corev1ac.VolumeApplyConfiguration{
		corev1ac.Volume().WithName(volumeRun).WithEmptyDir(corev1ac.EmptyDirVolumeSource().
			WithMedium(corev1.StorageMediumMemory).
			WithSizeLimit(runSizeLimit)),
	}
	switch {
	case m.persistent():
		volumes = append(volumes, corev1ac.Volume().WithName(volumeData).
			WithPersistentVolumeClaim(corev1ac.PersistentVolumeClaimVolumeSource().
				WithClaimName(meta.StoreClaimName(m.receiver))))
	case m.sidecar():
		volumes = append(volumes, corev1ac.Volume().WithName(volumeData).
			WithEmptyDir(corev1ac.EmptyDirVolumeSource().
				WithSizeLimit(m.spec.Store.Sidecar.Persistence.Size)))
	}
	if m.tls() {
		volumes = append(volumes, corev1ac.Volume().WithName(volumeTLS).
			WithSecret(corev1ac.SecretVolumeSource().
				WithSecretName(m.spec.TLS.SecretName).
				WithDefaultMode(0o440)))
	}
	if m.storeTLS() {
		volumes = append(volumes, corev1ac.Volume().WithName(volumeStoreTLS).
			WithSecret(corev1ac.SecretVolumeSource().
				WithSecretName(m.spec.Store.External.TLSSecretRef.Name).
				WithDefaultMode(0o440)))
	}
	return volumes
}

func mount(volume, path string) *corev1ac.VolumeMountApplyConfiguration {
	return corev1ac.VolumeMount().WithName(volume).WithMountPath(path)
}

package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Store is where accepted events are kept until they are delivered.
//
// +kubebuilder:validation:XValidation:rule="!has(self.type) || self.type == 'Sidecar' || !has(self.sidecar)",message="`sidecar` may not be set with `type: External`: remove it, or write `type: Sidecar`",fieldPath=".sidecar",reason=FieldValueForbidden
// +kubebuilder:validation:XValidation:rule="(has(self.type) && self.type == 'External') || !has(self.external)",message="`external` needs `type: External`",fieldPath=".external",reason=FieldValueForbidden
// +kubebuilder:validation:XValidation:rule="!has(self.type) || self.type != 'External' || has(self.external)",message="`type: External` needs `external.urlSecretRef`, the Secret with the store's URL",fieldPath=".external",reason=FieldValueRequired
type Store struct {
	// type is Sidecar, a store in the receiver's pod, or External, a Redis or Valkey
	// that you run.
	// +optional
	// +default="Sidecar"
	// +unionDiscriminator
	Type StoreType `json:"type,omitempty"`

	// sidecar is the store in the receiver's pod.
	// +optional
	// +unionMember
	Sidecar SidecarStore `json:"sidecar,omitzero"`

	// external is a store that you run.
	// +optional
	// +unionMember
	External ExternalStore `json:"external,omitzero"`

	// allowWeakDurability serves even when the store's settings can lose events that
	// were acknowledged. A condition says so as long as it is set.
	// +optional
	AllowWeakDurability bool `json:"allowWeakDurability,omitempty"`

	// adoptFrom is the id of another installation whose store is taken over. A store
	// belongs to one installation, and receivers of another one are not ready
	// (StoreOfAnotherInstallation); their message names the id to write here.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	AdoptFrom string `json:"adoptFrom,omitempty"`
}

// StoreType is where the store runs.
//
// +kubebuilder:validation:Enum=Sidecar;External
type StoreType string

// Store types.
const (
	// StoreTypeSidecar runs the store as a native sidecar of the one receiver pod.
	StoreTypeSidecar StoreType = "Sidecar"
	// StoreTypeExternal uses a Redis or Valkey that is run elsewhere.
	StoreTypeExternal StoreType = "External"
)

// SidecarStore is a store in the receiver's pod, reached over a Unix socket.
//
// +kubebuilder:validation:MinProperties=1
type SidecarStore struct {
	// image is the store's image; the default is Valkey.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Image string `json:"image,omitempty"`

	// persistence is the volume that holds the store's log.
	// +optional
	Persistence StorePersistence `json:"persistence,omitzero"`

	// maxMemory bounds the store's memory; at 80 % of it new events are refused with
	// 503, none is dropped. The default is 256Mi.
	// +optional
	// +kubebuilder:validation:XValidation:rule="quantity(string(self)).compareTo(quantity('16Mi')) >= 0",message="must be at least 16Mi"
	MaxMemory resource.Quantity `json:"maxMemory,omitzero"`

	// resources of the store's container; the memory limit must leave room above maxMemory.
	// +optional
	Resources corev1.ResourceRequirements `json:"resources,omitzero"`
}

// StorePersistence is the volume of a sidecar store.
//
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="!has(self.type) || self.type != 'EmptyDir' || (!has(self.storageClassName) && !has(self.accessModes))",message="`storageClassName` and `accessModes` may not be set with `type: EmptyDir`: remove them, or write `type: PVC`",fieldPath=".storageClassName",reason=FieldValueForbidden
type StorePersistence struct {
	// type is PVC (the default), which survives the pod, or EmptyDir, which does not.
	// +optional
	Type PersistenceType `json:"type,omitempty"`

	// size of the volume; the default is 2Gi.
	// +optional
	// +kubebuilder:validation:XValidation:rule="quantity(string(self)).compareTo(quantity('64Mi')) >= 0",message="must be at least 64Mi"
	Size resource.Quantity `json:"size,omitzero"`

	// storageClassName of the claim; absent means the cluster's default class, empty
	// means no class.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	StorageClassName *string `json:"storageClassName,omitempty"`

	// accessModes of the claim; the default is ReadWriteOnce.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=4
	AccessModes []AccessMode `json:"accessModes,omitempty"`
}

// PersistenceType is what kind of volume holds the store's log.
//
// +kubebuilder:validation:Enum=PVC;EmptyDir
type PersistenceType string

// Persistence types.
const (
	// PersistencePVC is a PersistentVolumeClaim.
	PersistencePVC PersistenceType = "PVC"
	// PersistenceEmptyDir is a volume on the node's disk that goes with the pod.
	PersistenceEmptyDir PersistenceType = "EmptyDir"
)

// AccessMode is how a claim is mounted.
//
// +kubebuilder:validation:Enum=ReadWriteOnce;ReadWriteOncePod;ReadWriteMany
type AccessMode string

// ExternalStore is a Redis or Valkey that is run elsewhere.
type ExternalStore struct {
	// urlSecretRef names the Secret of this namespace with the store's URL, user and
	// password included: redis://host:port, or rediss:// for TLS. "?addr=host:port" adds
	// nodes of a Cluster, "?master_set=name" asks Sentinels.
	// +required
	URLSecretRef URLSecretReference `json:"urlSecretRef,omitzero"`

	// tlsSecretRef names a Secret of this namespace with certificates for rediss://:
	// `ca.crt` is believed instead of the system's authorities, `tls.crt` and `tls.key`
	// are shown to the store. Either may be absent; a change takes effect by itself.
	// +optional
	TLSSecretRef LocalSecretReference `json:"tlsSecretRef,omitzero"`
}

// URLSecretReference names one key of a Secret in the same namespace.
type URLSecretReference struct {
	// name is the Secret's name.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="must be the name of a Secret in this namespace, not the URL itself"
	Name string `json:"name,omitempty"`

	// key is the key within the Secret.
	// +optional
	// +default="url"
	Key SecretKey `json:"key,omitempty"`
}

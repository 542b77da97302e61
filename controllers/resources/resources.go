package resources

import (
	"k8s.io/apimachinery/pkg/runtime"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/meta"
)

// DefaultStoreImage is the sidecar store's image if the WebhookReceiver names
// none. Valkey, because its licence lets everybody run and pass it on.
const DefaultStoreImage = "docker.io/valkey/valkey:9.1.2"

// Settings are what the manager's flags add to every WebhookReceiver.
type Settings struct {
	// Image is the receiver's image for WebhookReceivers that name none.
	Image string
	// ClusterDomain is the domain of Service names; empty means cluster.local.
	ClusterDomain string
}

// Receiver returns the objects of one WebhookReceiver in the order in which
// they are to be applied: what a pod needs comes before the pod.
func Receiver(receiver *v1alpha1.WebhookReceiver, settings Settings) []runtime.ApplyConfiguration {
	m := newModel(receiver, settings)
	objects := []runtime.ApplyConfiguration{
		m.serviceAccount(),
		m.role(),
		m.roleBinding(),
		m.networkPolicy(),
		m.publicService(),
		m.internalService(),
	}
	if m.persistent() {
		objects = append(objects, m.storeClaim())
	}
	return append(objects, m.disruptionBudget(), m.deployment())
}

// model is a WebhookReceiver with every default filled in.
type model struct {
	name      string
	namespace string
	receiver  string
	labels    map[string]string
	selector  map[string]string
	owner     *metav1ac.OwnerReferenceApplyConfiguration
	spec      v1alpha1.WebhookReceiverSpec
	settings  Settings
}

func newModel(receiver *v1alpha1.WebhookReceiver, settings Settings) *model {
	spec := *receiver.Spec.DeepCopy()
	fill(&spec, settings)
	return &model{
		name:      meta.ReceiverName(receiver.Name),
		namespace: receiver.Namespace,
		receiver:  receiver.Name,
		labels:    meta.ReceiverLabels(receiver.Name),
		selector:  meta.ReceiverSelector(receiver.Name),
		owner: metav1ac.OwnerReference().
			WithAPIVersion(v1alpha1.GroupVersion.String()).
			WithKind(v1alpha1.KindWebhookReceiver).
			WithName(receiver.Name).
			WithUID(receiver.UID).
			WithController(true).
			WithBlockOwnerDeletion(true),
		spec:     spec,
		settings: settings,
	}
}

// persistent says whether the store's log is on a claim of its own.
func (m *model) persistent() bool {
	return m.sidecar() && m.spec.Store.Sidecar.Persistence.Type == v1alpha1.PersistencePVC
}

// sidecar says whether the store runs in the receiver's pod.
func (m *model) sidecar() bool { return m.spec.Store.Type == v1alpha1.StoreTypeSidecar }

// tls says whether the receiver serves HTTPS itself.
func (m *model) tls() bool { return m.spec.TLS.SecretName != "" }

// storeTLS tells whether the receiver needs certificates for its store.
func (m *model) storeTLS() bool {
	return !m.sidecar() && m.spec.Store.External.TLSSecretRef.Name != ""
}

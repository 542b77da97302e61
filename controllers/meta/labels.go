package meta

// FieldOwner is the manager's name in managed fields. It must never change:
// fields applied under an old name would never be removed again.
const FieldOwner = "postern"

// Recommended labels (https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels).
const (
	LabelName      = "app.kubernetes.io/name"
	LabelInstance  = "app.kubernetes.io/instance"
	LabelComponent = "app.kubernetes.io/component"
	LabelPartOf    = "app.kubernetes.io/part-of"
	LabelManagedBy = "app.kubernetes.io/managed-by"
)

// Values of the recommended labels.
const (
	AppName            = "postern"
	ManagedByPostern   = "postern"
	ComponentReceiver  = "receiver"
	ComponentManager   = "manager"
	ComponentRoute     = "route"
	ComponentReplay    = "replay"
	ComponentTombstone = "tombstone"
)

// Labels and annotations of route Secrets, the contract with the receivers.
const (
	// LabelRoute marks route Secrets; receivers watch it.
	LabelRoute = "hooks.postern.dev/route"
	// LabelRouteIndex marks the index Secret; receivers watch it.
	LabelRouteIndex = "hooks.postern.dev/route-index"
	// LabelReplay marks the Secrets that ask for replays; receivers watch it.
	LabelReplay = "hooks.postern.dev/replay"
	// LabelTombstone marks the Secrets that end endpoints; receivers watch it.
	LabelTombstone = "hooks.postern.dev/tombstone"
	// LabelTrue is the value of the marking labels.
	LabelTrue = "true"

	// AnnotationEndpoint names a route's endpoint as <namespace>/<name>.
	AnnotationEndpoint = "hooks.postern.dev/endpoint"
	// AnnotationReplay names a replay's WebhookReplay as <namespace>/<name>.
	AnnotationReplay = "hooks.postern.dev/webhookreplay"
	// AnnotationRouteHash is the hash of the route in the Secret.
	AnnotationRouteHash = "hooks.postern.dev/route-hash"
	// AnnotationPath is the path that the route serves, for finding conflicts.
	AnnotationPath = "hooks.postern.dev/path"
)

// FinalizerRoute keeps an endpoint until its route is removed.
const FinalizerRoute = "hooks.postern.dev/route"

// FinalizerReplay keeps a WebhookReplay until receivers no longer see it.
const FinalizerReplay = "hooks.postern.dev/replay"

// RouteLabels are the labels of every route Secret.
func RouteLabels() map[string]string {
	return map[string]string{
		LabelRoute:     LabelTrue,
		LabelName:      AppName,
		LabelComponent: ComponentRoute,
		LabelPartOf:    AppName,
		LabelManagedBy: ManagedByPostern,
	}
}

// RouteIndexLabels are the labels of the index Secret.
func RouteIndexLabels() map[string]string {
	labels := RouteLabels()
	delete(labels, LabelRoute)
	labels[LabelRouteIndex] = LabelTrue
	return labels
}

// ReplayLabels are the labels of every Secret that asks for a replay.
func ReplayLabels() map[string]string {
	labels := RouteLabels()
	delete(labels, LabelRoute)
	labels[LabelReplay] = LabelTrue
	labels[LabelComponent] = ComponentReplay
	return labels
}

// TombstoneLabels are the labels of every Secret that ends an endpoint.
func TombstoneLabels() map[string]string {
	labels := RouteLabels()
	delete(labels, LabelRoute)
	labels[LabelTombstone] = LabelTrue
	labels[LabelComponent] = ComponentTombstone
	return labels
}

// ReceiverSelector selects the pods of one WebhookReceiver. It must never
// change: a Deployment's selector is immutable.
func ReceiverSelector(receiver string) map[string]string {
	return map[string]string{
		LabelName:      AppName,
		LabelInstance:  receiver,
		LabelComponent: ComponentReceiver,
	}
}

// AllReceiversSelector selects the pods of every WebhookReceiver.
func AllReceiversSelector() map[string]string {
	return map[string]string{LabelName: AppName, LabelComponent: ComponentReceiver}
}

// ReceiverLabels are the labels of every object of one WebhookReceiver.
func ReceiverLabels(receiver string) map[string]string {
	labels := ReceiverSelector(receiver)
	labels[LabelPartOf] = AppName
	labels[LabelManagedBy] = ManagedByPostern
	return labels
}

// ManagedBy selects everything that the manager applied.
func ManagedBy() map[string]string {
	return map[string]string{LabelManagedBy: ManagedByPostern}
}

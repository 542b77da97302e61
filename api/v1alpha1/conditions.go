package v1alpha1

// Condition types of WebhookEndpoints.
const (
	// ConditionAccepted says that the spec is valid and its path free.
	ConditionAccepted = "Accepted"
	// ConditionSecretsResolved says that every referenced Secret and key exists.
	ConditionSecretsResolved = "SecretsResolved"
	// ConditionTargetsResolved says that every target exists and is permitted.
	ConditionTargetsResolved = "TargetsResolved"
	// ConditionProgrammed says that every ready receiver pod serves the route of
	// observedGeneration, confirmed by asking each.
	ConditionProgrammed = "Programmed"
	// ConditionEnforced is False while requests are delivered that failed
	// verification or had none. It is not part of Ready.
	ConditionEnforced = "Enforced"
)

// ConditionReady is the summary of the other conditions, of both kinds.
const ConditionReady = "Ready"

// Condition types of WebhookReceivers, besides Accepted and Ready.
const (
	// ConditionDeployed says that every object of the receiver was applied.
	ConditionDeployed = "Deployed"
	// ConditionAvailable says that as many pods serve as were asked for.
	ConditionAvailable = "Available"
	// ConditionDurable is False while the store can lose events that were acknowledged.
	// It is not part of Ready.
	ConditionDurable = "Durable"
	// ConditionAdmitting is False while a store is full, so that new events are refused.
	ConditionAdmitting = "Admitting"
	// ConditionDeduplicationShortened is True while copies of events are recognised
	// for less time than endpoints ask for. It is not part of Ready.
	ConditionDeduplicationShortened = "DeduplicationShortened"
	// ConditionCertificateValid is there with `tls`, and False when clients refuse
	// the certificate.
	ConditionCertificateValid = "CertificateValid"
)

// Condition types of WebhookReplays.
const (
	// ConditionComplete is True when every matching event was made due again, or
	// counted in a dry run.
	ConditionComplete = "Complete"
	// ConditionFailed is True when the replay ended without having been completed.
	ConditionFailed = "Failed"
)

// Reasons of conditions that are True; a condition that is True for no special
// reason has the condition's own type as reason.
const (
	// ReasonSuspended is Ready's reason while the endpoint queues and delivers nothing.
	ReasonSuspended = "Suspended"
)

// Reasons of Accepted=False.
const (
	// ReasonPathConflict: an older endpoint has the host and path.
	ReasonPathConflict = "PathConflict"
	// ReasonInvalidPath: the path is outside the namespace's prefix or not plain.
	ReasonInvalidPath = "InvalidPath"
	// ReasonInvalidHost: a host is not a host name.
	ReasonInvalidHost = "InvalidHost"
	// ReasonInvalidAddressRange: an allowed range is neither CIDR nor address.
	ReasonInvalidAddressRange = "InvalidAddressRange"
	// ReasonAddressRangesUnavailable: the ranges of a provider have not been fetched yet.
	ReasonAddressRangesUnavailable = "AddressRangesUnavailable"
	// ReasonInvalidExpression: a CEL expression does not compile.
	ReasonInvalidExpression = "InvalidExpression"
	// ReasonUnknownProvider: this release has no such provider.
	ReasonUnknownProvider = "UnknownProvider"
	// ReasonInvalidOptions: the provider needs an option that is missing, or does not know one that is set.
	ReasonInvalidOptions = "InvalidOptions"
	// ReasonInvalidScheme: the declarative scheme contradicts itself.
	ReasonInvalidScheme = "InvalidScheme"
	// ReasonInvalidSpec: another field has a value that the schema would refuse.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonRouteTooLarge: what receivers need of the endpoint is more than they hold for one.
	ReasonRouteTooLarge = "RouteTooLarge"
	// ReasonSecretRequired: the source needs a secret and secretRef is not set.
	ReasonSecretRequired = "SecretRequired"
	// ReasonNamespaceLimitExceeded: the namespace has as many endpoints as it may.
	ReasonNamespaceLimitExceeded = "NamespaceLimitExceeded"
	// ReasonNoReceiver: no WebhookReceiver serves this cluster.
	ReasonNoReceiver = "NoReceiver"
)

// Reasons of SecretsResolved=False.
const (
	// ReasonSecretNotFound: the referenced Secret does not exist.
	ReasonSecretNotFound = "SecretNotFound"
	// ReasonKeyNotFound: the Secret lacks the (first) key.
	ReasonKeyNotFound = "KeyNotFound"
	// ReasonEmptySecret: a key's value is empty.
	ReasonEmptySecret = "EmptySecret"
	// ReasonInvalidSecret: a key's value cannot be used as this source's secret.
	ReasonInvalidSecret = "InvalidSecret"
)

// Reasons of TargetsResolved=False.
const (
	// ReasonServiceNotFound: the Service does not exist; events queue for it.
	ReasonServiceNotFound = "ServiceNotFound"
	// ReasonPortNotFound: the Service has no such port; events queue for it.
	ReasonPortNotFound = "PortNotFound"
	// ReasonNotPermitted: no ReferenceGrant of the Service's namespace consents.
	ReasonNotPermitted = "NotPermitted"
	// ReasonNamespaceNotServed: the manager does not look into the Service's namespace.
	ReasonNamespaceNotServed = "NamespaceNotServed"
	// ReasonExternalNameForbidden: the Service is an alias of a name outside the cluster.
	ReasonExternalNameForbidden = "ExternalNameForbidden"
	// ReasonServiceForbidden: the Service may not be a target, such as the API server's.
	ReasonServiceForbidden = "ServiceForbidden"
)

// Reasons of Programmed.
const (
	// ReasonProgramming: not every ready receiver pod has confirmed the route yet.
	ReasonProgramming = "Programming"
	// ReasonNoReceiverPods: no receiver pod is ready.
	ReasonNoReceiverPods = "NoReceiverPods"
	// ReasonRouteRejected: a receiver pod refuses the route.
	ReasonRouteRejected = "RouteRejected"
)

// Reasons of Enforced=False.
const (
	// ReasonAuditOnly: enforcement is Audit.
	ReasonAuditOnly = "AuditOnly"
	// ReasonNotVerified: the provider is none.
	ReasonNotVerified = "NotVerified"
)

// Reasons of WebhookReceiver conditions.
const (
	// ReasonApplyFailed: an object could not be applied.
	ReasonApplyFailed = "ApplyFailed"
	// ReasonForeignObject: an object of the receiver's name exists and is not Postern's.
	ReasonForeignObject = "ForeignObject"
	// ReasonRollingOut: fewer pods serve than were asked for.
	ReasonRollingOut = "RollingOut"
	// ReasonWrongNamespace: only WebhookReceivers of the system namespace are run.
	ReasonWrongNamespace = "WrongNamespace"
	// ReasonInvalidName: the name leaves no room for the names of the objects.
	ReasonInvalidName = "InvalidName"
	// ReasonImagePullFailed: a pod's image cannot be pulled.
	ReasonImagePullFailed = "ImagePullFailed"
	// ReasonVolumePending: the store's volume was not provisioned.
	ReasonVolumePending = "VolumePending"
	// ReasonUnschedulable: no node takes a pod.
	ReasonUnschedulable = "Unschedulable"
	// ReasonPodFailing: a container cannot start or keeps exiting.
	ReasonPodFailing = "PodFailing"
	// ReasonPodNotReady: a pod runs and says that it cannot serve.
	ReasonPodNotReady = "PodNotReady"
	// ReasonStoreUnavailable: a pod's store does not answer, or refuses it.
	ReasonStoreUnavailable = "StoreUnavailable"
	// ReasonStoreNotDurable: a pod's store has settings that lose acknowledged events.
	ReasonStoreNotDurable = "StoreNotDurable"
	// ReasonStoreOfAnotherInstallation: a pod's store belongs to another installation.
	ReasonStoreOfAnotherInstallation = "StoreOfAnotherInstallation"
	// ReasonRoutesIncomplete: a pod has not got all routes yet.
	ReasonRoutesIncomplete = "RoutesIncomplete"
	// ReasonStoreFull: new events are refused until there is room.
	ReasonStoreFull = "StoreFull"
	// ReasonMarksGaveWay: deduplication marks were dropped to make room for events.
	ReasonMarksGaveWay = "MarksGaveWay"
	// ReasonWindowsKept: no marks were dropped whose windows still last.
	ReasonWindowsKept = "WindowsKept"
	// ReasonCertificateExpired: the certificate's time is over.
	ReasonCertificateExpired = "CertificateExpired"
	// ReasonCertificateInvalid: there is no certificate, or its time has not begun.
	ReasonCertificateInvalid = "CertificateInvalid"
	// ReasonScaledToZero: replicas is 0.
	ReasonScaledToZero = "ScaledToZero"
	// ReasonWeakDurability: allowWeakDurability is set.
	ReasonWeakDurability = "WeakDurability"
	// ReasonEmptyDir: the store goes with its pod.
	ReasonEmptyDir = "EmptyDir"
)

// Reasons of WebhookReplay conditions.
const (
	// ReasonEndpointNotFound: the WebhookEndpoint does not exist; the replay waits for it.
	ReasonEndpointNotFound = "EndpointNotFound"
	// ReasonEndpointNotProgrammed: no receiver serves the WebhookEndpoint yet.
	ReasonEndpointNotProgrammed = "EndpointNotProgrammed"
	// ReasonEndpointReplaced: the WebhookEndpoint was deleted while the replay ran, and its events with it.
	ReasonEndpointReplaced = "EndpointReplaced"
	// ReasonWaitingForReceiver: no receiver has taken the replay yet.
	ReasonWaitingForReceiver = "WaitingForReceiver"
	// ReasonReplaying: a receiver makes events due.
	ReasonReplaying = "Replaying"
	// ReasonReplayed: every matching event was made due again.
	ReasonReplayed = "Replayed"
	// ReasonDryRun: the matching events were counted and none replayed.
	ReasonDryRun = "DryRun"
)

{{/* Values that contradict each other; what one value may be is in values.schema.json. */}}
{{- define "postern.validate" -}}
{{- $receiver := .Values.receiver -}}
{{- $store := $receiver.store -}}
{{- $external := eq ($store.type | default "Sidecar") "External" -}}
{{- if and (gt (int $receiver.replicas) 1) (not $external) -}}
{{- fail "receiver.replicas above 1 needs receiver.store.type=External: several pods with a store of their own each would not recognise each other's duplicates" -}}
{{- end -}}
{{- if and $external (not $store.external.urlSecretRef.name) -}}
{{- fail "receiver.store.type=External needs receiver.store.external.urlSecretRef.name: the Secret with the store's URL" -}}
{{- end -}}
{{- if and (not $external) $store.external.urlSecretRef.name -}}
{{- fail "receiver.store.external is set, but receiver.store.type is Sidecar: set it to External, or remove the reference" -}}
{{- end -}}
{{- if and $external (include "postern.set" $store.sidecar | fromJson) -}}
{{- fail "receiver.store.sidecar is set, but receiver.store.type is External: remove it, or set the type to Sidecar" -}}
{{- end -}}
{{- $persistence := $store.sidecar.persistence -}}
{{- if and (eq $persistence.type "EmptyDir") (or (kindIs "string" $persistence.storageClassName) $persistence.accessModes) -}}
{{- fail "receiver.store.sidecar.persistence.type=EmptyDir has no storage class and no access modes: remove storageClassName and accessModes, or set the type to PVC" -}}
{{- end -}}
{{- $period := $receiver.terminationGracePeriodSeconds | default 60 -}}
{{- if le (int $period) (int $receiver.shutdownDelaySeconds) -}}
{{- fail "receiver.terminationGracePeriodSeconds must be above receiver.shutdownDelaySeconds: what remains is the time to finish requests and deliveries" -}}
{{- end -}}
{{- if and (eq $receiver.service.type "ClusterIP") (or $receiver.service.nodePort $receiver.service.externalTrafficPolicy) -}}
{{- fail "receiver.service.nodePort and externalTrafficPolicy need receiver.service.type=NodePort or LoadBalancer" -}}
{{- end -}}
{{- if and (ne $receiver.service.type "LoadBalancer") $receiver.service.loadBalancerClass -}}
{{- fail "receiver.service.loadBalancerClass needs receiver.service.type=LoadBalancer" -}}
{{- end -}}
{{- if .Values.certificate.enabled -}}
{{- if not .Values.certificate.dnsNames -}}{{- fail "certificate.enabled needs certificate.dnsNames" -}}{{- end -}}
{{- if not .Values.certificate.issuerRef.name -}}{{- fail "certificate.enabled needs certificate.issuerRef.name" -}}{{- end -}}
{{- if and $receiver.tls.secretName (ne $receiver.tls.secretName .Values.certificate.secretName) -}}
{{- fail "receiver.tls.secretName differs from certificate.secretName: remove it, or turn the certificate off" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) -}}{{- fail "ingress.enabled needs ingress.hosts: an Ingress without a host would take every host's traffic" -}}{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}{{- fail "httpRoute.enabled needs httpRoute.parentRefs: the Gateway that it attaches to" -}}{{- end -}}
{{- if and (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) -}}{{- fail "serviceAccount.create=false needs serviceAccount.name" -}}{{- end -}}
{{- if and .Values.manager.podDisruptionBudget.enabled (lt (int .Values.manager.replicas) 2) -}}{{- fail "manager.podDisruptionBudget.enabled needs manager.replicas of 2 or more: with one, nodes could not be drained or the budget would mean nothing" -}}{{- end -}}
{{- if and .Values.metrics.serviceMonitor.enabled (not .Values.metrics.enabled) -}}{{- fail "metrics.serviceMonitor.enabled needs metrics.enabled" -}}{{- end -}}
{{- include "postern.alone" . }}
{{- end }}

{{/* Two managers for the same endpoints would each write their status, and each remove what the other made. */}}
{{- define "postern.alone" -}}
{{- if and .Values.rbac.create (not .Values.watchNamespaces) -}}
{{- range (lookup "rbac.authorization.k8s.io/v1" "ClusterRoleBinding" "" "").items -}}
{{- $subject := first (.subjects | default (list dict)) -}}
{{- if and (eq (dig "labels" "app.kubernetes.io/name" "" .metadata) "postern") (hasSuffix "-manager" .roleRef.name) (ne $subject.namespace $.Release.Namespace) -}}
{{- fail (printf "Postern in namespace %s (ClusterRoleBinding %s) serves all namespaces already: upgrade or uninstall that one, or set watchNamespaces in both" $subject.namespace .metadata.name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

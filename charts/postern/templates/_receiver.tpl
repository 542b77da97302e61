{{/*
The WebhookReceiver as JSON, with what is set in .Values.receiver and nothing
else, so that the API's defaults stay the API's.
*/}}
{{- define "postern.receiver" -}}
{{- $spec := omit (deepCopy .Values.receiver) "enabled" "labels" "annotations" -}}
{{- if not $spec.imagePullPolicy -}}
{{- $_ := set $spec "imagePullPolicy" .Values.image.pullPolicy -}}
{{- end -}}
{{- if not $spec.imagePullSecrets -}}
{{- $_ := set $spec "imagePullSecrets" .Values.imagePullSecrets -}}
{{- end -}}
{{- if and .Values.certificate.enabled (not $spec.tls.secretName) -}}
{{- $_ := set $spec.tls "secretName" .Values.certificate.secretName -}}
{{- end -}}
{{- $persistence := $spec.store.sidecar.persistence -}}
{{- $class := $persistence.storageClassName -}}
{{- $set := include "postern.set" $spec | fromJson -}}
{{- if kindIs "string" $class -}}
{{/* An empty class is a choice, unlike other empty strings. */}}
{{- $store := $set.store | default dict -}}
{{- $sidecar := $store.sidecar | default dict -}}
{{- $persistence := merge (dict "storageClassName" $class) ($sidecar.persistence | default dict) -}}
{{- $_ := set $sidecar "persistence" $persistence -}}
{{- $_ := set $store "sidecar" $sidecar -}}
{{- $_ := set $set "store" $store -}}
{{- end -}}
{{- $metadata := dict
  "name" "default"
  "labels" (include "postern.labels" (list . "receiver" .Values.receiver.labels) | fromYaml) -}}
{{- with merge dict .Values.receiver.annotations .Values.commonAnnotations -}}
{{- $_ := set $metadata "annotations" . -}}
{{- end -}}
{{- dict "metadata" $metadata "spec" $set | toJson -}}
{{- end }}

{{/* A map without what is null or empty. Kubernetes' own types are left alone: in them, empty has a meaning. */}}
{{- define "postern.set" -}}
{{- $set := dict -}}
{{- range $key, $value := . -}}
{{- if kindIs "map" $value -}}
{{- $inner := $value -}}
{{- if not (has $key (list "affinity" "resources")) -}}
{{- $inner = include "postern.set" $value | fromJson -}}
{{- end -}}
{{- if $inner -}}
{{- $_ := set $set $key $inner -}}
{{- end -}}
{{- else if not (or (kindIs "invalid" $value) (and (kindIs "string" $value) (eq $value "")) (and (kindIs "slice" $value) (empty $value)) (and (kindIs "bool" $value) (not $value))) -}}
{{- $_ := set $set $key $value -}}
{{- end -}}
{{- end -}}
{{- toJson $set -}}
{{- end }}

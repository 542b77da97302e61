{{- define "postern.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains "postern" .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-postern" (.Release.Name | trunc 32 | trimSuffix "-") -}}
{{- end -}}
{{- end }}

{{- define "postern.managerName" -}}
{{ include "postern.fullname" . }}-manager
{{- end }}

{{- define "postern.serviceAccountName" -}}
{{ .Values.serviceAccount.name | default (include "postern.managerName" .) }}
{{- end }}

{{- define "postern.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* Selectors are immutable, and "postern" and "manager" are what the receivers' NetworkPolicy lets in. */}}
{{- define "postern.managerSelector" -}}
app.kubernetes.io/name: postern
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: manager
{{- end }}

{{/* Labels of an object: (list $ "component" moreLabels...). The recommended ones win. */}}
{{- define "postern.labels" -}}
{{- $root := index . 0 -}}
{{- $labels := dict
  "app.kubernetes.io/name" "postern"
  "app.kubernetes.io/instance" $root.Release.Name
  "app.kubernetes.io/version" ($root.Chart.AppVersion | trunc 63)
  "app.kubernetes.io/component" (index . 1)
  "app.kubernetes.io/part-of" "postern"
  "app.kubernetes.io/managed-by" $root.Release.Service
  "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63) -}}
{{- range $more := slice . 2 -}}
{{- $labels = merge $labels (default dict $more) -}}
{{- end -}}
{{- merge $labels $root.Values.commonLabels | toYaml -}}
{{- end }}

{{/* Metadata of an object: (list $ name component moreLabels moreAnnotations). */}}
{{- define "postern.metadata" -}}
{{- $root := index . 0 -}}
{{- $annotations := merge dict (default dict (index . 4)) $root.Values.commonAnnotations -}}
name: {{ index . 1 }}
labels:
  {{- include "postern.labels" (list $root (index . 2) (index . 3)) | nindent 2 }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "postern.namespacedMetadata" -}}
{{ include "postern.metadata" . }}
namespace: {{ (index . 0).Release.Namespace }}
{{- end }}

{{- define "postern.managerSubject" -}}
- kind: ServiceAccount
  name: {{ include "postern.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{/* "https" or "http": the name of the receiver's public port. */}}
{{- define "postern.publicPort" -}}
{{ ternary "https" "http" (or .Values.certificate.enabled (not (empty .Values.receiver.tls.secretName))) }}
{{- end }}

{{- define "signalbox.name" -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "signalbox.selector" -}}
app.kubernetes.io/name: signalbox
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "signalbox.labels" -}}
{{ include "signalbox.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "signalbox.meta" -}}
name: {{ include "signalbox.name" .root }}-{{ .component }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "signalbox.labels" . | nindent 2 }}
{{- end }}

{{- define "signalbox.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- define "signalbox.redis" -}}
redis{{ if .Values.redis.tls }}s{{ end }}://{{ .Values.redis.host }}:{{ .Values.redis.port }}/{{ .Values.redis.number }}{{ if .Values.redis.tls }}?ssl_cert_reqs=required{{ end }}
{{- end }}

{{- define "signalbox.database" -}}
postgresql+psycopg://{{ .role }}@{{ .root.Values.postgres.host }}:{{ .root.Values.postgres.port }}/{{ .root.Values.postgres.database }}
{{- end }}

{{- define "signalbox.images" -}}
{{ .Values.imageStore.existingClaim | default (printf "%s-images" (include "signalbox.name" .)) }}
{{- end }}

{{/* What every pod has: no root, no token, spread over nodes. Takes root, component, uid. */}}
{{- define "signalbox.pod" -}}
serviceAccountName: {{ include "signalbox.name" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .uid }}
  runAsGroup: {{ .uid }}
  fsGroup: {{ .uid }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    {{- toYaml (.seccomp | default (dict "type" "RuntimeDefault")) | nindent 4 }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "signalbox.selector" . | nindent 8 }}
{{- end }}

{{/* A pod that runs provider code: on the sandboxes' nodes, under their runtime. */}}
{{- define "signalbox.sandboxed" -}}
{{- with .Values.sandboxes.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- if kindIs "bool" .Values.sandboxes.hostUsers }}
hostUsers: {{ .Values.sandboxes.hostUsers }}
{{- end }}
{{- with .Values.sandboxes.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.sandboxes.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "signalbox.container" -}}
image: {{ include "signalbox.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  capabilities:
    drop: [ALL]
  {{- with .procMount }}
  procMount: {{ . }}
  {{- end }}
{{- end }}

{{/* Secrets as files of the process' own, mode 0600: keys that others may read are refused. */}}
{{- define "signalbox.secrets" -}}
- name: secrets
  {{- include "signalbox.container" . | nindent 2 }}
  command: [sh, -c, "install -m 600 -t /srv/signalbox/secrets /run/secrets/signalbox/*"]
  resources:
    requests: {cpu: 10m, memory: 16Mi}
    limits: {cpu: 100m, memory: 64Mi}
  volumeMounts:
    - {name: secret, mountPath: /run/secrets/signalbox, readOnly: true}
    - {name: secrets, mountPath: /srv/signalbox/secrets}
{{- end }}

{{- define "signalbox.volumes" -}}
- name: tmp
  emptyDir: {sizeLimit: 1Gi}
{{- with .secret }}
- name: secret
  secret: {secretName: {{ . }}, defaultMode: 0440}
- name: secrets
  emptyDir: {medium: Memory, sizeLimit: 1Mi}
{{- end }}
{{- end }}

{{- define "signalbox.mounts" -}}
- {name: tmp, mountPath: /tmp}
{{- if .secret }}
- {name: secrets, mountPath: /srv/signalbox/secrets, readOnly: true}
{{- end }}
{{- end }}

{{/* Settings of a process with a database role. */}}
{{- define "signalbox.env" -}}
- {name: SIGNALBOX_ENVIRONMENT, value: {{ .root.Values.environment | quote }}}
- {name: SIGNALBOX_API_URL, value: {{ .root.Values.url | quote }}}
- {name: SIGNALBOX_LOG_FORMAT, value: json}
{{- with .role }}
- {name: SIGNALBOX_DATABASE_URL, value: {{ include "signalbox.database" (dict "root" $.root "role" .) | quote }}}
- {name: SIGNALBOX_DATABASE_PASSWORD_FILE, value: /srv/signalbox/secrets/{{ . }}}
{{- end }}
{{- range $name, $value := .more }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}

{{- define "signalbox.http" -}}
readinessProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 5
livenessProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 20
  failureThreshold: 6
startupProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 5
  failureThreshold: 60
{{- end }}

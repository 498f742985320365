{{/* What servers and ushers have in common: their image, environment, rights and probes. */}}
{{- define "headwater.image" -}}
image: {{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- end -}}

{{/* POD_NAME, NODE_NAME and POD_IP are for ${...} in the configuration. */}}
{{- define "headwater.environment" -}}
env:
  - name: POD_NAME
    valueFrom: { fieldRef: { fieldPath: metadata.name } }
  - name: NODE_NAME
    valueFrom: { fieldRef: { fieldPath: spec.nodeName } }
  - name: POD_IP
    valueFrom: { fieldRef: { fieldPath: status.podIP } }
  - name: HEADWATER_SECRETS
    valueFrom: { secretKeyRef: { name: {{ include "headwater.secretName" . }}, key: secrets } }
  {{- with .Values.redis.passwordSecret }}
  - name: HEADWATER_REDIS_PASSWORD
    valueFrom: { secretKeyRef: { name: {{ . }}, key: password } }
  {{- end }}
{{- with .Values.environmentFrom }}
envFrom:
  {{- range . }}
  - secretRef: { name: {{ . }} }
  {{- end }}
{{- end }}
{{- end -}}

{{/* Of a pod. The number is that of install/Containerfile; its group may write to volumes. */}}
{{- define "headwater.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- with .Values.sysctls }}
sysctls:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "headwater.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/* Given `port`, `configuration` and `startupSeconds`. A process that a crowd keeps busy is not to be killed for it: a minute. */}}
{{- define "headwater.probes" -}}
{{- $scheme := ternary "HTTPS" "HTTP" (hasKey .configuration "tls") -}}
startupProbe:
  httpGet: { path: /healthz, port: {{ .port }}, scheme: {{ $scheme }} }
  periodSeconds: 2
  failureThreshold: {{ div .startupSeconds 2 }}
livenessProbe:
  httpGet: { path: /healthz, port: {{ .port }}, scheme: {{ $scheme }} }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: { path: /readyz, port: {{ .port }}, scheme: {{ $scheme }} }
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 2
{{- end -}}

{{/* A pool with what it does not say itself. Given `root` and `pool`; read it with fromYaml. */}}
{{- define "headwater.pool" -}}
{{- toYaml (mergeOverwrite (deepCopy .root.Values.poolDefaults) (.pool | default dict)) -}}
{{- end -}}

{{/* The configuration of the servers of a pool. Given `root`, `name` and `pool`; a server is known by the name of its pod. */}}
{{- define "headwater.serverConfiguration" -}}
{{- $service := printf "%s-%s" (include "headwater.name" .root) .name -}}
{{- $given := mergeOverwrite (deepCopy .root.Values.configuration) (deepCopy .pool.configuration) -}}
{{- $scheme := ternary "https" "http" (hasKey $given "tls") -}}
{{- $relay := printf "%s://${POD_NAME}.%s.%s.svc:8081" $scheme $service .root.Release.Namespace -}}
{{- if $given.relayTls }}{{ $relay = printf "https://${POD_NAME}.%s.%s.svc:%v" $service .root.Release.Namespace ($given.relayTls.port | default 8443) }}{{ end -}}
{{- $own := dict
  "id" "${POD_NAME}"
  "host" "${NODE_NAME}"
  "site" .pool.site
  "roles" .pool.roles
  "egressMbps" .pool.egressMbps
  "bind" "0.0.0.0"
  "mediaUrl" (.pool.mediaUrl | default (printf "%s://${POD_IP}:8081" $scheme))
  "relayUrl" $relay
  "data" "/var/lib/headwater"
  "drain" (dict "deadlineS" .pool.drainDeadlineS)
-}}
{{- if .pool.rtmpUrl }}{{ $_ := set $own "rtmpUrl" .pool.rtmpUrl }}{{ end -}}
{{- include "headwater.configuration" (dict "root" .root "own" $own "more" .pool.configuration) -}}
{{- end -}}

{{- define "headwater.usherConfiguration" -}}
{{- $own := dict "bind" "0.0.0.0" "data" "/var/lib/headwater" -}}
{{- if .Values.ushers.topology }}{{ $_ := set $own "map" (dict "topology" "/etc/headwater/topology.yaml") }}{{ end -}}
{{- include "headwater.configuration" (dict "root" . "own" $own "more" .Values.ushers.configuration) -}}
{{- end -}}

{{/* What the chart says, below what `configuration` says of all, below what it says of these. */}}
{{- define "headwater.configuration" -}}
{{- $values := .root.Values -}}
{{- $redis := mergeOverwrite (dict "addresses" $values.redis.addresses "kind" $values.redis.kind) (deepCopy $values.redis.configuration) -}}
{{- $shared := dict "state" (dict "redis" $redis) -}}
{{- toYaml (mergeOverwrite $shared .own (deepCopy $values.configuration) (deepCopy .more)) -}}
{{- end -}}

{{/* Names, labels and the parts that several pods share. */}}

{{- define "accelbench.name" -}}
{{- if contains "accelbench" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-accelbench" .Release.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{/* What workers' settings and NetworkPolicies find our pods by. Takes (list context component). */}}
{{- define "accelbench.selector" -}}
{{- $context := index . 0 -}}
app.kubernetes.io/name: accelbench
app.kubernetes.io/instance: {{ $context.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "accelbench.labels" -}}
{{- $context := index . 0 -}}
{{ include "accelbench.selector" . }}
app.kubernetes.io/part-of: accelbench
app.kubernetes.io/version: {{ $context.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $context.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $context.Chart.Name $context.Chart.Version }}
{{- end }}

{{- define "accelbench.image" -}}
{{- $repository := required "image.repository is missing: give the repository that you pushed our image to" .Values.image.repository -}}
{{- if .Values.image.digest }}{{ printf "%s@%s" $repository .Values.image.digest }}{{ else }}{{ printf "%s:%s" $repository (.Values.image.tag | default .Chart.AppVersion) }}{{ end }}
{{- end }}

{{- define "accelbench.apiUrl" -}}
http://{{ include "accelbench.name" . }}-api.{{ .Release.Namespace }}.svc:8080
{{- end }}

{{- define "accelbench.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "accelbench.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "accelbench.pullSecrets" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* The database's address. Takes (list context keyInTheSecret). */}}
{{- define "accelbench.databaseEnvironment" -}}
{{- $values := (index . 0).Values -}}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ required "database.secretName is missing: name the Secret that holds the database's address" $values.database.secretName }}
      key: {{ index . 1 }}
- name: ACCELBENCH_DATABASE_CONNECTIONS
  value: {{ $values.database.connections | quote }}
- name: ACCELBENCH_DATABASE_AUTHENTICATION
  value: {{ $values.database.authentication }}
{{- end }}

{{/* Who servers and migrations are to AWS; in the cluster they may do nothing. */}}
{{- define "accelbench.databaseAccount" -}}
{{- with .Values.database.serviceAccountName }}
serviceAccountName: {{ . }}
{{- end }}
automountServiceAccountToken: false
{{- end }}

{{- define "accelbench.sealingKeyEnvironment" -}}
- name: ACCELBENCH_SECRET_KEY
  valueFrom:
    secretKeyRef:
      name: {{ required "sealingKey.secretName is missing: name the Secret that holds the key of `openssl rand -hex 32`" .Values.sealingKey.secretName }}
      key: {{ .Values.sealingKey.key }}
{{- end }}

{{- define "accelbench.caMount" -}}
{{- if .Values.database.caConfigMapName }}
- name: database-ca
  mountPath: /etc/accelbench/ca
  readOnly: true
{{- end }}
{{- end }}

{{- define "accelbench.caVolume" -}}
{{- with .Values.database.caConfigMapName }}
- name: database-ca
  configMap:
    name: {{ . }}
{{- end }}
{{- end }}

{{/* Spread over zones, then nodes. Takes (list context component). */}}
{{- define "accelbench.spread" -}}
topologySpreadConstraints:
  {{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "accelbench.selector" $ | nindent 8 }}
  {{- end }}
{{- end }}

{{- define "accelbench.placement" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The worker's settings, in the program's own words. What `kubernetes` says wins. */}}
{{- define "accelbench.cluster" -}}
{{- $settings := dict
  "namespace" .Values.runs.namespace
  "image" (include "accelbench.image" .)
  "loadgen_service_account" (printf "%s-loadgen" (include "accelbench.name" .))
  "workers" (dict "namespace" .Release.Namespace "labels" (fromYaml (include "accelbench.selector" (list . "worker"))))
  "api" (dict "kind" "pods" "port" 8080 "pods" (dict "namespace" .Release.Namespace "labels" (fromYaml (include "accelbench.selector" (list . "api")))))
-}}
{{- with .Values.runs.priorityClass.name }}{{ $_ := set $settings "priority_class" . }}{{ end -}}
{{- with .Values.runs.engineServiceAccount }}{{ $_ := set $settings "engine_service_account" . }}{{ end -}}
{{- with .Values.imagePullSecrets }}{{ $_ := set $settings "image_pull_secrets" . }}{{ end -}}
{{- mustMergeOverwrite $settings .Values.kubernetes | mustToPrettyJson -}}
{{- end }}

{{- define "accelbench.logEnvironment" -}}
{{- with .Values.logFilter }}
- name: RUST_LOG
  value: {{ . | quote }}
{{- end }}
{{- end }}

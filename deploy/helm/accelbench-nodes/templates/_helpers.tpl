{{/* What all pools share. */}}

{{- define "nodes.labels" -}}
app.kubernetes.io/name: accelbench
app.kubernetes.io/component: nodes
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: accelbench
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* Labels that workers choose nodes by. GPUs carry one more: without it NVIDIA's device plugin never lands where no feature discovery runs, and the GPU never appears. Takes the pool's name. */}}
{{- define "nodes.poolLabels" -}}
accelbench.dev/pool: {{ . }}
{{- if eq . "gpu" }}
nvidia.com/gpu.present: "true"
{{- end }}
{{- end }}

{{/* Vendors' daemons tolerate the vendor's taint; ours keeps everybody else off. Takes the pool's name. */}}
{{- define "nodes.taints" -}}
- {key: accelbench.dev/dedicated, value: "true", effect: NoSchedule}
{{- if eq . "gpu" }}
- {key: nvidia.com/gpu, value: "true", effect: NoSchedule}
{{- else if eq . "neuron" }}
- {key: aws.amazon.com/neuron, value: "true", effect: NoSchedule}
{{- end }}
{{- end }}

{{- define "nodes.resource" -}}
{{- get (dict "gpu" "nvidia.com/gpu" "neuron" "aws.amazon.com/neuron" "loadgen" "cpu") . -}}
{{- end }}

{{- define "nodes.capacityTypes" -}}
{{- if . }}[reserved, on-demand, spot]{{ else }}[reserved, on-demand]{{ end }}
{{- end }}

{{/* The part of a NodeClaim's template that no pool changes. Takes (list context poolName). */}}
{{- define "nodes.templateSpec" -}}
{{- $values := (index . 0).Values -}}
expireAfter: {{ $values.expireAfter }}
terminationGracePeriod: {{ $values.terminationGracePeriod }}
nodeClassRef:
  group: karpenter.k8s.aws
  kind: EC2NodeClass
  name: accelbench-{{ index . 1 }}
taints:
  {{- include "nodes.taints" (index . 1) | nindent 2 }}
{{- end }}

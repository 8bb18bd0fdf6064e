{{/* Where each component goes beside the name service. Takes (list context component). */}}
{{- define "accelbench.egress" -}}
{{- $context := index . 0 -}}
{{- $component := index . 1 -}}
{{- if has $component (list "api" "worker" "migrate") }}
- to:
    {{- range $context.Values.networkPolicies.databaseCidrs }}
    - ipBlock:
        cidr: {{ . }}
    {{- end }}
  ports:
    - {port: {{ $context.Values.networkPolicies.databasePort }}, protocol: TCP}
{{- end }}
{{- if has $component (list "api" "worker" "reaper") }}
{{/* The API server's address differs before and after the Service's translation, and the Hugging Face Hub and AWS's price list have no fixed one. Where a node's credentials could be had stays shut. */}}
- to:
    - ipBlock:
        cidr: 0.0.0.0/0
        except: [169.254.169.254/32]
    - ipBlock:
        cidr: ::/0
        except: ["fd00:ec2::254/128"]
  ports:
    - {port: 443, protocol: TCP}
{{- end }}
{{- if eq $component "worker" }}
# Whether an engine is ready.
- to:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: {{ $context.Values.runs.namespace }}
      podSelector:
        matchLabels:
          app.kubernetes.io/name: accelbench
          app.kubernetes.io/component: engine
  ports:
    - {port: 8000, protocol: TCP}
{{- end }}
{{- if or (eq $component "worker") (and (eq $context.Values.database.authentication "iam") (has $component (list "api" "migrate"))) }}
# EKS Pod Identity, for the price list and the database's tokens.
- to:
    - ipBlock:
        cidr: 169.254.170.23/32
    - ipBlock:
        cidr: fd00:ec2::23/128
  ports:
    - {port: 80, protocol: TCP}
{{- end }}
{{- if eq $component "test" }}
- to:
    - podSelector:
        matchLabels:
          {{- include "accelbench.selector" (list $context "api") | nindent 10 }}
  ports:
    - {port: 8080, protocol: TCP}
{{- end }}
{{- end }}

{{- define "tornado-service.selectorLabels" -}}
app.kubernetes.io/name: {{ .Values.name | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "tornado-service.labels" -}}
{{ include "tornado-service.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | quote }}
{{- end }}

{{- /* The most pods that there may be, but for those of a rolling update. */}}
{{- define "tornado-service.maxReplicas" -}}
{{- ternary .Values.autoscaling.maxReplicas .Values.replicas .Values.autoscaling.enabled -}}
{{- end }}

{{- /* The hub's base URL, without a slash at its end. */}}
{{- define "tornado-service.baseUrl" -}}
{{- with trimAll "/" .Values.hub.baseUrl }}/{{ . }}{{ end -}}
{{- end }}

{{- define "tornado-service.tokenKey" -}}
{{- .Values.token.existingSecret.key | default (printf "hub.services.%s.apiToken" .Values.name) -}}
{{- end }}

{{- /* The pods of the hub's chart with a component's label, as a peer of a NetworkPolicy. The
other labels of that chart depend on its settings. */}}
{{- define "tornado-service.hubPeer" -}}
{{- $root := index . 0 -}}
podSelector:
  matchLabels:
    app.kubernetes.io/component: {{ index . 1 }}
    {{- with $root.Values.hub.release }}
    app.kubernetes.io/instance: {{ . | quote }}
    {{- end }}
{{- with $root.Values.hub.namespace }}
namespaceSelector:
  matchLabels:
    kubernetes.io/metadata.name: {{ . | quote }}
{{- end }}
{{- end }}

{{- /* The name of the Secret with the cookie secret; empty: it is derived from the token. */}}
{{- define "tornado-service.cookieSecret" -}}
{{- with .Values.cookieSecret -}}
{{- .existingSecret.name | default (ternary (printf "%s-cookie-secret" $.Values.name) "" .generate) -}}
{{- end -}}
{{- end }}

{{- define "tornado-service.check" -}}
{{- if has .Values.name (list "admin" "hub" "jupyterhub-idle-culler" "server" "token" "user") -}}
{{- fail (printf "\n\nname: the hub or its chart has a role, service or port %s: choose another name, here and in hub.services.\n" .Values.name) -}}
{{- end -}}
{{- if eq (int .Values.port) 8081 -}}
{{- fail "\n\nport: 8081 is the port of the Hub API: choose another port, here and in the url of hub.services.NAME.\n" -}}
{{- end -}}
{{- if and (gt (include "tornado-service.maxReplicas" . | int) 1) (not .Values.database.existingSecret.name) -}}
{{- fail "\n\nMore than one replica needs a PostgreSQL: set database.existingSecret.name, or replicas to 1 and autoscaling.enabled to false.\n" -}}
{{- end -}}
{{- $grace := dig "TornadoService" "shutdown_grace" 5 .Values.config | float64 | ceil | int -}}
{{- if le (int .Values.terminationGracePeriodSeconds) (add (int .Values.preStopSeconds) $grace | int) -}}
{{- fail "\n\nterminationGracePeriodSeconds must be more than preStopSeconds and config.TornadoService.shutdown_grace (5 by default) together: Kubernetes would end the pod while requests finish.\n" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- fail "\n\nautoscaling.minReplicas must not be more than autoscaling.maxReplicas.\n" -}}
{{- end -}}
{{- end }}

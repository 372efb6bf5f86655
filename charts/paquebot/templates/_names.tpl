{{/* Names and small texts that several templates need. */}}

{{- define "paquebot.labels" -}}
app.kubernetes.io/name: paquebot
app.kubernetes.io/part-of: paquebot
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* What selects a component's pods; deliverers, which the operator makes, carry the same two. */}}
{{- define "paquebot.selector" -}}
app.kubernetes.io/part-of: paquebot
app.kubernetes.io/component: {{ . }}
{{- end }}

{{- define "paquebot.image" -}}
{{- with .Values.image -}}
{{- .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end }}

{{- define "paquebot.hostname" -}}
{{- .Values.hostname | default (printf "paquebot-submission.%s.svc" .Release.Namespace) -}}
{{- end }}

{{- define "paquebot.nats.url" -}}
{{- .Values.nats.external.url | default (printf "tls://paquebot-nats.%s.svc:4222" .Release.Namespace) -}}
{{- end }}

{{/* The Secret with the certificate of the SMTP listeners. */}}
{{- define "paquebot.smtp.secret" -}}
{{- .Values.tls.smtp.existingSecret | default "paquebot-smtp-tls" -}}
{{- end }}

{{- define "paquebot.nats.encryptionSecret" -}}
{{- .Values.nats.encryption.existingSecret | default "paquebot-nats-encryption" -}}
{{- end }}

{{/* Pod security "restricted": what each pod of ours says. */}}
{{- define "paquebot.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "paquebot.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/*
A Deployment of ours with its ServiceAccount and disruption budget. Takes root, name, and as text env, ports,
volumes, mounts. Where something else scales, `replicas` is not said: Helm would take it back.
*/}}
{{- define "paquebot.workload" -}}
{{- $root := .root }}
{{- $values := index $root.Values .name }}
{{- $scaled := and (hasKey $values "autoscaling") ($values.autoscaling | default dict).enabled }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: paquebot-{{ .name }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "paquebot.labels" $root | nindent 4 }}
automountServiceAccountToken: false
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: paquebot-{{ .name }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "paquebot.labels" $root | nindent 4 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "paquebot.selector" .name | nindent 6 }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: paquebot-{{ .name }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "paquebot.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .name }}
spec:
  {{- if not $scaled }}
  replicas: {{ $values.replicas | default 1 }}
  {{- end }}
  revisionHistoryLimit: 5
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
  selector:
    matchLabels: {{- include "paquebot.selector" .name | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "paquebot.labels" $root | nindent 8 }}
        app.kubernetes.io/component: {{ .name }}
    spec: {{- include "paquebot.pod" . | nindent 6 }}
{{- if $scaled }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: paquebot-{{ .name }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "paquebot.labels" $root | nindent 4 }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: paquebot-{{ .name }}}
  minReplicas: {{ $values.autoscaling.minReplicas }}
  maxReplicas: {{ $values.autoscaling.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target: {type: Utilization, averageUtilization: {{ $values.autoscaling.targetCPUPercent }}}
{{- end }}
{{- end }}

{{- define "paquebot.pod" -}}
{{- $root := .root }}
{{- $values := index $root.Values .name }}
serviceAccountName: paquebot-{{ .name }}
automountServiceAccountToken: {{ eq .name "operator" }}
enableServiceLinks: false
terminationGracePeriodSeconds: 45
securityContext: {{- include "paquebot.podSecurity" $root | nindent 2 }}
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "paquebot.selector" .name | nindent 8 }}
containers:
  - name: {{ .name }}
    image: {{ include "paquebot.image" $root }}
    imagePullPolicy: {{ $root.Values.image.pullPolicy }}
    args: [{{ .name }}]
    env:
      - {name: PAQUEBOT_POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
      - {name: PAQUEBOT_LOG_LEVEL, value: {{ $root.Values.logLevel }}}
      - {name: PAQUEBOT_ADMIN_LISTEN, value: "0.0.0.0:9090"}
      - {name: PAQUEBOT_NATS_URL, value: {{ include "paquebot.nats.url" $root | quote }}}
      - {name: PAQUEBOT_HOSTNAME, value: {{ include "paquebot.hostname" $root | quote }}}
      - {name: PAQUEBOT_IDENTITY_DIR, value: /var/run/paquebot/identity}
      {{- if $root.Values.sandbox.enabled }}
      - {name: PAQUEBOT_SANDBOX, value: "true"}
      - {name: PAQUEBOT_RESOLVER, value: {{ $root.Values.sandbox.resolver | quote }}}
      - {name: PAQUEBOT_MX_PORT, value: {{ $root.Values.sandbox.mxPort | quote }}}
      - {name: PAQUEBOT_PATIENCE, value: {{ $root.Values.sandbox.patience | quote }}}
      {{- end }}
      {{- .env | trim | nindent 6 }}
    ports:
      - {name: admin, containerPort: 9090}
      {{- .ports | default "" | trim | nindent 6 }}
    startupProbe:
      httpGet: {path: /livez, port: admin}
      periodSeconds: 1
      failureThreshold: 60
    livenessProbe:
      httpGet: {path: /livez, port: admin}
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 6
    readinessProbe:
      httpGet: {path: /readyz, port: admin}
      periodSeconds: 5
      timeoutSeconds: 5
    resources: {{- toYaml $values.resources | nindent 6 }}
    securityContext: {{- include "paquebot.containerSecurity" $root | nindent 6 }}
    volumeMounts:
      - {name: identity, mountPath: /var/run/paquebot/identity, readOnly: {{ ne .name "operator" }}}
      - {name: tmp, mountPath: /tmp}
      {{- .mounts | default "" | trim | nindent 6 }}
volumes:
  - {name: tmp, emptyDir: {sizeLimit: 64Mi}}
  {{- .volumes | trim | nindent 2 }}
{{- end }}

{{/* The identity of a service as a volume. */}}
{{- define "paquebot.identity" -}}
- {name: identity, secret: {secretName: paquebot-{{ . }}-identity, defaultMode: 0440}}
{{- end }}

{{/* The Service through which the others find each pod of a component: headless, since clients balance. */}}
{{- define "paquebot.service" -}}
apiVersion: v1
kind: Service
metadata:
  name: paquebot-{{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "paquebot.labels" .root | nindent 4 }}
spec:
  clusterIP: None
  selector: {{- include "paquebot.selector" .name | nindent 4 }}
  ports:
    - {name: grpc, port: 4000, targetPort: grpc}
{{- end }}

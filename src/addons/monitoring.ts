import type { ImageName } from '../artifacts/artifacts.js';
import type { MonitoringAddon } from '../inventory/cluster.js';
import type { AddonRecipe } from './addon.js';
import { monitoringObjects } from './monitoring-objects.js';
import { storageClass } from './storage.js';
import { withRegistry } from './with-registry.js';

/**
 * kube-prometheus-stack. What listens on loopback of a host is read through the host's own port, by a certificate: the
 * chart's targets for it are off, and its rules and dashboards for it stay.
 */
export const monitoring: AddonRecipe<MonitoringAddon> = {
  name: 'monitoring',
  what: 'metrics, alerts and dashboards, by Prometheus, Alertmanager and Grafana',
  release: 'kube-prometheus-stack',
  namespace: 'monitoring',
  images: [],
  imagesOf: ({ images }) => (images === 'bundle' ? bundled : undefined),
  pulls: [
    'quay.io/prometheus-operator/prometheus-operator:v0.93.1',
    'quay.io/prometheus-operator/prometheus-config-reloader:v0.93.1',
    'quay.io/prometheus/prometheus:v3.14.0-distroless',
    'quay.io/prometheus/alertmanager:v0.34.0',
    'registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.20.0',
    'docker.io/grafana/grafana',
    'quay.io/kiwigrid/k8s-sidecar',
  ],
  published: {
    repository: 'https://prometheus-community.github.io/helm-charts',
    name: 'kube-prometheus-stack',
    version: '88.5.3',
  },
  kubernetes: '1.25',
  needs: ['storage'],
  web: { service: 'kube-prometheus-stack-grafana', port: 80, answersAt: '/api/health' },
  leaves: 'volumes of Prometheus and Alertmanager stay with their data, and so do the kinds of its operator',
  values: ({ retention, host, images }, _cluster, image) => {
    const of = (name: ImageName) => (images === 'bundle' ? { image: withRegistry(image(name)) } : {});
    return {
      ...readFromHosts,
      // The Service that the operator makes for kubelets is in a namespace that goes with the add-on.
      kubelet: { namespace: 'monitoring', serviceMonitor: { insecureSkipVerify: false } },
      prometheusOperator: {
        // Webhooks would need jobs at each upgrade; the operator itself passes over rules that make no sense.
        admissionWebhooks: { enabled: false },
        tls: { enabled: false },
        kubeletService: { namespace: 'monitoring' },
        // How often it looks which nodes there are: three minutes by default.
        extraArgs: ['--kubelet-sync-period=30s'],
        ...of('prometheus-operator'),
        prometheusConfigReloader: of('prometheus-config-reloader'),
      },
      prometheus: {
        prometheusSpec: {
          ...of('prometheus'),
          ...everythingSelected,
          retention,
          // A folder of a node has no limit of its own, and a full disk ends the pods of that node.
          retentionSize: '18GB',
          storageSpec: claim('20Gi'),
        },
      },
      alertmanager: { alertmanagerSpec: { ...of('alertmanager'), storage: claim('1Gi') } },
      'kube-state-metrics': of('kube-state-metrics'),
      grafana: images === 'bundle' ? { enabled: false } : grafana(host),
    };
  },
  objects: (addon, _ingress, cluster, metrics) =>
    metrics === undefined ? [] : monitoringObjects(cluster, metrics, hasGrafana(addon)),
};

/** Whether the chart brings it. */
export const hasGrafana = ({ images, values }: MonitoringAddon): boolean => {
  const { grafana: written } = values as { readonly grafana?: { readonly enabled?: unknown } | null };
  return images === 'registries' && written?.enabled !== false;
};

const bundled: readonly ImageName[] = [
  'prometheus',
  'prometheus-operator',
  'prometheus-config-reloader',
  'alertmanager',
  'kube-state-metrics',
];

/** A chart's rules for a component depend on `enabled`; its own targets would be refused on loopback. */
const noTargets = () => ({ service: { enabled: false }, serviceMonitor: { enabled: false } });

const readFromHosts = {
  kubeEtcd: noTargets(),
  kubeScheduler: noTargets(),
  kubeControllerManager: noTargets(),
  kubeProxy: noTargets(),
  nodeExporter: { enabled: false, forceDeployDashboards: true },
};

/** Rules and targets that people make count, whatever their labels. */
const everythingSelected = Object.fromEntries(
  ['rule', 'serviceMonitor', 'podMonitor', 'probe', 'scrapeConfig'].map((kind) => [
    `${kind}SelectorNilUsesHelmValues`,
    false,
  ]),
);

const claim = (storage: string) => ({
  volumeClaimTemplate: {
    spec: { storageClassName: storageClass, accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
  },
});

/** The Secret of Grafana's administrator, which is made in the cluster; see `grafanaPassword`. */
export const grafanaSecret = 'grafana-admin';

const grafana = (host: string | undefined) => ({
  admin: { existingSecret: grafanaSecret, userKey: 'admin-user', passwordKey: 'admin-password' },
  persistence: { enabled: true, storageClassName: storageClass, size: '1Gi' },
  // A volume of a node is mounted by one pod at a time.
  deploymentStrategy: { type: 'Recreate' },
  ...(host === undefined ? {} : { ingress: { enabled: true, hosts: [host], tls: [{ hosts: [host] }] } }),
});

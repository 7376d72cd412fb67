import type { ClusterHost, Values } from '../inventory/cluster.js';
import { metricSources, metricsPorts } from '../inventory/metrics.js';
import type { MetricsCredentials } from '../pki/credentials.js';
import type { AddonCluster } from './addon.js';
import { dashboardObject } from './monitoring-dashboard.js';
import { alertRules } from './monitoring-rules.js';
import { secretObject } from './secret-object.js';

/** What Prometheus reads of hosts, the certificate by which it may, and what it makes of that. */
export const monitoringObjects = (
  cluster: AddonCluster,
  { ca, client }: MetricsCredentials,
  withGrafana: boolean,
): readonly Values[] => [
  secretObject(
    { name: clientSecret, namespace, type: 'kubernetes.io/tls' },
    { 'ca.crt': ca, 'tls.crt': client.certificate, 'tls.key': client.key },
  ),
  ...scrapeConfigs(cluster),
  alertRules(cluster, namespace),
  ...(withGrafana ? [dashboardObject(cluster, namespace)] : []),
];

const namespace = 'monitoring';
const clientSecret = 'kbs-metrics-client';

/** One for each job: https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1alpha1.ScrapeConfig */
const scrapeConfigs = (cluster: AddonCluster): readonly Values[] => {
  const all = cluster.hosts.flatMap((host) => metricSources(host, cluster).map((source) => ({ host, source })));
  return [...new Map(all.map(({ source }) => [source.job, source])).values()].map((source) => ({
    apiVersion: 'monitoring.coreos.com/v1alpha1',
    kind: 'ScrapeConfig',
    metadata: { name: source.job, namespace },
    spec: {
      jobName: source.job,
      metricsPath: `/${source.path}`,
      scheme: 'HTTPS',
      tlsConfig: {
        ca: { secret: { name: clientSecret, key: 'ca.crt' } },
        cert: { secret: { name: clientSecret, key: 'tls.crt' } },
        keySecret: { name: clientSecret, key: 'tls.key' },
      },
      staticConfigs: all.filter((each) => each.source.job === source.job).map(({ host }) => target(host)),
    },
  }));
};

/** The host's name is what dashboards and alerts show. */
const target = ({ name, address, segment }: ClusterHost): Values => ({
  targets: [`${address}:${metricsPorts.tls}`],
  labels: { instance: name, segment },
});

import type { Values } from '../inventory/cluster.js';
import type { AddonCluster } from './addon.js';
import { daysLeft, holders, reached } from './monitoring-rules.js';

/** A dashboard of the network that kbs has made, as a ConfigMap that Grafana's sidecar finds by its label. */
export const dashboardObject = (cluster: AddonCluster, namespace: string): Values => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'kbs-dashboard', namespace, labels: { grafana_dashboard: '1' } },
  data: { 'kbs.json': JSON.stringify(dashboardOf(cluster)) },
});

/** https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/ */
const dashboardOf = ({ endpoint: { vip } }: AddonCluster): Values => ({
  uid: 'kbs',
  title: 'kbs: hosts, load balancers, control planes',
  tags: ['kbs'],
  schemaVersion: 39,
  refresh: '30s',
  time: { from: 'now-6h', to: 'now' },
  panels: inRows([
    now('Hosts that answer', 'sum by (segment) (up{job="node-exporter"})', '{{segment}}'),
    now('Targets that are down', 'sum(up == bool 0)', 'down'),
    now('etcd leader', 'etcd_server_is_leader == 1', '{{instance}}'),
    ...(vip === undefined ? [] : [overTime(`Holder of ${vip}`, holders(vip), '{{instance}}')]),
    overTime('API servers that haproxy reaches', reached, '{{instance}} → {{server}}'),
    overTime('Processors in use', busy, '{{instance}}'),
    overTime('Memory in use', '1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes', '{{instance}}'),
    now('Days that certificates have left', `sort(${daysLeft})`, '{{instance}} {{name}}'),
  ]),
});

const busy = '1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))';

type Panel = readonly [type: 'stat' | 'timeseries', title: string, expr: string, legend: string];

const now = (title: string, expr: string, legend: string): Panel => ['stat', title, expr, legend];
const overTime = (title: string, expr: string, legend: string): Panel => ['timeseries', title, expr, legend];

/** Two in a row, of the 24 columns that there are. */
const inRows = (panels: readonly Panel[]): readonly Values[] =>
  panels.map(([type, title, expr, legend], index) => ({
    id: index + 1,
    type,
    title,
    datasource: { type: 'prometheus', uid: 'prometheus' },
    gridPos: { x: 12 * (index % 2), y: 8 * Math.floor(index / 2), w: 12, h: 8 },
    targets: [{ refId: 'A', expr, legendFormat: legend, instant: type === 'stat' }],
  }));

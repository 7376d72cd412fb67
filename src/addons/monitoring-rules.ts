import type { Values } from '../inventory/cluster.js';
import type { AddonCluster } from './addon.js';

/** Alerts about what kbs sets up and the chart does not know: hosts without pods, the virtual address, certificates. */
export const alertRules = (cluster: AddonCluster, namespace: string): Values => ({
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'PrometheusRule',
  metadata: { name: 'kbs', namespace },
  spec: { groups: [{ name: 'kbs', rules: rulesOf(cluster) }] },
});

const rulesOf = (cluster: AddonCluster): readonly Values[] => {
  const { vip } = cluster.endpoint;
  return [
    rule(
      'KbsHostDown',
      'up{job="node-exporter"} == 0',
      '1m',
      'critical',
      'the host {{ $labels.instance }} does not answer',
    ),
    rule(
      'KbsSegmentDown',
      'sum by (segment) (up{job="node-exporter"}) == 0',
      '1m',
      'critical',
      'no host of the segment {{ $labels.segment }} answers',
    ),
    rule(
      'KbsLoadBalancerDown',
      'up{job="haproxy"} == 0',
      '1m',
      'critical',
      'haproxy of {{ $labels.instance }} does not run',
    ),
    rule(
      'KbsDnsServerDown',
      'up{job="lan-dns"} == 0',
      '1m',
      'critical',
      'the DNS server of {{ $labels.instance }} does not run',
    ),
    rule(
      'KbsControlPlaneNotReached',
      `${reached} == 0`,
      '2m',
      'warning',
      'haproxy of {{ $labels.instance }} does not reach the API server of {{ $labels.server }}',
    ),
    ...(vip === undefined ? [] : virtualAddressRules(vip)),
    rule(
      'KbsCertificateExpires',
      `${daysLeft} < 20`,
      '1h',
      'warning',
      'the certificate {{ $labels.name }} of {{ $labels.instance }} has {{ $value | printf "%.0f" }} days left; kbs apply renews it',
    ),
  ];
};

const virtualAddressRules = (vip: string): readonly Values[] => [
  rule(
    'KbsVirtualAddressNotHeld',
    `absent(${holders(vip)})`,
    '1m',
    'critical',
    `no load balancer holds ${vip}: kubectl and nodes may not reach the API`,
  ),
  rule(
    'KbsVirtualAddressHeldTwice',
    `count(${holders(vip)}) > 1`,
    '1m',
    'critical',
    `{{ $value }} hosts hold ${vip}: packets between the load balancers get lost`,
  ),
];

const rule = (alert: string, expr: string, lasting: string, severity: string, summary: string): Values => ({
  alert,
  expr,
  for: lasting,
  labels: { severity },
  annotations: { summary },
});

/** The hosts that have the address on an interface. */
export const holders = (vip: string): string => `node_network_address_info{address="${vip}"}`;

/** 1 or 0 for each load balancer and control plane. */
export const reached = 'haproxy_server_status{proxy="control-planes",state="UP"}';

/** Of each certificate of each host. */
export const daysLeft = '(kbs_certificate_not_after_seconds - time()) / 86400';

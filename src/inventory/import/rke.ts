import { defined } from '../../defined.js';
import { machineName } from './host-names.js';
import { clusterRemarks, isHost, nodeRemarks } from './rke-remarks.js';
import { clusterShape } from './rke-shape.js';
import { isBlank, readShape } from './shape.js';
import type { ToolCluster, ToolHost } from './tool-cluster.js';
import type { YamlInput } from './yaml-input.js';

/** A cluster.yml of RKE 1: https://rke.docs.rancher.com/config-options. */
export const readRke = (input: YamlInput): ToolCluster => {
  const read = readShape(clusterShape, input);
  const { services = {}, bastion_host: bastion } = read;
  const jump = isBlank(bastion?.address)
    ? undefined
    : defined({
        host: bastion?.address ?? '',
        user: text(bastion?.user),
        port: portOf(bastion?.port),
        key: text(bastion?.ssh_key_path),
      });
  const hosts = read.nodes.filter(isHost);
  const maxPods = services.kubelet?.extra_args?.['max-pods'];
  const registry = read.private_registries?.find(({ is_default }) => is_default === true);
  return {
    tool: 'rke',
    name: text(read.cluster_name) ?? 'local',
    pods: text(services['kube-controller']?.cluster_cidr) ?? '10.42.0.0/16',
    services: text(services['kube-api']?.service_cluster_ip_range) ?? '10.43.0.0/16',
    domain: text(services.kubelet?.cluster_domain) ?? 'cluster.local',
    ...defined({
      version: text(read.kubernetes_version)
        ?.replace(/^v/, '')
        .replace(/-rancher.*$/, ''),
      proxy: services.kubeproxy?.extra_args?.['proxy-mode'],
      flags: defined({
        apiServer: services['kube-api']?.extra_args,
        controllerManager: services['kube-controller']?.extra_args,
        scheduler: services.scheduler?.extra_args,
        etcd: services.etcd?.extra_args,
      }),
      kubelet: maxPods === undefined ? undefined : { maxPods: Number(maxPods) },
      endpoint: isBlank(read.authentication?.sans) ? undefined : { extraNames: read.authentication?.sans ?? [] },
      upstreams: isBlank(read.dns?.upstreamnameservers) ? undefined : read.dns?.upstreamnameservers,
      registries: registry === undefined ? undefined : { 'docker.io': { mirrors: [`https://${registry.url}`] } },
    }),
    hosts: hosts.map(
      (node): ToolHost => ({
        ...defined({
          name: text(node.hostname_override) ?? machineName(node.address),
          address: text(node.internal_address) ?? node.address,
          login: node.address,
        }),
        roles: [
          ...(node.role.includes('controlplane') ? ['control-plane' as const] : []),
          ...(node.role.includes('worker') ? ['worker' as const] : []),
        ],
        ...(isBlank(node.labels) ? {} : { labels: node.labels ?? {} }),
        ...(isBlank(node.taints) ? {} : { taints: (node.taints ?? []).map(taintText) }),
        ssh: defined({
          user: text(node.user),
          port: portOf(node.port),
          key: text(node.ssh_key_path) ?? text(read.ssh_key_path),
          jump,
        }),
        remarks: nodeRemarks(node),
      }),
    ),
    remarks: clusterRemarks(read),
  };
};

/** Whether a document is a cluster.yml of RKE 1. */
export const isRke = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  'nodes' in value &&
  Array.isArray(value.nodes) &&
  value.nodes.some((node: unknown) => typeof node === 'object' && node !== null && 'role' in node);

/** RKE writes settings that have no value as empty texts. */
const text = (written: string | undefined): string | undefined => (written === '' ? undefined : written);

/** The port of SSH is 22 where RKE writes none, and `0` is none. */
const portOf = (written: string | undefined): number | undefined =>
  written === undefined || !(Number(written) > 0) ? undefined : Number(written);

const taintText = ({ key, value, effect }: { key: string; value?: string | undefined; effect: string }): string =>
  isBlank(value) ? `${key}:${effect}` : `${key}=${value}:${effect}`;

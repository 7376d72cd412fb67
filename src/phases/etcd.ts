import { referenceOf } from '../artifacts/artifacts.js';
import { type ClusterHost, isControlPlane } from '../inventory/cluster.js';
import type { FileResource } from '../resources/resource.js';
import { credentialFiles } from './certificates.js';
import { type Component, cleared, running } from './component.js';
import { clientUrl, dataDirectory, memberData } from './etcd-member.js';
import { etcdFlags, pki } from './flags.js';
import { etcdData } from './leftovers.js';
import type { Phase, Site } from './phase.js';
import { binaries } from './runtime.js';
import { probes } from './static-pod.js';
import { controlPlaneTurn } from './turns.js';

/** One etcd member on each control plane. */
export const etcd: Phase = {
  name: 'etcd',
  promises: "the control plane's etcd member runs",
  on: isControlPlane,
  rolls(host, site) {
    const turn = controlPlaneTurn(host, site);
    return turn && !starts(host, site) ? { ...turn, serves: [] } : turn;
  },
  resources(host, site) {
    const member = [component(host, site)];
    return [
      ...binaries('/usr/local/bin', ['etcd', 'etcdctl', 'etcdutl'], site),
      ...cleared(member, site),
      memberData(host, site),
      ...running(member, host, site),
    ];
  },
  leaves: () => etcdData,
};

/** Whether what this phase changes runs at once. A manifest waits for a kubelet, which a host of units may not have yet. */
const starts = (host: ClusterHost, { cluster, facts }: Site): boolean =>
  cluster.kubernetes.controlPlane === 'systemd' ||
  facts(host.name).listeners.some(({ process }) => process === 'kubelet');

const component = (host: ClusterHost, site: Site): Component => ({
  name: 'etcd',
  flags: etcdFlags(host),
  inputs: credentialFiles(host, site).filter(isEtcds),
  writes: [dataDirectory],
  port: 2379,
  pod: {
    image: referenceOf(site.artifacts, 'etcd'),
    annotations: { 'kubeadm.kubernetes.io/etcd.advertise-client-urls': clientUrl(host) },
    mounts: [
      { name: 'data', path: dataDirectory, type: 'DirectoryOrCreate', writable: true },
      { name: 'certificates', path: `${pki}/etcd`, type: 'DirectoryOrCreate' },
    ],
    probes: probes('HTTP', '127.0.0.1', 2381, { live: '/health?serializable=true', ready: '/health' }),
    cpu: '100m',
  },
  unit: {
    description: "etcd: the cluster's memory",
    documentation: 'https://etcd.io/docs/',
    program: site.artifacts.binary('etcd').sha256,
    type: 'notify',
  },
});

const isEtcds = ({ path }: FileResource): boolean =>
  path.startsWith(`${pki}/etcd/`) && !path.includes('healthcheck') && !path.endsWith('ca.key');

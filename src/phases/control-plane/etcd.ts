import { referenceOf } from '../../artifacts/artifacts.js';
import { type ClusterHost, hasEtcdMember } from '../../inventory/cluster.js';
import { clientUrl, dataDirectory } from '../../kubernetes/etcdctl.js';
import { pkiDirectory } from '../../kubernetes/paths.js';
import type { FileResource } from '../../resources/resource.js';
import { artifactsOf } from '../artifacts-of.js';
import { etcdCleanup } from '../cleanup.js';
import { credentialFiles } from '../node/certificates.js';
import { binaries } from '../node/runtime.js';
import type { Phase, PhaseContext } from '../phase.js';
import { prerequisites, workloads } from './component.js';
import type { Component } from './component-type.js';
import { memberData } from './etcd-member.js';
import { etcdFlags } from './flags.js';
import { controlPlaneRolling } from './rolling.js';
import { probes } from './static-pod.js';

/** One etcd member on each control plane. */
export const etcd: Phase = {
  name: 'etcd',
  ensures: "the control plane's etcd member runs",
  appliesTo: hasEtcdMember,
  rolling(host, context) {
    const rolling = controlPlaneRolling(host, context);
    return rolling && !starts(host, context) ? { ...rolling, healthy: [] } : rolling;
  },
  resources(host, context) {
    const member = [component(host, context)];
    return [
      ...binaries('/usr/local/bin', ['etcd', 'etcdctl', 'etcdutl'], host, context),
      ...prerequisites(member, context),
      memberData(host, context),
      ...workloads(member, host, context),
    ];
  },
  prunes: { of: ['etcd'], first: true },
  cleanup: () => etcdCleanup,
};

/** Whether what this phase changes runs at once. A manifest waits for a kubelet, which a host of units may not have yet. */
const starts = (host: ClusterHost, { cluster, facts }: PhaseContext): boolean =>
  cluster.kubernetes.controlPlane === 'systemd' ||
  facts(host.name).listeners.some(({ process }) => process === 'kubelet');

const component = (host: ClusterHost, context: PhaseContext): Component => ({
  name: 'etcd',
  flags: etcdFlags(host, context),
  inputs: credentialFiles(host, context).filter(isEtcds),
  writes: [dataDirectory],
  // It closes the port for clients seconds earlier: Etcd.Close in its server/embed/etcd.go.
  port: 2380,
  pod: {
    image: referenceOf(context.artifacts, 'etcd'),
    annotations: { 'kubeadm.kubernetes.io/etcd.advertise-client-urls': clientUrl(host) },
    mounts: [
      { name: 'data', path: dataDirectory, type: 'DirectoryOrCreate', writable: true },
      { name: 'certificates', path: `${pkiDirectory}/etcd`, type: 'DirectoryOrCreate' },
    ],
    probes: probes('HTTP', '127.0.0.1', 2381, { live: '/health?serializable=true', ready: '/health' }),
    cpu: '100m',
  },
  unit: {
    description: 'etcd: key-value store of the cluster',
    documentation: 'https://etcd.io/docs/',
    program: artifactsOf(host, context).binary('etcd').sha256,
    type: 'notify',
  },
});

const isEtcds = ({ path }: FileResource): boolean =>
  path.startsWith(`${pkiDirectory}/etcd/`) && !path.includes('healthcheck') && !path.endsWith('ca.key');

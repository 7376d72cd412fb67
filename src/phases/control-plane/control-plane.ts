import { referenceOf } from '../../artifacts/artifacts.js';
import { apiServerPort, type ClusterHost, hasEtcdMember, isControlPlane } from '../../inventory/cluster.js';
import { pkiDirectory } from '../../kubernetes/paths.js';
import type { BinaryResource, FileResource } from '../../resources/resource.js';
import { artifactsOf } from '../artifacts-of.js';
import { apiServerCleanup } from '../cleanup.js';
import { credentialFiles, kubeconfigFile } from '../node/certificates.js';
import type { Phase, PhaseContext } from '../phase.js';
import { apiServerFiles } from './api-server-files.js';
import { prerequisites, workloads } from './component.js';
import type { Component, Mount, UnitSettings } from './component-type.js';
import { externalEtcdAnswers } from './external-etcd.js';
import { apiServerFlags, auditDirectory, controllerManagerFlags, schedulerFlags } from './flags.js';
import { controlPlaneRolling } from './rolling.js';
import { probes } from './static-pod.js';

/** Upstream's three programs; or kbs's one, which acts by the name that it is started with. */
const programs = (host: ClusterHost, context: PhaseContext): readonly BinaryResource[] => {
  const [first, ...others] = (['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const).map(
    (name) => ({ kind: 'binary', path: `/usr/local/bin/${name}`, content: programOf(name, host, context) }) as const,
  );
  if (first === undefined) return [];
  const isOne = others.every(({ content }) => content.sha256 === first.content.sha256);
  return isOne ? [{ ...first, links: others.map(({ path }) => path) }] : [first, ...others];
};

/** The programs that the units run; pods have them in their images. They are copied before any pod is stopped. */
export const controlPlanePrograms: Phase = {
  name: 'control-plane-programs',
  ensures: "the programs of the control plane's units are there",
  appliesTo: (host, cluster) => isControlPlane(host) && cluster.kubernetes.controlPlane === 'systemd',
  rolling: controlPlaneRolling,
  resources: programs,
};

/** kube-apiserver, kube-controller-manager and kube-scheduler. */
export const controlPlane: Phase = {
  name: 'control-plane',
  ensures: 'API server, controller manager and scheduler run',
  appliesTo: isControlPlane,
  gates: (_host, { cluster: { kubernetes } }) =>
    kubernetes.externalEtcd === undefined ? [] : [externalEtcdAnswers(kubernetes.externalEtcd)],
  rolling: controlPlaneRolling,
  resources(host, context) {
    const components = [apiServer(host, context), controllerManager(host, context), scheduler(host, context)];
    return [...apiServerFiles(context), ...prerequisites(components, context), ...workloads(components, host, context)];
  },
  prunes: { of: ['control-plane'], first: true },
  cleanup: () => apiServerCleanup,
};

const apiServer = (host: ClusterHost, context: PhaseContext): Component => ({
  name: 'kube-apiserver',
  flags: apiServerFlags(host, context),
  inputs: [...credentialFiles(host, context).filter(isApiServers), ...apiServerFiles(context)],
  writes: [auditDirectory],
  port: apiServerPort,
  pod: {
    image: referenceOf(context.artifacts, 'kube-apiserver'),
    annotations: {
      'kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint': `${host.address}:${apiServerPort}`,
    },
    mounts: [
      certificates,
      { name: 'audit', path: auditDirectory, type: 'DirectoryOrCreate', writable: true },
      ...apiServerFiles(context).map(asMount),
    ],
    probes: probes('HTTPS', host.address, apiServerPort, { live: '/livez', ready: '/readyz' }),
    cpu: '250m',
  },
  unit: {
    ...unitOf('kube-apiserver', 'the Kubernetes API', host, context),
    type: 'notify',
    after: hasEtcdMember(host, context.cluster) ? ['etcd.service'] : [],
  },
});

const controllerManager = (host: ClusterHost, context: PhaseContext): Component => ({
  name: 'kube-controller-manager',
  flags: controllerManagerFlags(host, context),
  inputs: [
    ...credentialFiles(host, context).filter(isControllerManagers),
    kubeconfigFile('controller-manager', host, context),
  ],
  writes: [],
  port: 10257,
  pod: {
    image: referenceOf(context.artifacts, 'kube-controller-manager'),
    mounts: [certificates, kubeconfigMount('controller-manager')],
    probes: probes('HTTPS', '127.0.0.1', 10257, { live: '/healthz', ready: '/healthz' }),
    cpu: '200m',
  },
  unit: unitOf('kube-controller-manager', 'the controllers of Kubernetes', host, context),
});

const scheduler = (host: ClusterHost, context: PhaseContext): Component => ({
  name: 'kube-scheduler',
  flags: schedulerFlags(host, context),
  inputs: [kubeconfigFile('scheduler', host, context)],
  writes: [],
  port: 10259,
  pod: {
    image: referenceOf(context.artifacts, 'kube-scheduler'),
    mounts: [kubeconfigMount('scheduler')],
    probes: probes('HTTPS', '127.0.0.1', 10259, { live: '/livez', ready: '/readyz' }),
    cpu: '100m',
  },
  unit: unitOf('kube-scheduler', 'which pod runs where', host, context),
});

const unitOf = (name: Program, does: string, host: ClusterHost, context: PhaseContext): UnitSettings => ({
  description: `${name}: ${does}`,
  documentation: `https://kubernetes.io/docs/reference/command-line-tools-reference/${name}/`,
  program: programOf(name, host, context).sha256,
  type: 'exec',
  after: ['kube-apiserver.service'],
});

/** What a unit runs. */
const programOf = (name: Program, host: ClusterHost, context: PhaseContext) => artifactsOf(host, context).binary(name);

type Program = 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler';

const certificates: Mount = { name: 'certificates', path: pkiDirectory, type: 'DirectoryOrCreate' };

const kubeconfigMount = (client: string): Mount => ({
  name: 'kubeconfig',
  path: `/etc/kubernetes/${client}.conf`,
  type: 'File',
});

const asMount = ({ path }: FileResource): Mount => ({
  name: path.slice(path.lastIndexOf('/') + 1, path.lastIndexOf('.')),
  path,
  type: 'File',
});

const isControllerManagers = ({ path }: FileResource): boolean =>
  /\/(ca\.crt|ca\.key|sa\.key|front-proxy-ca\.crt)$/.test(path);

/** Not the CA's private keys, which only the controller manager reads, and not the kubelet's or etcd's own. */
const isApiServers = ({ path }: FileResource): boolean =>
  path.startsWith(pkiDirectory) && !path.endsWith('ca.key') && !/\/etcd\/(server|peer|healthcheck)/.test(path);

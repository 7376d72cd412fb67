import { referenceOf } from '../artifacts/artifacts.js';
import { apiServerPort, type ClusterHost, isControlPlane } from '../inventory/cluster.js';
import type { BinaryResource, FileResource } from '../resources/resource.js';
import { apiServerFiles } from './api-server-files.js';
import { credentialFiles, kubeconfigFile } from './certificates.js';
import { type Component, cleared, running, type UnitSettings } from './component.js';
import { apiServerFlags, auditDirectory, controllerManagerFlags, pki, schedulerFlags } from './flags.js';
import { apiServer as endOfApiServer } from './leftovers.js';
import type { Phase, Site } from './phase.js';
import { type Mount, probes } from './static-pod.js';
import { controlPlaneTurn } from './turns.js';

/** kube-apiserver, kube-controller-manager and kube-scheduler. */
export const controlPlane: Phase = {
  name: 'control-plane',
  promises: 'API server, controller manager and scheduler run',
  on: isControlPlane,
  rolls: controlPlaneTurn,
  resources(host, site) {
    const components = [apiServer(host, site), controllerManager(host, site), scheduler(host, site)];
    const inPods = site.cluster.kubernetes.controlPlane === 'static-pods';
    return [
      ...apiServerFiles(site),
      ...(inPods ? [] : [programs(site)]),
      ...cleared(components, site),
      ...(inPods ? [{ kind: 'absent', resource: programs(site) } as const] : []),
      ...running(components, host, site),
    ];
  },
  leaves: () => endOfApiServer,
};

/** One program that acts by the name that it is started with. Pods have it in their images. */
const programs = ({ artifacts }: Site): BinaryResource => ({
  kind: 'binary',
  path: '/usr/local/bin/kube-apiserver',
  content: artifacts.binary('control-plane'),
  links: ['/usr/local/bin/kube-controller-manager', '/usr/local/bin/kube-scheduler'],
});

const apiServer = (host: ClusterHost, site: Site): Component => ({
  name: 'kube-apiserver',
  flags: apiServerFlags(host, site),
  inputs: [...credentialFiles(host, site).filter(isApiServers), ...apiServerFiles(site)],
  writes: [auditDirectory],
  port: apiServerPort,
  pod: {
    image: referenceOf(site.artifacts, 'kube-apiserver'),
    annotations: {
      'kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint': `${host.address}:${apiServerPort}`,
    },
    mounts: [
      certificates,
      { name: 'audit', path: auditDirectory, type: 'DirectoryOrCreate', writable: true },
      ...apiServerFiles(site).map(asMount),
    ],
    probes: probes('HTTPS', host.address, apiServerPort, { live: '/livez', ready: '/readyz' }),
    cpu: '250m',
  },
  unit: { ...unitOf('kube-apiserver', 'the Kubernetes API', site), type: 'notify', after: ['etcd.service'] },
});

const controllerManager = (host: ClusterHost, site: Site): Component => ({
  name: 'kube-controller-manager',
  flags: controllerManagerFlags(host, site),
  inputs: [
    ...credentialFiles(host, site).filter(isControllerManagers),
    kubeconfigFile('controller-manager', host, site),
  ],
  writes: [],
  port: 10257,
  pod: {
    image: referenceOf(site.artifacts, 'kube-controller-manager'),
    mounts: [certificates, kubeconfigMount('controller-manager')],
    probes: probes('HTTPS', '127.0.0.1', 10257, { live: '/healthz', ready: '/healthz' }),
    cpu: '200m',
  },
  unit: unitOf('kube-controller-manager', 'the controllers of Kubernetes', site),
});

const scheduler = (host: ClusterHost, site: Site): Component => ({
  name: 'kube-scheduler',
  flags: schedulerFlags(host, site),
  inputs: [kubeconfigFile('scheduler', host, site)],
  writes: [],
  port: 10259,
  pod: {
    image: referenceOf(site.artifacts, 'kube-scheduler'),
    mounts: [kubeconfigMount('scheduler')],
    probes: probes('HTTPS', '127.0.0.1', 10259, { live: '/livez', ready: '/readyz' }),
    cpu: '100m',
  },
  unit: unitOf('kube-scheduler', 'which pod runs where', site),
});

const unitOf = (name: string, does: string, { artifacts }: Site): UnitSettings => ({
  description: `${name}: ${does}`,
  documentation: `https://kubernetes.io/docs/reference/command-line-tools-reference/${name}/`,
  program: artifacts.binary('control-plane').sha256,
  type: 'exec',
  after: ['kube-apiserver.service'],
});

const certificates: Mount = { name: 'certificates', path: pki, type: 'DirectoryOrCreate' };

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
  path.startsWith(pki) && !path.endsWith('ca.key') && !/\/etcd\/(server|peer|healthcheck)/.test(path);

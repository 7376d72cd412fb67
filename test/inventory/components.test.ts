import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { knownVersions } from '../../src/artifacts/catalogue.js';
import { resourcesOf } from '../../src/engine/observe.js';
import { failuresIn } from '../../src/failure.js';
import type { Facts } from '../../src/hosts/facts/facts.js';
import type { FlaggedComponent } from '../../src/inventory/cluster.js';
import { readComponentFlags } from '../../src/inventory/components/flags.js';
import { freeKubeProxyFields, ownKubeProxyFields } from '../../src/inventory/components/kube-proxy-fields.js';
import { whyOwn } from '../../src/inventory/components/own-flags.js';
import {
  apiServerFlags,
  controllerManagerFlags,
  etcdFlags,
  type Flags,
  schedulerFlags,
} from '../../src/phases/control-plane/flags.js';
import { phases } from '../../src/phases/index.js';
import { kindOf } from '../../src/resources/registry.js';
import { loadCluster } from '../../src/workflows/load-cluster.js';
import { contextOf } from '../support/site.js';

const styles = ['static-pods', 'systemd'] as const;
type Style = (typeof styles)[number];

/** Lines of `kubernetes`, which stand from line 6 of the file on, four columns in. */
const inventory = (kubernetes: string, style: Style = 'static-pods') => `apiVersion: kbs/v1
cluster: one
kubernetes:
    version: 1.36.3
    controlPlane: ${style}
${kubernetes
  .split('\n')
  .map((line) => `    ${line}\n`)
  .join('')}network:
  segments:
    lan: { cidr: 10.1.0.0/24 }
hosts:
  cp: { address: 10.1.0.10, roles: [control-plane, worker] }
`;

const load = async (kubernetes: string, style?: Style) =>
  (await loadCluster('kbs.yaml', inventory(kubernetes, style))).cluster;

const refusals = async (kubernetes: string): Promise<readonly string[]> => {
  const error = await load(kubernetes).catch((thrown: unknown) => thrown);
  return failuresIn(error).map(({ message, where }) => `${where.position} ${message}`.replace('kbs.yaml:', ''));
};

/** Resource → what it is to be, of the one host. */
const desired = async (kubernetes: string, style: Style, facts: Partial<Facts> = {}) => {
  const cluster = await load(kubernetes, style);
  const [host] = cluster.hosts;
  if (host === undefined) throw new Error('no host');
  const context = contextOf(cluster, facts);
  const applied = phases.filter((phase) => phase.appliesTo(host, cluster));
  return new Map<string, string>(
    [...resourcesOf({ host, phases: applied }, context)].flatMap(([, list]) =>
      list.map((resource) => {
        const kind = kindOf(resource);
        return [`${resource.kind} ${kind.id(resource)}`, JSON.stringify(kind.desired(resource))] as const;
      }),
    ),
  );
};

/** The resources of which a line of the inventory makes others. */
const changedBy = async (kubernetes: string, style: Style): Promise<readonly string[]> => {
  const [before, after] = await Promise.all([desired('proxy: nftables', style), desired(kubernetes, style)]);
  return [...after].flatMap(([id, state]) => (before.get(id) === state ? [] : [id]));
};

const pod = (name: string) => `file /etc/kubernetes/manifests/${name}.yaml`;
const unit = (name: string) => `unit ${name}.service`;
const proxyPod = 'object kube-proxy';
const proxyUnit = ['file /var/lib/kube-proxy/config.yaml', unit('kube-proxy')];
const kubelet = ['file /var/lib/kubelet/config.yaml', unit('kubelet')];

describe('flags, gates and fields of components', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ['apiServer: { extra: { max-requests-inflight: 800 } }', [pod('kube-apiserver')], [unit('kube-apiserver')]],
    [
      'controllerManager: { extra: { node-monitor-grace-period: 20s } }',
      [pod('kube-controller-manager')],
      [unit('kube-controller-manager')],
    ],
    ['scheduler: { extra: { v: 4 } }', [pod('kube-scheduler')], [unit('kube-scheduler')]],
    ['etcd: { extra: { quota-backend-bytes: 8589934592 } }', [pod('etcd')], [unit('etcd')]],
    ['kubeProxy: { nodePortAddresses: [primary] }', [proxyPod], proxyUnit],
    [
      'featureGates: { ContextualLogging: false }',
      [
        ...kubelet,
        ...['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'].map(pod),
        // The ConfigMap that a kubelet which kbs does not manage starts from.
        'object access',
        proxyPod,
      ],
      [
        ...kubelet,
        ...['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'].map(unit),
        'object access',
        ...proxyUnit,
      ],
    ],
    [
      'apiServer: { audit: { maxAge: 7, maxBackups: 3, maxSize: 50 } }',
      [pod('kube-apiserver')],
      [unit('kube-apiserver')],
    ],
  ])('%s restarts what it is about, and nothing else', async (line, pods, units) => {
    expect(await changedBy(line, 'static-pods')).toEqual(pods);
    expect(await changedBy(line, 'systemd')).toEqual(units);
  });

  it('come after those of kbs, lists with commas between, in both styles', async () => {
    const lines = `apiServer:
  extra: { goaway-chance: 0.01, cors-allowed-origins: [a.example, "^b%$"], tls-min-version: VersionTLS13, enable-admission-plugins: PodNodeSelector }
etcd: { extra: { heartbeat-interval: 200, pre-vote: false } }
featureGates: { AllAlpha: false, ContextualLogging: true }`;
    const pods = await desired(lines, 'static-pods');
    const apiServer = pods.get(pod('kube-apiserver'));
    expect(apiServer).toContain('--goaway-chance=0.01');
    expect(apiServer).toContain('--cors-allowed-origins=a.example,^b%$');
    expect(apiServer).toContain('--tls-min-version=VersionTLS13');
    expect(apiServer).not.toContain('VersionTLS12');
    expect(apiServer).toContain('--enable-admission-plugins=NodeRestriction,PodNodeSelector');
    expect(apiServer).toContain('--feature-gates=AllAlpha=false,ContextualLogging=true');
    expect(pods.get(pod('etcd'))).toContain('--heartbeat-interval=200');
    expect(pods.get('file /var/lib/kubelet/config.yaml')).toContain(
      'featureGates:\\n  AllAlpha: false\\n  ContextualLogging: true\\n',
    );
    const units = await desired(lines, 'systemd');
    expect(units.get(unit('kube-apiserver'))).toContain('--cors-allowed-origins=a.example,^b%%$$');
    expect(units.get(unit('etcd'))).toContain('--pre-vote=false');
  });

  it('of the owner leave alone what kube-proxy could not set on the host', async () => {
    const lines =
      'kubeProxy: { conntrack: { maxPerCore: 65536, tcpBeLiberal: true }, featureGates: { AllBeta: true } }';
    const of = async (conntrackWritable: boolean) =>
      (
        await desired(`${lines}\nfeatureGates: { AllAlpha: false, AllBeta: false }`, 'systemd', { conntrackWritable })
      ).get(proxyUnit[0] ?? '');
    expect(await of(true)).toContain('conntrack:\\n  maxPerCore: 65536\\n  tcpBeLiberal: true\\n');
    expect(await of(false)).toContain('conntrack:\\n  maxPerCore: 0\\n  tcpBeLiberal: true\\n  min: 0\\n');
    expect(await of(true)).toContain('featureGates:\\n  AllAlpha: false\\n  AllBeta: true\\n');
  });

  test.each<[string, readonly string[]]>([
    [
      'apiServer: { extra: { max-request-inflight: 800 } }',
      [
        '6:27 kubernetes.apiServer.extra.max-request-inflight is no flag of kube-apiserver; did you mean max-requests-inflight?',
      ],
    ],
    [
      'scheduler: { extra: { leaderElectRetryPeriod: 1s, --v: 4, colour: red } }',
      [
        '6:27 kubernetes.scheduler.extra.leaderElectRetryPeriod is no flag of kube-scheduler; did you mean leader-elect-retry-period?',
        '6:55 kubernetes.scheduler.extra.--v is no flag of kube-scheduler; did you mean v?',
        '6:63 kubernetes.scheduler.extra.colour is no flag of kube-scheduler',
      ],
    ],
    [
      `apiServer:
  extra:
    etcd-servers: http://a:2379
    feature-gates: AllAlpha=true
    oidc-issuer-url: https://a.example
etcd: { extra: { data-dir: /srv/etcd } }`,
      [
        '8:9 kubernetes.apiServer.extra.etcd-servers: cannot be set here: it asks the etcd of its own host, or that of `kubernetes.etcd.external`',
        '9:9 kubernetes.apiServer.extra.feature-gates: cannot be set here: write `kubernetes.featureGates`',
        '10:9 kubernetes.apiServer.extra.oidc-issuer-url: cannot be set here: write `kubernetes.apiServer.authentication`',
        '11:22 kubernetes.etcd.extra.data-dir: cannot be set here: kbs keeps and restores the data in /var/lib/etcd',
      ],
    ],
    [
      `apiServer: { extra: { max-requests-inflight: many, event-ttl: 60, profiling: 1, goaway-chance: half } }
controllerManager: { extra: { concurrent-gc-syncs: 2.5, v: { a: b } } }`,
      [
        '6:50 kubernetes.apiServer.extra.max-requests-inflight: many is not a whole number',
        '6:67 kubernetes.apiServer.extra.event-ttl: 60 is not a duration like 30s or 1h30m',
        '6:82 kubernetes.apiServer.extra.profiling: 1 is not true or false',
        '6:100 kubernetes.apiServer.extra.goaway-chance: half is not a number',
        '7:56 kubernetes.controllerManager.extra.concurrent-gc-syncs: 2.5 is not a whole number',
        '7:64 kubernetes.controllerManager.extra.v: {"a":"b"} is neither a text nor a number, true, false or a list of texts',
      ],
    ],
    [
      'apiServer: { extra: { disable-admission-plugins: [DefaultStorageClass, NodeRestriction] } }',
      [
        '6:54 kubernetes.apiServer.extra.disable-admission-plugins: NodeRestriction cannot be disabled: it keeps nodes from changing others',
      ],
    ],
    [
      'featureGates: { ContextualLoging: false, InPlace: true, AllBeta: "yes" }',
      [
        `6:21 kubernetes.featureGates.ContextualLoging is no alpha or beta feature gate of Kubernetes 1.36.3; did you mean ContextualLogging?`,
        `6:46 kubernetes.featureGates.InPlace is no alpha or beta feature gate of Kubernetes 1.36.3`,
        `6:70 kubernetes.featureGates.AllBeta: yes is not true or false`,
      ],
    ],
    [
      'kubelet: { featureGates: { ContextualLoging: false } }\nkubeProxy: { featureGates: { InPlace: true } }',
      [
        '6:32 kubernetes.kubelet.featureGates.ContextualLoging is no alpha or beta feature gate of Kubernetes 1.36.3; did you mean ContextualLogging?',
        '7:34 kubernetes.kubeProxy.featureGates.InPlace is no alpha or beta feature gate of Kubernetes 1.36.3',
      ],
    ],
    [
      'kubeProxy: { mode: ipvs, nodePortAdresses: [primary] }',
      [
        '6:18 kubernetes.kubeProxy.mode: cannot be set here: write `kubernetes.proxy`',
        '6:30 kubernetes.kubeProxy.nodePortAdresses is no field of a KubeProxyConfiguration; did you mean nodePortAddresses?',
      ],
    ],
    [
      'etcd: { extra: { log-level: "a\\nb" } }\nscheduler: [v]',
      [
        '6:33 kubernetes.etcd.extra.log-level: a b holds control characters; leave them out',
        '7:16 kubernetes.scheduler: ["v"] is not a map with keys of extra',
      ],
    ],
  ])('%s is refused', async (lines, said) => {
    expect(await refusals(lines)).toEqual(said);
  });
});

describe('the list of flags', () => {
  const known = readComponentFlags();
  const components = Object.entries(known.flags) as readonly (readonly [FlaggedComponent, object])[];

  it('is of the version that the catalogue has', () => {
    expect(knownVersions()).toEqual([known.kubernetes]);
  });

  it('has every flag that kbs sets, and a reason for those that only kbs may set', async () => {
    const cluster = await load('featureGates: { AllAlpha: false }');
    const [host] = cluster.hosts;
    if (host === undefined) throw new Error('no host');
    const context = contextOf(cluster);
    const set: Readonly<Record<FlaggedComponent, Flags>> = {
      etcd: etcdFlags(host, context),
      'kube-apiserver': apiServerFlags(host, context),
      'kube-controller-manager': controllerManagerFlags(host, context),
      'kube-scheduler': schedulerFlags(host, context),
    };
    for (const [component, flags] of components) {
      expect(Object.keys(flags)).toEqual(expect.arrayContaining(Object.keys(set[component])));
      // What names a file of kbs or an address of the host is never the owner's to set.
      const fixed = Object.entries(set[component]).filter(([, value]) => /\/|127\.0\.0\.1|10\.1\.0\.10/.test(value));
      expect(fixed.filter(([flag]) => whyOwn(component, flag) === undefined)).toEqual([]);
    }
  });
});

describe("the fields of kube-proxy's configuration", () => {
  it.runIf(existsSync(types()))('are all that this version of Kubernetes has', () => {
    const source = readFileSync(types(), 'utf8');
    const start = source.indexOf('type KubeProxyConfiguration struct');
    const fields = [...source.slice(start, source.indexOf('\n}', start)).matchAll(/json:"([^",]+)/g)].map(
      ([, name]) => name,
    );
    expect([...freeKubeProxyFields, ...Object.keys(ownKubeProxyFields)].toSorted()).toEqual(
      [...fields, 'apiVersion', 'kind'].toSorted(),
    );
  });
});

/** Where Go keeps the types, once a bundle was built here. */
function types(): string {
  return join(homedir(), 'go/pkg/mod/k8s.io/kube-proxy@v0.36.3/config/v1alpha1/types.go');
}

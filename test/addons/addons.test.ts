import { describe, expect, it, test } from 'vitest';
import { knownAddons, plannedAddons, withNeeds } from '../../src/addons/index.js';
import { mergeValues } from '../../src/addons/merge-values.js';
import { referenceOf } from '../../src/artifacts/artifacts.js';
import { placeholderArtifacts } from '../../src/artifacts/placeholder.js';
import type { Addon } from '../../src/inventory/cluster.js';
import { knownAddonNames } from '../../src/inventory/schema/addons.js';
import type { MetricsCredentials } from '../../src/pki/credentials.js';
import { revealed } from '../../src/resources/release-preview.js';
import { Secret } from '../../src/secret.js';
import { clusterOf, hostOf } from '../support/cluster.js';

const common = { values: {}, adopt: false, timeoutSeconds: 300 } as const;
const metrics: Addon = { ...common, is: 'metrics-server', name: 'metrics-server' };
const storage: Addon = {
  ...common,
  is: 'storage',
  name: 'storage',
  path: '/srv/volumes',
  reclaim: 'Retain',
  isDefault: true,
};
const lan: Addon = {
  ...common,
  is: 'load-balancer-services',
  name: 'load-balancer-services',
  pools: [
    { segment: 'office', ranges: ['192.168.10.200-192.168.10.230'] },
    { segment: 'rack', ranges: ['192.168.20.64/27', '192.168.20.200/29'] },
  ],
};
const dashboard: Addon = { ...common, is: 'dashboard', name: 'dashboard', host: 'dashboard.example.com' };
const ingress: Addon = { ...common, is: 'ingress', name: 'ingress' };
const certManager: Addon = {
  ...common,
  is: 'cert-manager',
  name: 'cert-manager',
  acme: { email: 'admin@example.com', server: 'https://acme.example.com/directory' },
};
const rancher: Addon = { ...common, is: 'rancher', name: 'rancher', host: 'rancher.example.com', replicas: 3 };
const nfs: Addon = {
  ...common,
  is: 'nfs-storage',
  name: 'nfs-storage',
  server: 'nas.example.com',
  path: '/srv/volumes',
  reclaim: 'Retain',
  isDefault: true,
};
const monitoring: Addon = {
  ...common,
  is: 'monitoring',
  name: 'monitoring',
  retention: '30d',
  images: 'registries',
  host: 'grafana.example.com',
};
const known = {
  'metrics-server': metrics,
  storage,
  'nfs-storage': nfs,
  'load-balancer-services': lan,
  ingress,
  'cert-manager': certManager,
  dashboard,
  rancher,
  monitoring,
} as const;
const own = (name: string): Addon => ({
  ...common,
  is: 'own',
  name,
  chart: { path: `/charts/${name}` },
  namespace: 'apps',
});

const artifacts = placeholderArtifacts('1.36.3');
const planned = (...addons: readonly Addon[]) =>
  plannedAddons(clusterOf({ addons }), (name) => referenceOf(artifacts, name), {});

it('the inventory and the catalogue know the same add-ons', () => {
  expect(knownAddons.map(({ name }) => name).toSorted()).toEqual([...knownAddonNames].toSorted());
});

describe.each(knownAddons)('$name', ({ name, needs, images, published }) => {
  it('comes after all that it needs', () => {
    const names = knownAddons.map((each) => each.name);
    for (const need of needs) expect(names.indexOf(need)).toBeLessThan(names.indexOf(name));
    expect(needs.every((need) => names.includes(need))).toBe(true);
  });

  it('has its chart in the bundle or published, its images in the bundle, and no other image in its values', () => {
    if (published)
      expect(published).toMatchObject({
        repository: expect.stringMatching(/^https:/),
        version: expect.stringMatching(/^v?\d/),
        // The digests of these charts are those of their repositories' indexes.
        ...(['ingress', 'rancher', 'monitoring'].includes(name)
          ? {}
          : { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }),
      });
    else
      expect(artifacts.chart(name)).toMatchObject({ name: expect.any(String), version: expect.stringMatching(/^\d/) });
    const [one] = planned(known[name as keyof typeof known]);
    // Some charts take the registry apart.
    const values = JSON.stringify(one?.values).replaceAll(/"registry":"([^"]*)","repository":"/g, '"repository":"$1/');
    const repositories = values.match(/"repository":"[^"]*"/g) ?? [];
    expect(repositories.toSorted()).toEqual(images.map((image) => `"repository":"kbs.local/${image}"`).toSorted());
  });
});

it('known add-ons come first, those that others need before those, then the owner’s in the order of the inventory', () => {
  expect(planned(own('b'), metrics, own('a'), storage).map(({ release }) => release)).toEqual([
    'local-path-provisioner',
    'metrics-server',
    'b',
    'a',
  ]);
});

it('Rancher gets its certificate by the issuer of the LAN, and the authority that its agents trust', () => {
  const [release] = plannedAddons(clusterOf({ addons: [rancher] }), (name) => referenceOf(artifacts, name), {
    ingress: { ca: 'the authority', caKey: new Secret('its key') },
  });
  expect(release?.values).toMatchObject({
    hostname: 'rancher.example.com',
    replicas: 3,
    privateCA: true,
    ingress: { tls: { source: 'secret' }, extraAnnotations: { 'cert-manager.io/cluster-issuer': 'lan' } },
    extraObjects: [
      { metadata: { name: 'tls-ca', namespace: 'cattle-system' }, data: { 'cacerts.pem': expect.any(String) } },
    ],
  });
  expect(JSON.stringify(revealed(release?.values))).not.toContain('its key');
  expect(JSON.stringify(release?.values)).not.toContain('assword');
});

it.each<[string, Addon, readonly string[] | undefined]>([
  ['are those of kbs', dashboard, ['ghcr.io/headlamp-k8s/headlamp:v0.45.0']],
  ['are none of an add-on of the bundle', metrics, []],
  [
    'stay known with values about other things',
    { ...dashboard, values: { replicaCount: 2 } },
    ['ghcr.io/headlamp-k8s/headlamp:v0.45.0'],
  ],
  ['cannot be told with values about images', { ...dashboard, values: { image: { tag: 'v1' } } }, undefined],
  ['cannot be told of another chart', { ...dashboard, chart: { path: '/headlamp' } }, undefined],
  ['cannot be told of a chart of the owner', own('web'), undefined],
])('images that hosts fetch %s', (_, addon, pulls) => {
  expect(planned(addon)[0]?.pulls).toEqual(pulls);
});

it('settings become values, and metrics-server checks certificates', () => {
  const [volumes, usage] = planned(storage, metrics);
  expect(volumes?.values).toMatchObject({
    storageClass: { defaultClass: true, reclaimPolicy: 'Retain' },
    nodePathMap: [{ paths: ['/srv/volumes'] }],
  });
  expect(JSON.stringify(usage?.values)).not.toContain('insecure');
});

it('an NFS export becomes a StorageClass, the default one where that is wanted', () => {
  expect(planned(nfs)[0]?.values).toMatchObject({
    storageClass: {
      annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
      parameters: { server: 'nas.example.com', share: '/srv/volumes' },
      reclaimPolicy: 'Retain',
    },
  });
  expect(JSON.stringify(planned({ ...nfs, isDefault: false } as Addon)[0]?.values)).not.toContain('is-default-class');
});

it('objects of kinds that a chart brings are a release after it, of the same add-on', () => {
  const [metallb, objects, next] = planned(own('web'), lan);
  expect([metallb, objects, next].map((each) => `${each?.namespace}/${each?.release} by ${each?.addon.name}`)).toEqual([
    'metallb-system/metallb by load-balancer-services',
    'metallb-system/metallb-objects by load-balancer-services',
    'apps/web by web',
  ]);
  expect(artifacts.chart(objects?.chart ?? '')).toMatchObject({ name: 'objects' });
});

it('cert-manager has an issuer by the authority of the LAN, and one by ACME where it is asked for', () => {
  const credentials = { ingress: { ca: 'the authority', caKey: new Secret('its key') } };
  const releases = plannedAddons(
    clusterOf({ addons: [certManager] }),
    (name) => referenceOf(artifacts, name),
    credentials,
  );
  expect(releases.map(({ release, namespace }) => `${namespace}/${release}`)).toEqual([
    'cert-manager/cert-manager',
    'cert-manager/cert-manager-objects',
  ]);
  const { objects } = revealed(releases[1]?.values) as { objects: readonly Record<string, Record<string, unknown>>[] };
  expect(objects.map(({ kind, metadata }) => `${kind} ${metadata?.name}`)).toEqual([
    'Secret lan-ca',
    'ClusterIssuer lan',
    'ClusterIssuer acme',
  ]);
  expect(objects[0]?.data).toEqual({ 'tls.crt': 'dGhlIGF1dGhvcml0eQ==', 'tls.key': 'aXRzIGtleQ==' });
  expect(objects[1]?.spec).toEqual({ ca: { secretName: 'lan-ca' } });
  expect(objects[2]?.spec).toMatchObject({
    acme: { email: 'admin@example.com', solvers: [{ http01: { ingress: { ingressClassName: 'traefik' } } }] },
  });
  expect(JSON.stringify(releases)).not.toContain('aXRzIGtleQ==');
});

it('the dashboard may only look, and has an Ingress where it has a name', () => {
  const values = ({ host: _, ...rest }: typeof dashboard & { is: 'dashboard' }) => planned(rest)[0]?.values;
  expect(values(dashboard as typeof dashboard & { is: 'dashboard' })).toEqual({
    clusterRoleBinding: { clusterRoleName: 'view' },
    config: { oidc: { secret: { create: false } } },
  });
  expect(planned(dashboard)[0]?.values).toMatchObject({
    ingress: {
      enabled: true,
      hosts: [{ host: 'dashboard.example.com', paths: [{ path: '/', type: 'Prefix' }] }],
      tls: [{ hosts: ['dashboard.example.com'] }],
    },
  });
});

it('a pool has the name of its segment, whose nodes announce it, and the first serves those that ask for none', () => {
  const objects = planned(lan)[1]?.values.objects as readonly Record<string, Record<string, unknown>>[];
  expect(objects.map(({ kind, metadata }) => `${kind} ${metadata?.namespace}/${metadata?.name}`)).toEqual([
    'IPAddressPool metallb-system/office',
    'L2Advertisement metallb-system/office',
    'IPAddressPool metallb-system/rack',
    'L2Advertisement metallb-system/rack',
  ]);
  expect(objects.map(({ spec }) => spec)).toEqual([
    { addresses: ['192.168.10.200-192.168.10.230'], autoAssign: true },
    { ipAddressPools: ['office'], nodeSelectors: [{ matchLabels: { 'topology.kubernetes.io/zone': 'office' } }] },
    { addresses: ['192.168.20.64/27', '192.168.20.200/29'], autoAssign: false },
    { ipAddressPools: ['rack'], nodeSelectors: [{ matchLabels: { 'topology.kubernetes.io/zone': 'rack' } }] },
  ]);
});

it('values of the owner are over those of kbs', () => {
  const [one] = planned({ ...metrics, values: { replicas: 2, image: { pullPolicy: 'Always' } } });
  expect(one?.values).toMatchObject({
    replicas: 2,
    image: { repository: 'kbs.local/metrics-server', pullPolicy: 'Always' },
  });
});

test.each<[readonly string[], readonly string[]]>([
  [['a'], ['a']],
  [['c'], ['a', 'b', 'c']],
  [
    ['c', 'a', 'x'],
    ['a', 'b', 'c', 'x'],
  ],
])('%j with what they need are %j', (names, all) => {
  const among = [
    { name: 'a', needs: [] },
    { name: 'b', needs: ['a'] },
    { name: 'c', needs: ['b', 'a'] },
  ];
  expect(withNeeds(names, among)).toEqual(all);
});

test.each<[string, object, object, object]>([
  ['maps key by key', { a: { b: 1, c: 2 } }, { a: { c: 3, d: 4 } }, { a: { b: 1, c: 3, d: 4 } }],
  ['lists as a whole', { a: [1, 2] }, { a: [3] }, { a: [3] }],
  ['a map over a word', { a: 'x' }, { a: { b: 1 } }, { a: { b: 1 } }],
  ['a word over a map', { a: { b: 1 } }, { a: 'x' }, { a: 'x' }],
  ['null, which helm takes for no value at all', { a: { b: 1 } }, { a: null }, { a: null }],
])('%s', (_, values, over, merged) => {
  expect(mergeValues({ ...values }, { ...over })).toEqual(merged);
});

describe('monitoring', () => {
  const metrics: MetricsCredentials = {
    ca: 'the authority',
    client: { certificate: 'its certificate', key: new Secret('its key') },
    server: () => ({ certificate: '', key: new Secret('') }),
  };
  const hosts = [
    hostOf({ name: 'lb-00', address: '192.168.10.3', segment: 'office', roles: ['load-balancer', 'dns'] }),
    ...clusterOf().hosts,
  ];
  const releases = (settings: object = {}) =>
    plannedAddons(
      clusterOf({ zone: 'lan.internal', hosts, addons: [{ ...monitoring, ...settings }] }),
      (name) => referenceOf(artifacts, name),
      { metrics },
    );
  const objects = () =>
    (revealed(releases()[1]?.values) as { objects: readonly { kind: string; metadata: { name: string }; spec: Job }[] })
      .objects;
  interface Job {
    readonly jobName: string;
    readonly metricsPath: string;
    readonly staticConfigs: readonly { readonly targets: readonly string[]; readonly labels: { instance: string } }[];
  }

  it('reads each program through the port of its host, under the names that rules and dashboards have for it', () => {
    const jobs = objects()
      .filter(({ kind }) => kind === 'ScrapeConfig')
      .map(({ spec: { jobName, metricsPath, staticConfigs } }) => [
        jobName,
        metricsPath,
        staticConfigs.map(({ targets, labels }) => `${labels.instance} ${targets.join()}`),
      ]);
    const [lb, cp] = ['lb-00 192.168.10.3:9444', 'controller-00 192.168.10.10:9444'];
    const workers = ['worker-office-00 192.168.10.20:9444', 'worker-rack-00 192.168.20.20:9444'];
    expect(jobs.toSorted()).toEqual([
      ['haproxy', '/haproxy', [lb]],
      ['kube-controller-manager', '/controller-manager', [cp]],
      ['kube-etcd', '/etcd', [cp]],
      ['kube-proxy', '/kube-proxy', [cp, ...workers]],
      ['kube-scheduler', '/scheduler', [cp]],
      ['lan-dns', '/coredns', [lb]],
      ['node-exporter', '/node', [lb, cp, ...workers]],
    ]);
  });

  it('has the key of its certificate in a Secret, and in no text', () => {
    expect(objects()[0]).toMatchObject({
      kind: 'Secret',
      data: { 'tls.key': Buffer.from('its key').toString('base64') },
    });
    expect(JSON.stringify(releases())).not.toContain(Buffer.from('its key').toString('base64'));
  });

  it('runs images of the bundle where the inventory says so, and then no Grafana', () => {
    const [stack] = releases({ images: 'bundle' });
    expect(stack?.images).toContain('prometheus-operator');
    expect(stack?.values).toMatchObject({
      prometheus: { prometheusSpec: { image: { registry: 'kbs.local', repository: 'prometheus' }, retention: '30d' } },
      grafana: { enabled: false },
    });
    expect(releases()[0]?.images).toEqual([]);
    expect(JSON.stringify(releases()[0]?.values)).not.toContain('kbs.local');
  });

  it("has Grafana's password in no value, and an Ingress where it has a name", () => {
    expect(releases()[0]?.values.grafana).toMatchObject({
      admin: { existingSecret: 'grafana-admin' },
      ingress: { enabled: true, hosts: ['grafana.example.com'] },
    });
    expect(releases({ host: undefined })[0]?.values.grafana).not.toHaveProperty('ingress');
  });
});

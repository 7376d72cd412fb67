import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { resourcesOf } from '../../../src/engine/observe.js';
import type { Cluster, ClusterHost } from '../../../src/inventory/cluster.js';
import { phases } from '../../../src/phases/index.js';
import type { Credentials } from '../../../src/pki/credentials.js';
import { placeholderCredentials } from '../../../src/pki/placeholder.js';
import { kindOf } from '../../../src/resources/registry.js';
import type { Resource, UnitResource } from '../../../src/resources/resource.js';
import { reveal, Secret } from '../../../src/secret.js';
import { clusterOf, hostOf } from '../../support/cluster.js';
import { lacks } from '../../support/needs.js';
import { contextOf } from '../../support/site.js';

type ControlPlaneStyle = Cluster['kubernetes']['controlPlane'];

const kubernetes = (controlPlane: ControlPlaneStyle) =>
  ({ version: '1.36.3', controlPlane, proxy: 'nftables' }) as const;

/** A control plane that is a worker too, so that both styles have everything. */
const controller = hostOf({
  name: 'controller-00',
  address: '192.168.10.10',
  roles: ['control-plane', 'worker'],
  segment: 'office',
  podCidr: '10.244.0.0/24',
});
const clusterIn = (style: ControlPlaneStyle, host: ClusterHost = controller): Cluster =>
  clusterOf({ kubernetes: kubernetes(style), hosts: [host] });

const wanted = (cluster: Cluster, credentials = placeholderCredentials(cluster)): readonly Resource[] => {
  const [host] = cluster.hosts;
  if (!host) return [];
  const hostPhases = { host, phases: phases.filter((phase) => phase.appliesTo(host, cluster)) };
  return [...resourcesOf(hostPhases, { ...contextOf(cluster), credentials }).values()].flat();
};

/** Each certificate, key and kubeconfig of the control plane, and credentials in which it alone is another one. */
const changes = (cluster: Cluster): readonly (readonly [string, Credentials])[] => {
  const base = placeholderCredentials(cluster);
  const files = base.files(controller.name).filter(({ path }) => !path.startsWith('/'));
  return [
    ...files.map(({ path }): [string, Credentials] => [
      `/etc/kubernetes/pki/${path}`,
      {
        ...base,
        files: (host) => base.files(host).map((file) => (file.path === path ? { ...file, content: 'another' } : file)),
      },
    ]),
    ...(['controller-manager', 'scheduler'] as const).map((client): [string, Credentials] => [
      `/etc/kubernetes/${client}.conf`,
      {
        ...base,
        kubeconfig: (other, host) => (other === client ? new Secret('another') : base.kubeconfig(other, host)),
      },
    ]),
  ];
};

/** What the process of a component is started from: any change of it is a new process. */
const startedFrom = (resources: readonly Resource[], name: string): string | undefined =>
  resources
    .flatMap((resource) => {
      if (resource.kind === 'unit' && resource.name === `${name}.service`)
        return [resource.text, ...resource.inputs].join('\n');
      return resource.kind === 'file' && resource.path === `/etc/kubernetes/manifests/${name}.yaml`
        ? [reveal(resource.content)]
        : [];
    })
    .at(0);

const units = (cluster: Cluster): ReadonlyMap<string, UnitResource> =>
  new Map(
    wanted(cluster).flatMap((resource) => (resource.kind === 'unit' ? [[resource.name, resource] as const] : [])),
  );

const ids = (resources: readonly Resource[]): readonly string[] =>
  resources.map((resource) => `${resource.kind} ${kindOf(resource).id(resource)}`);

/** The words of a unit's command, the program aside. */
const wordsOf = (unit: UnitResource | undefined): readonly string[] => {
  const command = /^ExecStart=((?:.*\\\n)*.*)$/m.exec(unit?.text ?? '')?.[1] ?? '';
  return command
    .split(/\s*\\\n\s*/)
    .slice(1)
    .filter(Boolean);
};

const credentialsOf = (unit: UnitResource | undefined): ReadonlyMap<string, string> =>
  new Map(
    [...(unit?.text ?? '').matchAll(/^LoadCredential=([^:]+):(.*)$/gm)].map(([, name = '', path = '']) => [name, path]),
  );

const wantedAfterChanges = (style: ControlPlaneStyle) =>
  new Map(changes(clusterIn(style)).map(([path, credentials]) => [path, wanted(clusterIn(style), credentials)]));
const afterChanges = { systemd: wantedAfterChanges('systemd'), 'static-pods': wantedAfterChanges('static-pods') };

const components = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

describe.each(components)('%s', (name) => {
  const unit = units(clusterIn('systemd')).get(`${name}.service`);
  const manifest = wanted(clusterIn('static-pods')).find(
    (resource) => resource.kind === 'file' && resource.path === `/etc/kubernetes/manifests/${name}.yaml`,
  );

  it('has the same flags as a unit and as a pod', () => {
    const pod = parse(manifest?.kind === 'file' ? reveal(manifest.content) : '') as {
      spec: { containers: [{ command: readonly string[] }] };
    };
    const credentials = credentialsOf(unit);
    const asFiles = wordsOf(unit).map((word) =>
      word.replace(
        /\$\{CREDENTIALS_DIRECTORY\}\/(\S+)$/,
        (_, credential: string) => credentials.get(credential) ?? '?',
      ),
    );
    expect(asFiles).toEqual(pod.spec.containers[0].command.slice(1));
  });

  it('reads no file of /etc/kubernetes by itself, and each copy that it names is handed over', () => {
    const credentials = credentialsOf(unit);
    const words = wordsOf(unit);
    expect(words.filter((word) => word.includes('/etc/kubernetes'))).toEqual([]);
    const named = words.flatMap((word) => /CREDENTIALS_DIRECTORY\}\/(\S+)$/.exec(word)?.[1] ?? []);
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((credential) => !credentials.has(credential))).toEqual([]);
  });

  it('is started again when a file that it reads changes, and only then', () => {
    const read = [...credentialsOf(unit).values()];
    const expected = [...afterChanges.systemd.keys()].filter((path) => read.includes(path));
    const restarted = (style: ControlPlaneStyle) => {
      const before = startedFrom(wanted(clusterIn(style)), name);
      return [...afterChanges[style]].flatMap(([path, after]) => (startedFrom(after, name) === before ? [] : [path]));
    };
    expect(expected.length).toBeGreaterThan(0);
    expect(restarted('systemd')).toEqual(expected);
    expect(restarted('static-pods')).toEqual(expected);
  });
});

it('a change of style takes away what the other one put there, and asks for nothing twice', () => {
  const inPods = ids(wanted(clusterIn('static-pods')));
  const inUnits = ids(wanted(clusterIn('systemd')));
  const names = components.map((name) => `/etc/kubernetes/manifests/${name}.yaml`);
  expect(inUnits).toEqual(expect.arrayContaining(names.map((path) => `absent file ${path}`)));
  expect(inPods).toEqual(expect.arrayContaining(components.map((name) => `absent unit ${name}.service`)));
  expect(inPods).toContain('absent unit kube-proxy.service');
  expect(inUnits).toContain('absent object kube-proxy');
  expect(new Set(inUnits).size).toBe(inUnits.length);
});

it('a pod has left before its unit starts, and the user is there before the directory is theirs', () => {
  const order = ids(wanted(clusterIn('systemd')));
  const places = [
    'absent file /etc/kubernetes/manifests/etcd.yaml',
    'task etcd has left its pod',
    'task user etcd',
    'directory /var/lib/etcd',
    'task etcd-member',
    'unit etcd.service',
  ].map((id) => order.indexOf(id));
  expect(places).not.toContain(-1);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
});

it('a control plane that is no node has no kubelet, and reaches the pods behind Services by routes', () => {
  const { podCidr: _, ...pure } = { ...controller, roles: ['control-plane'] as const };
  const cluster = clusterIn('systemd', pure);
  expect([...units(cluster).keys()].toSorted()).toEqual([
    'etcd.service',
    'kbs-routes.service',
    'kube-apiserver.service',
    'kube-controller-manager.service',
    'kube-scheduler.service',
  ]);
  expect(ids(wanted(cluster))).toEqual(
    expect.arrayContaining(['absent unit kubelet.service', 'absent unit containerd.service']),
  );
  expect(wordsOf(units(cluster).get('kube-apiserver.service'))).toContain('--enable-aggregator-routing=true');
  expect(wordsOf(units(clusterIn('systemd')).get('kube-apiserver.service'))).not.toContain(
    '--enable-aggregator-routing=true',
  );
});

/** Programs that are not here are no fault of a unit. */
it.skipIf(lacks('systemd'))('systemd understands every line of every unit', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kbs-units-'));
  try {
    const all = [...units(clusterIn('systemd')).values()];
    expect(all.length).toBeGreaterThan(6);
    for (const { name, text } of all) {
      const program = /^ExecStart=(\S+)/m.exec(text)?.[1] ?? '';
      await writeFile(join(folder, name), text.replaceAll(program, '/bin/true'));
    }
    const files = all.map(({ name }) => join(folder, name));
    const { stderr } = await execa('systemd-analyze', ['verify', '--man=no', '--recursive-errors=no', ...files], {
      reject: false,
    });
    expect(stderr.split('\n').filter((line) => line.includes(folder))).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

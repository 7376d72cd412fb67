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
import type { Resource, UnitResource } from '../../../src/resources/resource.js';
import { reveal, Secret } from '../../../src/secret.js';
import { clusterOf, hostOf } from '../../support/cluster.js';
import { lacks } from '../../support/needs.js';
import { plannedLines, recordsOf } from '../../support/pruned.js';
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

/** The words of a unit's command, without the program. */
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

  it('reads no file of /etc/kubernetes itself, and gets a copy of each file that its flags name', () => {
    const credentials = credentialsOf(unit);
    const words = wordsOf(unit);
    expect(words.filter((word) => word.includes('/etc/kubernetes'))).toEqual([]);
    const named = words.flatMap((word) => /CREDENTIALS_DIRECTORY\}\/(\S+)$/.exec(word)?.[1] ?? []);
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((credential) => !credentials.has(credential))).toEqual([]);
  });

  it('restarts when a file that it reads changes, and only then', () => {
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

/** What is done to a host of one style that becomes one of the other. */
const switched = (to: Cluster['kubernetes']['controlPlane'], host: ClusterHost = controller): readonly string[] => {
  const from = to === 'systemd' ? 'static-pods' : 'systemd';
  return plannedLines(host, clusterIn(to, host), recordsOf(controller, clusterIn(from))).lines;
};

const inOrder = (lines: readonly string[], expected: readonly string[]): void => {
  const places = expected.map((line) => lines.indexOf(line));
  expect(expected.filter((line) => !lines.includes(line))).toEqual([]);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
};

it('a change of style removes the resources of the other style', () => {
  const toUnits = switched('systemd').filter((line) => line.includes(': remove '));
  expect(toUnits).toEqual(
    expect.arrayContaining([
      'etcd: remove file /etc/kubernetes/manifests/etcd.yaml',
      ...components.slice(1).map((name) => `control-plane: remove file /etc/kubernetes/manifests/${name}.yaml`),
      'prune: remove image control-plane',
    ]),
  );
  expect(toUnits).toHaveLength(5);
  const toPods = switched('static-pods').filter((line) => line.includes(': remove '));
  expect(toPods).toEqual([
    'etcd: remove unit etcd.service',
    'etcd: remove task user etcd',
    'control-plane: remove unit kube-scheduler.service',
    'control-plane: remove unit kube-controller-manager.service',
    'control-plane: remove unit kube-apiserver.service',
    'control-plane: remove task user kube-apiserver',
    'proxy: remove unit kube-proxy.service',
    'proxy: remove file /var/lib/kube-proxy/config.yaml',
    'proxy: remove directory /var/lib/kube-proxy',
    'proxy: remove file /etc/kubernetes/kube-proxy.conf',
    'proxy: remove task protocol names',
    'proxy: remove binary /usr/local/bin/kube-proxy',
    'prune: remove binary /usr/local/bin/kube-apiserver',
  ]);
});

it('a second run after a change of style finds nothing to remove', () => {
  for (const style of ['systemd', 'static-pods'] as const) {
    const cluster = clusterIn(style);
    const again = plannedLines(controller, cluster, recordsOf(controller, cluster));
    expect(again.lines.filter((line) => line.includes(': remove '))).toEqual([]);
  }
});

it('a pod has ended before its unit starts, and the user exists before it owns the directory', () => {
  inOrder(switched('systemd'), [
    'etcd: remove file /etc/kubernetes/manifests/etcd.yaml',
    'etcd: task etcd has left its pod',
    'etcd: task user etcd',
    'etcd: directory /var/lib/etcd',
    'etcd: task etcd-member',
    'etcd: unit etcd.service',
    'control-plane-programs: binary /usr/local/bin/kube-apiserver',
    'control-plane: remove file /etc/kubernetes/manifests/kube-apiserver.yaml',
    'control-plane: task kube-apiserver has left its pod',
    'control-plane: unit kube-apiserver.service',
  ]);
});

it('a unit has ended and root owns the data before the manifest is there, and the program is removed last', () => {
  inOrder(switched('static-pods'), [
    'control-plane-images: image control-plane',
    'etcd: remove unit etcd.service',
    'etcd: remove task user etcd',
    'etcd: directory /var/lib/etcd',
    'etcd: file /etc/kubernetes/manifests/etcd.yaml',
    'control-plane: remove unit kube-apiserver.service',
    'control-plane: file /etc/kubernetes/manifests/kube-apiserver.yaml',
    'proxy: task kube-proxy runs in a pod',
    'proxy: remove unit kube-proxy.service',
    'prune: remove binary /usr/local/bin/kube-apiserver',
  ]);
});

it.each([
  ['a worker', ['worker'], 'task etcd-member'],
  ['a load balancer', ['load-balancer'], 'task etcd-member'],
] as const)('a control plane that becomes %s is left as it is until it has left the cluster', (_, roles, thing) => {
  const { podCidr, ...machine } = controller;
  const other: ClusterHost = { ...machine, roles, ...(roles[0] === 'worker' ? { podCidr: podCidr ?? '' } : {}) };
  const [, ...rest] = clusterOf().hosts;
  const cluster = clusterOf({ kubernetes: kubernetes('systemd'), hosts: [other, ...rest] });
  const { lines, notes } = plannedLines(other, cluster, recordsOf(controller, clusterIn('systemd')));
  expect(lines.filter((line) => /(?<!proxy): remove /.test(line))).toEqual([]);
  expect(notes[0]).toBe(
    `${thing} stays, with all that is left over: first run kbs remove controller-00, then add it again`,
  );
});

it('a control plane that becomes a worker is left as it is, even where the record of its data is lost', () => {
  const [, ...rest] = clusterOf().hosts;
  const other: ClusterHost = { ...controller, roles: ['worker'] };
  const before = recordsOf(controller, clusterOf()).filter((line) => !line.includes('etcd-member'));
  const { lines, notes } = plannedLines(other, clusterOf({ hosts: [other, ...rest] }), before, { etcdMember: true });
  expect(lines.filter((line) => /(?<!proxy): remove /.test(line))).toEqual([]);
  expect(notes[0]).toBe(
    'data of etcd stay, with all that is left over: first run kbs remove controller-00, then add it again',
  );
});

it('the DaemonSet is removed once every other node has its unit', () => {
  const cluster = clusterOf({ kubernetes: kubernetes('systemd') });
  const [first] = cluster.hosts;
  const context = contextOf(cluster);
  const pruner = phases.find(({ name }) => name === 'prune-objects');
  expect(first && pruner?.after?.(first, context)).toEqual([
    { host: 'worker-office-00', phase: 'proxy' },
    { host: 'worker-rack-00', phase: 'proxy' },
  ]);
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
  inOrder(switched('systemd', pure), [
    'remove-kubelet: task node controller-00 has left',
    'remove-kubelet: task pods have ended',
    'remove-kubelet: remove unit kbs-firewall.service',
    'remove-kubelet: remove unit kubelet.service',
    'remove-kubelet: remove unit containerd.service',
    'remove-kubelet: remove binary /usr/local/bin/containerd',
    'remove-kubelet: remove file /etc/kubernetes/kubelet.conf',
    'remove-kubelet: remove swap off',
  ]);
  expect(
    switched('systemd', pure).filter((line) => /remove .*(etcd-member|hosts-entry|pki\/ca.crt)/.test(line)),
  ).toEqual([]);
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

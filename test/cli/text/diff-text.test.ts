import { expect, it } from 'vitest';
import { planText, summaryText } from '../../../src/cli/text/diff-text.js';
import { overviewText } from '../../../src/cli/text/overview-text.js';
import type { Change, ChangeImages } from '../../../src/engine/plan.js';
import { create, hostPlan, planOf, remove, unknown, update } from './plans.js';

it('a change of text is a unified diff, a change of a word is was → wanted', () => {
  const plan = planOf(
    hostPlan('controller-00', {
      system: [update('sysctl', 'net.ipv4.ip_forward', 'value', '0', '1')],
      runtime: [
        update('file', '/etc/containerd/config.toml', 'content', 'a\nb\nc\n', 'a\nB\nc\n'),
        create('file', '/etc/new', { content: 'one\ntwo\n', mode: '0644' }),
        remove('route', '10.244.1.0/24'),
      ],
    }),
  );
  expect(planText(plan)).toBe(`controller-00
  system
    ~ sysctl net.ipv4.ip_forward
        value: 0 → 1
  runtime
    ~ file /etc/containerd/config.toml
        @@ -1,3 +1,3 @@
         a
        -b
        +B
         c
    + file /etc/new
        @@ -0,0 +1,2 @@
        +one
        +two
        mode: 0644
    - route 10.244.1.0/24

1 to create, 2 to update, 1 to remove on 1 host
`);
});

it('what kbs cannot tell has its reason, is never called a creation, and is said to be applied', () => {
  const proxy = unknown('object', 'kube-proxy', 'the server was refused');
  const plan = planOf(hostPlan('controller-00', { runtime: [create('file', '/etc/new')], proxy: [proxy] }));
  expect(planText(plan)).toBe(`controller-00
  runtime
    + file /etc/new
  proxy
    ? object kube-proxy  cannot tell: the server was refused

1 to create, 1 to apply in any case (?) on 1 host
?  kbs cannot tell what is there: it waits until the phase may begin, then applies these; what is as wanted does not change
`);
  expect(planText(plan, { verbose: true })).toContain('        +  b: c\n');
});

it('text of another aspect than content is a diff under the name of that aspect', () => {
  const change = update(
    'object',
    'coredns',
    'Deployment kube-system/coredns',
    'spec:\n  replicas: 1\n',
    'spec:\n  replicas: 2\n',
  );
  expect(planText(planOf(hostPlan('a', { dns: [change] })))).toContain(`        Deployment kube-system/coredns:
        @@ -1,2 +1,2 @@
         spec:
        -  replicas: 1
        +  replicas: 2
`);
});

it('a host that gets everything for the first time shows a list, and contents where more is asked for', () => {
  const plan = planOf(hostPlan('worker-00', { runtime: [create('file', '/etc/new', { content: 'one\ntwo\n' })] }));
  expect(planText(plan)).toBe(`worker-00
  runtime
    + file /etc/new

1 to create on 1 host
`);
  expect(planText(plan, { verbose: true })).toContain('+one\n');
});

it('hosts with the same changes are shown once', () => {
  const same = { routes: [create('route', '10.244.9.0/24')] };
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  const text = planText(planOf(...names.map((name) => hostPlan(name, same))));
  expect(text).toBe(`a, b, c, d, e and 2 more (7 hosts, the same changes)
  routes
    + route 10.244.9.0/24

7 to create on 7 hosts
`);
});

it('a plan without changes is one line', () => {
  const plan = planOf(hostPlan('a', { system: [] }), hostPlan('b', {}), hostPlan('c', {}));
  expect(planText(plan)).toBe('nothing to change: 3 hosts are as the inventory says\n');
});

it('hosts that did not answer are named with what, why and what to do next', () => {
  const plan = planOf(hostPlan('a', {}), {
    host: 'b',
    phases: [],
    skipped: {
      code: 'unreachable',
      what: 'no answer from 10.0.0.2:22',
      where: {},
      why: ['timed out'],
      next: 'see its cable',
    },
  });
  expect(summaryText(plan)).toBe(
    `nothing to change: 1 host is as the inventory says
skipped: b (no answer from 10.0.0.2:22)
  | timed out
  → see its cable
`,
  );
});

it('a plan names what is left over and stays, also where nothing changes', () => {
  const plan = planOf({ ...hostPlan('a', {}), notes: ['unit x.service stays: its record is not understood'] });
  expect(planText(plan)).toBe(`a: unit x.service stays: its record is not understood

nothing to change: 1 host is as the inventory says
`);
});

it('what goes and what stays with a removal is told before the question, and no other note', () => {
  const noted = (name: string, change: Change) => ({ ...hostPlan(name, { prune: [change] }), notes: [`of ${name}`] });
  const text = overviewText(planOf(noted('a', remove('release', 'web/web')), noted('b', create('file', '/etc/new'))));
  expect(text).toContain('\na: of a\n');
  expect(text).not.toContain('of b');
});

it('what the operator should know of hosts stands before the sum, also where nothing changes', () => {
  const warnings = [{ hosts: ['a', 'b'], what: 'mac: a and b\nhave one', next: 'give one of them another' }];
  const shown = '! a, b: mac: a and b\\nhave one\n  → give one of them another\n';
  const changing = planOf(hostPlan('a', { dns: [create('file', '/x')] }));
  expect(planText({ ...planOf(hostPlan('a', {})), warnings })).toBe(
    `${shown}\nnothing to change: 1 host is as the inventory says\n`,
  );
  expect(planText({ ...changing, warnings })).toContain(`+ file /x\n\n${shown}\n1 to create`);
  expect(overviewText({ ...changing, warnings })).toContain(`+ file /x\n${shown}`);
});

it('what hosts download themselves is named, also where all is new', () => {
  const from = ['https://dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubelet'];
  const images = ['registry.k8s.io/pause@sha256:7b7e', 'quay.io/coreos/etcd@sha256:8fcd'];
  const plan = planOf(
    hostPlan('controller-00', { runtime: [{ ...create('binary', '/usr/local/bin/kubelet', {}), downloads: from }] }),
    hostPlan('worker-00', { images: [{ ...create('image', 'node', {}), downloads: images }] }),
    hostPlan('worker-01', { prepare: [create('file', '/x', {})] }),
  );
  expect(planText(plan)).toContain(`    + binary /usr/local/bin/kubelet
        the host downloads https://dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubelet
`);
  expect(planText(plan)).toContain(`    + image node
        the host downloads registry.k8s.io/pause@sha256:7b7e
        the host downloads quay.io/coreos/etcd@sha256:8fcd
`);
  expect(overviewText(plan)).toContain(
    '\ncontroller-00, worker-00 download from dl.k8s.io, registry.k8s.io, quay.io\n',
  );
});

it('a release names its images, those that hosts fetch, or why that cannot be told', () => {
  const release = (id: string, images: ChangeImages) => ({ ...create('release', id, { chart: 'a 1.0' }), images });
  const plan = planOf(
    hostPlan('controller-00', {
      addons: [
        release('a/known', { bundled: ['kbs.local/a:1'], fetched: ['example.com/b:2', 'example.com/c:3'] }),
        release('a/own', { unknown: 'it is yours' }),
        release('a/objects', { bundled: [], fetched: [] }),
      ],
    }),
  );
  expect(planText(plan)).toBe(`controller-00
  addons
    + release a/known
        chart: a 1.0
        images in the bundle: kbs.local/a:1
        images that hosts fetch from registries: example.com/b:2, example.com/c:3
    + release a/own
        chart: a 1.0
        images: cannot tell, it is yours
    + release a/objects
        chart: a 1.0

3 to create on 1 host
`);
  expect(overviewText(plan)).toContain('\nhosts fetch from registries: example.com/b:2, example.com/c:3\n');
});

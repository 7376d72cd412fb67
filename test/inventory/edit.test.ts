import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diffLines } from 'diff';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { parse } from 'yaml';
import { derive } from '../../src/inventory/derive.js';
import {
  addAddon,
  addHost,
  labelAndTaintHost,
  pinPodCidr,
  pinSegment,
  removeAddon,
  removeHost,
  saveInventory,
  setChartVersion,
} from '../../src/inventory/edit.js';
import { parseInventory } from '../../src/inventory/load.js';
import { planPods } from '../../src/network/pod-plan.js';
import { compileRoutes } from '../../src/network/routes.js';
import { versions } from './samples.js';

const example = (name: string): string =>
  readFileSync(new URL(`../../inventories/${name}.yaml`, import.meta.url), 'utf8');

const host = { name: 'new-00', address: '192.168.10.99', roles: ['worker'], user: 'ops' };

/** The lines that an edit takes away and adds. */
const difference = (before: string, after: string): readonly string[] =>
  diffLines(before, after).flatMap(({ added, removed, value }) =>
    added || removed
      ? value
          .trimEnd()
          .split('\n')
          .map((line) => `${added ? '+' : '-'}${line}`)
      : [],
  );

describe('a new host', () => {
  test.each([
    ['two-segments', ['+  new-00: { address: 192.168.10.99, roles: [worker], ssh: { user: ops } }']],
    ['gpu', ['+  new-00:', '+    address: 192.168.10.99', '+    roles: [worker]', '+    ssh: { user: ops }']],
  ])('looks like the last one of %s, and nothing else changes', (name, added) => {
    const text = example(name);
    expect(difference(text, addHost(text, host))).toEqual(added);
  });

  /** Before and after; ¶ marks where the host goes. */
  test.each([
    [
      'a block of two spaces',
      'hosts:\n  a:\n    address: x # c\n¶\n# end\nssh: {}\n',
      '  new-00:\n    address: 192.168.10.99\n    roles: [worker]\n',
    ],
    [
      'a block of four',
      'hosts:\n    a:\n        address: x\n¶',
      '    new-00:\n        address: 192.168.10.99\n        roles: [worker]\n',
    ],
    [
      'lists in lines',
      'hosts:\n  a:\n    roles:\n      - worker\n¶x: 1\n',
      '  new-00:\n    address: 192.168.10.99\n    roles:\n      - worker\n',
    ],
    [
      'no newline at the end',
      'hosts:\n  a: { address: x }¶',
      '\n  new-00: { address: 192.168.10.99, roles: [worker] }\n',
    ],
    [
      'a text over several lines',
      'hosts:\n  a:\n    x: |\n      text\n¶\nx: 1',
      '  new-00:\n    address: 192.168.10.99\n    roles: [worker]\n',
    ],
    ['one line', 'hosts: { a: { address: x }¶ } # c\n', ', new-00: { address: 192.168.10.99, roles: [worker] }'],
    [
      'a comma at the end',
      'hosts: {\n  a: {address: x}¶,\n}\n',
      ', new-00: { address: 192.168.10.99, roles: [worker] }',
    ],
    ['no host yet', 'hosts: {¶}\n', ' new-00: { address: 192.168.10.99, roles: [worker] } '],
  ])('finds its place in %s', (_, marked, added) => {
    const { user: _user, ...plain } = host;
    expect(addHost(marked.replace('¶', ''), plain)).toBe(marked.replace('¶', added));
  });

  it('ends its lines as the others do', () => {
    const text = example('gpu').replaceAll('\n', '\r\n');
    expect(addHost(text, host).replaceAll('\r\n', '')).not.toContain('\n');
  });

  it('is quoted where YAML would read something else', () => {
    expect(addHost('hosts: {}', { ...host, name: '017', user: 'yes' })).toContain('"017": {');
    expect(addHost('hosts: {}', { ...host, user: '1000' })).toContain('user: "1000"');
    expect(addHost('hosts: {}', { ...host, user: 'a, b: {c}' })).toContain('user: "a, b: {c}"');
  });

  it('gets an SSH user only where it differs from ssh.user', () => {
    const text = example('two-segments');
    expect(addHost(text, { ...host, user: 'root' })).toContain('new-00: { address: 192.168.10.99, roles: [worker] }');
    expect(addHost(text.replace('user: root', 'user: ops'), host)).toContain('roles: [worker] }\n');
  });

  it('is refused where the name is taken, or where the layout has no place for it', () => {
    expect(() => addHost(example('gpu'), { ...host, name: 'worker-00' })).toThrow('has a host worker-00 already');
    expect(() => addHost('hosts: [', host)).toThrow('the inventory is not valid YAML');
    for (const text of ['', 'hosts:', 'hosts: [a]', 'hosts:\n  ? a\n  : b\n'])
      expect(() => addHost(text, host)).toThrow(
        'hosts.new-00 cannot be written into the inventory, because of its layout',
      );
  });

  it('a text that reads otherwise is refused rather than guessed', () => {
    expect(() => addHost('all: &h { a: b }\nhosts: *h\n', host)).toThrow('cannot be written');
  });
});

describe('a pin', () => {
  const text = example('two-segments');

  it('goes to the end of its host or segment', () => {
    expect(difference(text, pinPodCidr(text, 'worker-office-00', '10.244.20.0/24'))).toEqual([
      '-  worker-office-00: { address: 192.168.10.20, roles: [worker] }',
      '+  worker-office-00: { address: 192.168.10.20, roles: [worker], podCIDR: 10.244.20.0/24 }',
    ]);
    expect(difference(text, pinSegment(text, 'rack', '10.244.64.0/18'))).toEqual([
      '-    rack: { cidr: 192.168.20.0/24, gateway: 192.168.20.1 }',
      '+    rack: { cidr: 192.168.20.0/24, gateway: 192.168.20.1, pods: 10.244.64.0/18 }',
    ]);
    const gpu = example('gpu');
    expect(difference(gpu, pinPodCidr(gpu, 'worker-gpu-00', '10.244.84.0/24'))).toEqual([
      '+    podCIDR: 10.244.84.0/24',
    ]);
  });

  it('replaces an earlier one', () => {
    const once = pinPodCidr(text, 'worker-office-00', '10.244.20.0/24');
    expect(pinPodCidr(once, 'worker-office-00', '10.244.21.0/24')).toBe(
      once.replace('10.244.20.0/24', '10.244.21.0/24'),
    );
  });

  it('on a host that is not there is refused', () => {
    expect(() => pinPodCidr(text, 'missing', '10.244.1.0/24')).toThrow('hosts.missing.podCIDR cannot be written');
  });
});

it('added one after the other, hosts are read back as they were meant, and no old line changes', () =>
  fc.assert(
    fc.property(
      fc.constantFrom('single', 'two-segments', 'ha', 'gpu', 'hard-way', 'large'),
      fc.uniqueArray(fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/), { minLength: 1, maxLength: 5 }),
      fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,12}$/),
      (name, hosts, user) => {
        const before = example(name);
        const old = parseInventory(before, 'kbs.yaml', versions);
        const segment = Object.values(old.network.segments)[0]?.cidr.replace(/\d+\/24$/, '') ?? '';
        const added = hosts.map((one, n) => ({
          name: `n${one}`,
          address: `${segment}${n + 200}`,
          roles: ['worker'],
          user,
        }));
        const after = added.reduce(addHost, before);
        const now = parseInventory(after, 'kbs.yaml', versions);
        expect(now).toEqual({
          ...old,
          hosts: {
            ...old.hosts,
            ...Object.fromEntries(added.map(({ name: key, user: who, ...rest }) => [key, { ...rest, ...login(who) }])),
          },
        });
        expect(difference(before, after).filter((line) => line.startsWith('-'))).toEqual([]);
        // The host with the higher address gives way, and that is the new one: the old cluster is still all there.
        const [was, is] = [old, now].map((inventory) => derive(inventory, { planPods, compileRoutes }, basePaths));
        expect({ ...is, hosts: is?.hosts.slice(0, was?.hosts.length), routes: was?.routes }).toEqual(was);
      },
    ),
    { numRuns: 25 },
  ));

describe('labels and taints of a host', () => {
  const marks = { labels: [['tier', 'gold'] as const], taints: ['a=x:NoSchedule'] };

  /** Before and after, ¶ between what goes and what comes. */
  test.each([
    [
      'on one line',
      'hosts: # c\n  w: { address: x¶¶, labels: { tier: gold }, taints: [a=x:NoSchedule]¶ } # d\n  v: { address: y }\n',
    ],
    [
      'in a block',
      'hosts:\n  w:\n    address: x # c\n¶¶    labels: { tier: gold }\n    taints: [a=x:NoSchedule]\n¶# end\n',
    ],
    [
      'beside others',
      'hosts: { w: { labels: { b: c¶¶, tier: gold¶ }, taints: ["d:NoExecute"¶¶, a=x:NoSchedule¶] } }\n',
    ],
    [
      'beside others in lines',
      'hosts:\n  w:\n    labels:\n      b: c # d\n¶¶      tier: gold\n¶    taints:\n      - d:NoExecute¶¶\n      - a=x:NoSchedule¶ # e\n',
    ],
    [
      'in place of other values',
      'hosts: { w: { labels: { tier: ¶rack¶gold¶ }, taints: [¶a:NoSchedule¶a=x:NoSchedule¶, a:NoExecute] } } # c\n',
    ],
    ['that are there', 'hosts: { w: { labels: { tier: gold }, taints: ["a=x:NoSchedule"] } }\n'],
  ])('are written %s, and nothing else changes', (_, marked) => {
    const parts = marked.split('¶');
    const side = (which: 1 | 2) => parts.filter((_part, index) => index % 3 === 0 || index % 3 === which).join('');
    expect(labelAndTaintHost(side(1), 'w', marks)).toBe(side(2));
  });

  it('are quoted where YAML would read something else', () => {
    const text = labelAndTaintHost('hosts: { w: { a: b } }', 'w', {
      labels: [['on', 'true']],
      taints: ['a=1:NoExecute'],
    });
    expect(text).toBe('hosts: { w: { a: b, labels: { on: "true" }, taints: [a=1:NoExecute] } }');
  });

  it('are not written where the layout has no place for them', () => {
    for (const text of [
      'hosts: { w: { taints: [] } }',
      'hosts: { w: { taints: &t [b:NoExecute] }, v: { taints: *t } }',
    ])
      expect(() => labelAndTaintHost(text, 'w', { ...marks, labels: [] })).toThrow('hosts.w.taints cannot be written');
  });
});

describe('a host that leaves', () => {
  /** What goes stands between ¶. */
  test.each([
    ['a block', 'hosts:\n  a:\n    address: x\n  # about b\n¶  b: # c\n    address: y # d\n¶  c:\n    address: z\n'],
    ['a block, as the last', 'hosts:\n  a: { address: x }\n¶  b:\n    roles:\n      - worker\n¶# end\nssh: {}\n'],
    ['the end of the text', 'hosts:\n  a: { address: x }\n¶  b: { address: y }¶'],
    ['lines with a comment', 'hosts:\n¶  b: { address: y } # the old one\n¶  a: { address: x } # stays\n'],
    ['a text over several lines', 'hosts:\n¶  b:\n    x: |\n      text\n¶\n  a: { address: x }\n'],
    ['one line, first', 'hosts: { ¶b: { address: y }, ¶a: { address: x } } # c\n'],
    ['one line, in the middle', 'hosts: { a: { address: x }, ¶b: { address: y }, ¶c: {} }\n'],
    ['one line, last', 'hosts: { a: { address: x }¶, b: { address: y }¶ } # c\n'],
    ['lines between braces', 'hosts: {\n  a: { address: x }, # stays\n¶  b: { address: y } # goes\n¶}\n'],
    ['lines that end in Windows', 'hosts:\r\n¶  b: { address: y }\r\n¶  a: { address: x }\r\n'],
  ])('is cut out of %s', (_, marked) => {
    const [before = '', , after = ''] = marked.split('¶');
    expect(removeHost(marked.replaceAll('¶', ''), 'b')).toBe(before + after);
  });

  it('that is not there changes nothing', () => {
    for (const text of ['', 'hosts:', 'hosts: [a]', 'hosts: { a: {} }\n']) expect(removeHost(text, 'b')).toBe(text);
  });

  it('is not removed where other hosts are aliases of it, or where it is the only one', () => {
    for (const text of ['hosts:\n  b: &b { address: x }\n  a: *b\n', 'hosts: { b: {} }\n', 'hosts:\n  b: {}\n'])
      expect(() => removeHost(text, 'b')).toThrow(
        'hosts.b cannot be removed from the inventory, because of its layout',
      );
  });

  it.each(
    ['single', 'two-segments', 'ha', 'gpu', 'hard-way', 'large'].flatMap((name) => [
      [name, '\n'],
      [name, '\r\n'],
    ]),
  )('and was added before leaves the text of %s as it was, with %j at its lines’ ends', (name, newline) => {
    const text = example(name).replaceAll('\n', newline);
    expect(removeHost(addHost(text, host), host.name)).toBe(text);
  });

  it('takes nothing of the other hosts with it', () =>
    fc.assert(
      fc.property(
        fc.constantFrom('single', 'two-segments', 'ha', 'gpu', 'hard-way', 'large'),
        fc.nat(),
        (name, choice) => {
          const text = example(name);
          const comments = (of: string) => of.split('\n').filter((line) => /^\s*#/.test(line));
          const lines = hostLines(text);
          const chosen = lines[choice % lines.length] ?? '';
          if (lines.length < 2) return;
          const after = removeHost(text, chosen);
          expect(hostLines(after)).toEqual(lines.filter((line) => line !== chosen));
          expect(comments(after)).toEqual(comments(text));
          expect(difference(text, after).filter((line) => line.startsWith('+'))).toEqual([]);
        },
      ),
      { numRuns: 50 },
    ));
});

/** The names of hosts, by plain text. */
const hostLines = (text: string): readonly string[] => {
  const section = text.slice(text.indexOf('\nhosts:')).split('\n').slice(2);
  const end = section.findIndex((line) => /^[a-z]/.test(line));
  return (end < 0 ? section : section.slice(0, end)).flatMap((line) => /^ {2}([a-z0-9-]+):/.exec(line)?.[1] ?? []);
};

const basePaths = { directory: '/', home: '/root', keys: [] };

const login = (user: string): object => (user === 'root' ? {} : { ssh: { user } });

it('a file is replaced at once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kbs-edit-'));
  const file = join(folder, 'kbs.yaml');
  writeFileSync(file, 'old', { mode: 0o640 });
  await saveInventory(file, 'new');
  expect(readFileSync(file, 'utf8')).toBe('new');
  rmSync(folder, { recursive: true });
});

describe('add-ons', () => {
  const file = (addons: string) => `cluster: a\n${addons}hosts:\n  a: { address: x }\n`;
  const block = 'addons:\n  storage: { path: /srv } # ours\n  other: {}\n';

  test.each([
    ['the first', '', 'addons:\n  new: {}\n'],
    ['one more in a block', 'addons:\n  storage: {}\n', ''],
    ['one more on a line', 'addons: { storage: {} }\n', ''],
    ['one more in nothing', 'addons: {}\n', ''],
  ])('%s is added, and is the same file again without it', (_, before, after) => {
    const added = addAddon(file(before), 'new');
    expect(parse(added)).toEqual({ ...parse(file(before)), addons: { ...parse(before)?.addons, new: {} } });
    if (after !== '') expect(added).toBe(`${file('')}${after}`);
    expect(parse(removeAddon(added, 'new')).addons ?? {}).toEqual(parse(before)?.addons ?? {});
  });

  test('the last one goes with the key, and comments of the others stay', () => {
    expect(removeAddon(file(block), 'other')).toBe(file('addons:\n  storage: { path: /srv } # ours\n'));
    expect(removeAddon(file('addons:\n  other: {}\n'), 'other')).toBe(file(''));
    expect(removeAddon(file('addons: { other: {} }\n'), 'other')).toBe(file(''));
  });

  const traefik = { repository: 'https://example.com', name: 'traefik', version: '2.0.0' };
  test.each([
    ['in place of another one', '{ chart: traefik, repository: https://example.com, version: 1.0.0 }'],
    ['with the chart where there is none', '{}'],
    [
      'without the digest of the one before',
      '{ chart: traefik, repository: https://example.com, version: 1.0.0, sha256: a }',
    ],
  ])('a version is set, %s', (_, before) => {
    const edited = setChartVersion(file(`addons:\n  ingress: ${before} # ours\n`), 'ingress', traefik);
    expect(edited).toContain(' # ours\n');
    expect(parse(edited).addons).toEqual({
      ingress: { chart: 'traefik', repository: 'https://example.com', version: '2.0.0' },
    });
    expect(setChartVersion(edited, 'ingress', traefik)).toBe(edited);
  });

  test('a version of a chart in a registry is set with its address', () => {
    const edited = setChartVersion(file('addons:\n  ingress: { values: {} }\n'), 'ingress', {
      ...traefik,
      repository: 'oci://example.com/charts',
    });
    expect(parse(edited).addons.ingress).toEqual({
      values: {},
      chart: 'oci://example.com/charts/traefik',
      version: '2.0.0',
    });
  });
});

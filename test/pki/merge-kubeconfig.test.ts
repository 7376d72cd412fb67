import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { parse, parseDocument, stringify } from 'yaml';
import { type KubeconfigEntries, kubeconfigOf, userEntries } from '../../src/pki/kubeconfig.js';
import { entriesOf, mergeKubeconfig } from '../../src/pki/merge-kubeconfig.js';
import { Secret } from '../../src/secret.js';

const endpoint = { host: '192.168.10.10', port: 6443 };

const entries = (name = 'hybrid', authority = 'the CA of hybrid', user = 'anna'): KubeconfigEntries =>
  userEntries({ name, endpoint }, { name: user, token: new Secret(`token of ${user}`), authority });

const merged = (text: string, added = entries()): string => mergeKubeconfig(new Secret(text), added, 'config').reveal();

/** What kubectl writes: lists are not indented. */
const ofKubectl = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: b2ZmaWNl
    server: https://10.0.0.1:6443
  name: office
contexts:
- context:
    cluster: office
    user: office-admin
  name: office
current-context: office
kind: Config
preferences: {}
users:
- name: office-admin
  user:
    client-certificate-data: AAAA
    client-key-data: BBBB
`;

const byHand = `# my clusters
apiVersion: v1
kind: Config

clusters:
  # the one at home
  - name: home   # behind the router
    cluster: { server: "https://192.168.1.2:6443", insecure-skip-tls-verify: true }

  - cluster:
      server: 'https://10.0.0.1:6443'
      certificate-authority: /etc/office.crt
    name: office
users:
  - name: "home"
    user:
      exec: { apiVersion: client.authentication.k8s.io/v1, command: login, args: [--as, "007"] }
contexts:
  - { name: home, context: { cluster: home, user: home } }
  - name: long
    context:
      cluster: office
      user: home
      namespace: a
current-context: home # for now
`;

const styles: readonly (readonly [string, string])[] = [
  ['none', ''],
  ['a comment', '# nothing yet\n'],
  [
    'what kubectl makes of an empty one',
    'apiVersion: v1\nclusters: null\ncontexts: null\ncurrent-context: ""\nkind: Config\npreferences: {}\nusers: null\n',
  ],
  ['one with empty lists', 'apiVersion: v1\nkind: Config\nclusters: []\nusers: []\ncontexts: []\n'],
  ['one with keys alone', 'clusters:\nusers:\ncontexts:\ncurrent-context:\n'],
  ["kubectl's", ofKubectl],
  ['one by hand', byHand],
  ['one without a newline at its end', ofKubectl.trimEnd()],
  ['one with the line ends of Windows', byHand.replaceAll('\n', '\r\n')],
  ['JSON', JSON.stringify(parse(ofKubectl), undefined, 2)],
  ['JSON in one line', JSON.stringify(parse(byHand))],
];

describe.each(styles)('a merge into %s', (_, text) => {
  it('adds cluster, user and context, and makes the context the current one', () => {
    const { cluster, user, context } = entries();
    const file = parse(merged(text));
    expect(file).toMatchObject({ apiVersion: 'v1', kind: 'Config', 'current-context': 'anna@hybrid' });
    expect(file.clusters).toContainEqual(cluster);
    expect(file.users).toContainEqual(user);
    expect(file.contexts).toContainEqual(context);
  });

  it('keeps every other entry as it is', () => {
    const [before, after] = [parse(text) ?? {}, parse(merged(text))];
    for (const list of ['clusters', 'users', 'contexts']) {
      expect(after[list].slice(0, -1)).toEqual(before[list] ?? []);
    }
    expect(after.preferences).toEqual(before.preferences);
  });

  it('twice is once', () => {
    expect(merged(merged(text))).toBe(merged(text));
  });

  it('and another one after it keeps both', () => {
    const both = parse(merged(merged(text), entries('rack', 'the CA of rack', 'ben')));
    expect(both.clusters).toEqual(
      expect.arrayContaining([entries().cluster, entries('rack', 'the CA of rack').cluster]),
    );
    expect(both['current-context']).toBe('ben@rack');
  });
});

/** Whether all lines of one text are in the other, in this order. */
const isWithin = (text: string, other: string): boolean => {
  const left = other.split('\n');
  return text.split('\n').every((line) => {
    const at = left.indexOf(line);
    left.splice(0, at + 1);
    return at >= 0;
  });
};

test.each([
  ["kubectl's", ofKubectl],
  ['one by hand', byHand],
  ['one with the line ends of Windows', byHand.replaceAll('\n', '\r\n')],
])('of %s every line that is about others stays, comments and blank lines too', (_, text) => {
  const foreign = text.replace(/current-context: \w+/, 'current-context: "anna@hybrid"');
  expect(isWithin(foreign, merged(text))).toBe(true);
});

test('an entry that is there already is replaced where it stands, and what its owner set there stays', () => {
  const once = merged(ofKubectl);
  const set = merged(once, entries('rack', 'the CA of rack', 'ben'))
    .replace(
      '    server: "https://192.168.10.10:6443"\n',
      '    server: "https://old:6443"\n    proxy-url: socks5://gate\n',
    )
    .replace('    user: "anna@hybrid"\n', '    user: "anna@hybrid"\n    namespace: mine\n')
    .replace('token of anna', 'an older token');
  const file = parse(merged(set));
  expect(file.clusters.map(({ name }: { name: string }) => name)).toEqual(['office', 'hybrid', 'rack']);
  expect(file.clusters[1].cluster).toMatchObject({
    server: 'https://192.168.10.10:6443',
    'proxy-url': 'socks5://gate',
  });
  expect(file.contexts[1].context).toMatchObject({ namespace: 'mine' });
  expect(file.users[1].user).toEqual({ token: 'token of anna' });
});

test('JSON stays JSON', () => {
  expect(() => JSON.parse(merged(JSON.stringify(parse(ofKubectl))))).not.toThrow();
});

describe('whatever names there are', () => {
  const name = fc.stringMatching(/^[a-z0-9][a-z0-9.@-]{0,12}$/).filter((text) => !/hybrid|anna/.test(text));
  const value = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.constant('1e10'),
    fc.constant('no'),
  );
  const fields = fc.dictionary(fc.stringMatching(/^[a-z-]{1,8}$/), value, { maxKeys: 3 });
  const list = (field: string) =>
    fc.uniqueArray(fc.record({ name, [field]: fields }), { maxLength: 4, selector: (each) => each.name });
  const kubeconfig = fc.record({
    apiVersion: fc.constant('v1'),
    kind: fc.constant('Config'),
    clusters: list('cluster'),
    users: list('user'),
    contexts: list('context'),
    'current-context': fc.string(),
  });
  const style = fc.record({
    indentSeq: fc.boolean(),
    indent: fc.constantFrom(2, 4),
    collectionStyle: fc.constantFrom('block' as const, 'any' as const, 'flow' as const),
  });

  it('a merge keeps all others, twice is once, and the order of two merges changes no entry', () => {
    fc.assert(
      fc.property(kubeconfig, style, (before, how) => {
        const text = stringify(before, { ...how, lineWidth: 0 });
        // The library writes some empty lists so that it cannot read them itself.
        fc.pre(parseDocument(text).errors.length === 0);
        const once = merged(text);
        expect(merged(once)).toBe(once);
        const after = parse(once);
        for (const key of ['clusters', 'users', 'contexts'] as const) {
          expect(after[key].slice(0, -1)).toEqual(before[key]);
        }
        const rack = entries('rack', 'the CA of rack', 'ben');
        const [one, other] = [merged(once, rack), merged(merged(text, rack))].map((each) => parse(each));
        for (const key of ['clusters', 'users', 'contexts'] as const) {
          const byName = (all: readonly { name: string }[]) => all.toSorted((a, b) => (a.name < b.name ? -1 : 1));
          expect(byName(one[key])).toEqual(byName(other[key]));
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('is refused, and the file named,', () => {
  const withCluster = (fields: object) =>
    stringify({ clusters: [{ name: 'hybrid', cluster: fields }], users: [], contexts: [] });

  test.each<[string, string, RegExp]>([
    ['a cluster of that name with another CA', merged('', entries('hybrid', 'another CA', 'ben')), /has another CA/],
    ['a cluster of that name without a CA', withCluster({ server: 'https://a' }), /cannot tell which cluster/],
    [
      'a cluster of that name with a CA file',
      withCluster({ 'certificate-authority': '/ca' }),
      /cannot tell which cluster/,
    ],
    [
      'a context of that name for another cluster',
      stringify({ contexts: [{ name: 'anna@hybrid', context: { cluster: 'office', user: 'x' } }] }),
      /context anna@hybrid is one of cluster office/,
    ],
    [
      'a user of that name in a context of another cluster',
      stringify({
        users: [{ name: 'anna@hybrid', user: {} }],
        contexts: [{ name: 'mine', context: { cluster: 'office', user: 'anna@hybrid' } }],
      }),
      /user anna@hybrid is that of context mine/,
    ],
    [
      'a user of that name that goes with nothing',
      stringify({ users: [{ name: 'anna@hybrid', user: {} }] }),
      /cannot tell whose/,
    ],
  ])('%s', (_, text, why) => {
    expect(() => merged(text)).toThrow(
      expect.objectContaining({
        code: 'refused',
        message: 'config has entries of another cluster under the names of hybrid',
        why: [expect.stringMatching(why)],
        next: expect.stringContaining('--name NAME'),
      }),
    );
  });

  test.each([
    ['a: [', 'config:1:5'],
    ['clusters: []\n\tusers: []\n', 'config:2:1'],
    ['- a\n- b\n', 'config:1:1'],
    ['kind: Config\nclusters: { home: {} }\n', 'config:2:1'],
    ['users:\n- name: a\n- null\n', 'config:1:1'],
    ['contexts: none\n', 'config:1:1'],
    ['a: 1\n---\nb: 2\n', 'config:2:1'],
  ])('what is no kubeconfig: %j', (text, position) => {
    expect(() => merged(text)).toThrow(
      expect.objectContaining({ message: 'config is not a kubeconfig', where: { position } }),
    );
  });
});

test("the administrator's entries get the cluster's name", () => {
  const made = kubeconfigOf(
    userEntries({ name: 'a', endpoint }, { name: 'kubernetes-admin', token: new Secret('t'), authority: 'CA' }),
  );
  const { cluster, user, context } = entriesOf(made, { cluster: 'office', user: 'office-admin', context: 'office' });
  expect([cluster.name, user.name, context]).toEqual([
    'office',
    'office-admin',
    { name: 'office', context: { cluster: 'office', user: 'office-admin' } },
  ]);
});

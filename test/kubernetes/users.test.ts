import { describe, expect, it, test } from 'vitest';
import { sh } from '../../src/hosts/shell.js';
import {
  type Asked,
  type Grant,
  grantOf,
  grantOperation,
  impersonationOf,
  revokeOperation,
} from '../../src/kubernetes/grant.js';
import { mistakesIn, obstaclesTo, warningsOf } from '../../src/kubernetes/grant-checks.js';
import { parseAccess, type User } from '../../src/kubernetes/users.js';
import { hostOf } from '../support/cluster.js';

const account = (name: string, metadata: object = {}) => ({
  kind: 'ServiceAccount',
  metadata: { name, namespace: 'kbs-users', creationTimestamp: '2026-11-27T05:00:00Z', ...metadata },
});
const own = (name: string) => ({ labels: { 'kbs.dev/user': name } });
const binding = (name: string, role: object, subjects: readonly object[], metadata: object = {}) => ({
  kind: 'namespace' in metadata ? 'RoleBinding' : 'ClusterRoleBinding',
  metadata: { name, ...metadata },
  roleRef: { kind: 'ClusterRole', ...role },
  subjects,
});
const subject = (name: string, namespace = 'kbs-users') => ({ kind: 'ServiceAccount', namespace, name });
const group = (name: string) => ({ kind: 'Group', name });

const outputs = (accounts: readonly object[], bindings: readonly object[] = [], roles: readonly object[] = []) => [
  ...[accounts, bindings, roles].map((items) => JSON.stringify({ items })),
  'default\nshop\n',
  'PEM\n',
  '1780000000\n',
];

describe('what the cluster says', () => {
  const access = parseAccess(
    outputs(
      [
        account('anna', { ...own('anna'), annotations: { 'kbs.dev/expires': '2026-12-27T05:00:00Z' } }),
        account('default'),
      ],
      [
        binding('kbs:user:anna:edit', { name: 'edit' }, [subject('anna')], { namespace: 'shop', ...own('anna') }),
        binding('kbs:user:anna:self', { kind: 'Role', name: 'kbs:user:anna:self' }, [subject('anna')], {
          namespace: 'kbs-users',
          ...own('anna'),
        }),
        binding('kbs:user:anna:groups', { name: 'kbs:user:anna:groups' }, [subject('anna')], own('anna')),
        binding('theirs', { kind: 'Role', name: 'deployer' }, [subject('anna'), subject('x')], { namespace: 'web' }),
        binding('other', { name: 'admin' }, [subject('anna', 'default'), { kind: 'User', name: 'anna' }]),
        binding('devs', { name: 'edit' }, [group('developers')], { namespace: 'web' }),
        binding('kbs:user:gone:view', { name: 'view' }, [subject('gone')], own('gone')),
        { kind: 'ClusterRoleBinding', metadata: { name: 'empty' }, roleRef: { kind: 'ClusterRole', name: 'x' } },
      ],
      [
        {
          kind: 'ClusterRole',
          metadata: { name: 'kbs:user:anna:groups', ...own('anna') },
          rules: [{ resources: ['groups'], resourceNames: ['developers'] }],
        },
      ],
    ),
  );

  it('gives each user with every right, of kbs and of others, and with groups', () => {
    expect(access.users).toEqual([
      {
        name: 'anna',
        created: '2026-11-27T05:00:00Z',
        expires: '2026-12-27T05:00:00Z',
        groups: ['developers'],
        rights: [
          { role: 'edit', namespace: 'shop', binding: 'RoleBinding/shop/kbs:user:anna:edit', own: true },
          { role: 'Role/deployer', namespace: 'web', binding: 'RoleBinding/web/theirs', own: false },
        ],
      },
      {
        name: 'gone',
        groups: [],
        rights: [{ role: 'view', binding: 'ClusterRoleBinding/kbs:user:gone:view', own: true }],
      },
    ]);
  });

  it('tells what is taken, which namespaces there are, and what a group brings', () => {
    expect([access.taken, access.namespaces, access.authority, access.now]).toEqual([
      ['default'],
      ['default', 'shop'],
      'PEM',
      1_780_000_000,
    ]);
    expect(access.rightsOfGroup('developers').map(({ role, namespace }) => [role, namespace])).toEqual([
      ['edit', 'web'],
    ]);
    expect(access.rightsOfGroup('others')).toEqual([]);
  });
});

const user = (
  rights: readonly (readonly [role: string, namespace?: string, own?: boolean])[],
  groups: string[] = [],
): User => ({
  name: 'anna',
  groups,
  created: '2026-11-27T05:00:00Z',
  expires: '2026-12-01T00:00:00Z',
  rights: rights.map(([role, namespace, isOwn = true]) => ({
    role,
    ...(namespace === undefined ? {} : { namespace }),
    binding:
      namespace === undefined
        ? `ClusterRoleBinding/kbs:user:anna:${role}`
        : `RoleBinding/${namespace}/kbs:user:anna:${role}`,
    own: isOwn,
  })),
});

describe('a grant', () => {
  const defaults: Partial<Grant> = { role: 'view', namespaces: [], groups: [] };
  test.each<[string, Partial<Asked>, User | undefined, Partial<Grant>]>([
    ['of a new user is to view everything', {}, undefined, defaults],
    [
      'is what was asked',
      { role: 'edit', namespaces: ['shop'] },
      undefined,
      { ...defaults, role: 'edit', namespaces: ['shop'] },
    ],
    [
      'keeps what was not said',
      {},
      user(
        [
          ['edit', 'shop'],
          ['edit', 'web'],
        ],
        ['g'],
      ),
      { role: 'edit', namespaces: ['shop', 'web'], groups: ['g'] },
    ],
    ['changes the role alone', { role: 'view' }, user([['edit', 'shop']]), { role: 'view', namespaces: ['shop'] }],
    [
      'changes the namespaces alone',
      { namespaces: ['web'] },
      user([['edit', 'shop']]),
      { role: 'edit', namespaces: ['web'] },
    ],
    [
      'goes everywhere only where that is said',
      { namespaces: [] },
      user([['edit', 'shop']]),
      { role: 'edit', namespaces: [] },
    ],
    ['takes nothing for its own that others gave', {}, user([['admin', 'shop', false]]), defaults],
    ['stays everywhere', {}, user([['view']]), defaults],
    [
      'names nothing twice',
      { namespaces: ['a', 'b', 'a'], groups: ['g', 'g'] },
      undefined,
      { namespaces: ['a', 'b'], groups: ['g'] },
    ],
    ['replaces the groups', { groups: ['b'] }, user([['view']], ['a']), { groups: ['b'] }],
  ])('%s', (_, asked, before, wanted) => {
    expect(grantOf({ name: 'anna', until: 1, ...asked }, before)).toMatchObject(wanted);
  });
});

const api = {
  at: hostOf({ name: 'cp-0', address: '192.0.2.1', segment: 's' }),
  host: {} as never,
  kubectl: sh`kubectl`,
};
const noGroups = { rightsOfGroup: () => [] };
const grant = (rest: Partial<Grant> = {}): Grant => ({
  name: 'anna',
  role: 'view',
  namespaces: [],
  groups: [],
  until: 1_780_000_000,
  ...rest,
});

interface Shown {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: object;
    readonly annotations?: object;
  };
  readonly rules?: readonly object[];
}

const objectsOf = (wanted: Grant, before?: User): readonly Shown[] => {
  const [payload] = grantOperation(wanted, before, noGroups, api).payloads ?? [];
  return JSON.parse(Buffer.from(payload && 'bytes' in payload ? payload.bytes : []).toString()).items;
};
const namesIn = (objects: readonly Shown[]) =>
  objects.map(({ kind, metadata: { namespace, name } }) => [kind, namespace, name].filter(Boolean).join('/'));

describe('the operation of a grant', () => {
  it('makes a ServiceAccount and a binding in each namespace, labelled with the user', () => {
    const objects = objectsOf(grant({ role: 'edit', namespaces: ['shop', 'web'] }));
    expect(namesIn(objects)).toEqual([
      'Namespace/kbs-users',
      'ServiceAccount/kbs-users/anna',
      'RoleBinding/shop/kbs:user:anna:edit',
      'RoleBinding/web/kbs:user:anna:edit',
    ]);
    for (const { metadata } of objects.slice(1)) expect(metadata.labels).toEqual({ 'kbs.dev/user': 'anna' });
  });

  it('lets a user impersonate itself alone, in its own namespace, and its groups alone', () => {
    const objects = objectsOf(grant({ groups: ['developers'] }));
    expect(
      objects.filter(({ rules }) => rules).map(({ kind, metadata, rules }) => [kind, metadata.namespace, rules]),
    ).toEqual([
      [
        'Role',
        'kbs-users',
        [{ apiGroups: [''], resources: ['serviceaccounts'], verbs: ['impersonate'], resourceNames: ['anna'] }],
      ],
      [
        'ClusterRole',
        undefined,
        [{ apiGroups: [''], resources: ['groups'], verbs: ['impersonate'], resourceNames: ['developers'] }],
      ],
    ]);
    expect(impersonationOf(grant({ groups: ['developers'] }))).toEqual({
      user: 'system:serviceaccount:kbs-users:anna',
      groups: ['developers'],
    });
    expect(impersonationOf(grant())).toBeUndefined();
  });

  test.each([
    [1_780_000_000, '2026-12-01T00:00:00Z'],
    [1_800_000_000, '2027-01-15T08:00:00Z'],
  ])('records when the last token ends, and never an earlier time', (until, recorded) => {
    const [, made] = objectsOf(grant({ until }), user([['view']]));
    expect(made?.metadata.annotations).toEqual({ 'kbs.dev/expires': recorded });
  });

  it('takes away what is not wanted any more, after it has given what is, and leaves what others gave', () => {
    const before = user(
      [
        ['edit', 'shop'],
        ['edit', 'web'],
        ['admin', 'db', false],
      ],
      ['g'],
    );
    const { script, affects } = grantOperation(grant({ role: 'edit', namespaces: ['web'] }), before, noGroups, api);
    const [first, ...rest] = script.split('\n');
    expect(first).toContain(' apply ');
    expect(rest.map((line) => line.replace(/ --ignore.*/, '').replace(/.*60s /, ''))).toEqual([
      '-n shop delete RoleBinding kbs:user:anna:edit',
      'delete ClusterRoleBinding kbs:user:anna:groups',
      'delete ClusterRole kbs:user:anna:groups',
      '-n kbs-users delete RoleBinding kbs:user:anna:self',
      '-n kbs-users delete Role kbs:user:anna:self',
    ]);
    expect(affects).toEqual([
      'ServiceAccount kbs-users/anna stays; its earlier tokens stay valid',
      'keeps edit in namespace web',
      'takes away edit in namespace shop',
      'takes away group g',
      'issues a token that ends at 2026-05-28T20:26:40Z',
    ]);
  });

  it('says what a group brings', () => {
    const rightsOfGroup = (name: string) =>
      name === 'developers' ? [{ role: 'edit', namespace: 'web', binding: 'RoleBinding/web/devs', own: false }] : [];
    const { affects } = grantOperation(grant({ groups: ['developers', 'others'] }), undefined, { rightsOfGroup }, api);
    expect(affects).toContain('gives group developers, which brings edit in namespace web');
    expect(affects).toContain('gives group others, which brings no right yet');
  });

  it('has nothing secret in it', () => {
    const { script } = grantOperation(grant(), undefined, noGroups, api);
    expect(script).not.toMatch(/token/i);
  });
});

test('a removal takes the rights before the ServiceAccount, and names what stays', () => {
  const { script, affects } = revokeOperation(
    user(
      [
        ['edit', 'shop'],
        ['admin', 'db', false],
      ],
      ['g'],
    ),
    api,
  );
  expect(script.split('\n').map((line) => line.replace(/ --ignore.*/, '').replace(/.*60s /, ''))).toEqual([
    'delete rolebindings,clusterrolebindings,roles,clusterroles -A -l kbs.dev/user=anna',
    '-n kbs-users delete serviceaccount anna',
  ]);
  expect(affects).toEqual([
    'takes away edit in namespace shop',
    'takes away group g',
    'deletes ServiceAccount kbs-users/anna: its tokens end',
    'RoleBinding/db/kbs:user:anna:admin, which kbs did not make, stays; it would serve another user of that name',
  ]);
});

describe('a mistake is told before anything is contacted:', () => {
  test.each<[Partial<Asked>, readonly string[]]>([
    [{}, []],
    [{ name: 'anna.smith-2' }, []],
    [{ name: 'Anna' }, ['Anna is not a name for a user']],
    [{ name: 'system:admin' }, ['system:admin is not a name for a user']],
    [{ name: '-a' }, ['-a is not a name for a user']],
    [{ name: 'a..b' }, ['a..b is not a name for a user']],
    [{ name: 'a'.repeat(64) }, [`${'a'.repeat(64)} is not a name for a user`]],
    [{ groups: ['developers', 'oidc:devs', 'team@example.org'] }, []],
    [{ groups: ['system:masters'] }, ['group system:masters is not given to people']],
    [
      { groups: ['system:nodes', 'kubeadm:cluster-admins'] },
      ['group system:nodes is not given to people', 'group kubeadm:cluster-admins is not given to people'],
    ],
    [{ groups: ['a\nb'] }, ['a\nb is not a name for a group']],
    [{ namespaces: ['Shop', 'web'] }, ['Shop is not a name of a namespace']],
    [{ namespaces: ['kbs-users'] }, ['namespace kbs-users holds the users themselves, and is given to none']],
    [
      { name: 'A', groups: ['-'], namespaces: ['_'] },
      ['A is not a name for a user', '_ is not a name of a namespace', '- is not a name for a group'],
    ],
  ])('%j', (asked, messages) => {
    expect(mistakesIn({ name: 'anna', ...asked }).map(({ code, message }) => [code, message])).toEqual(
      messages.map((message) => ['usage', message]),
    );
  });
});

test('a name that is taken and namespaces that are not there are told together', () => {
  const access = parseAccess(outputs([account('default')]));
  expect(
    obstaclesTo(grant({ name: 'default', namespaces: ['shop', 'web'] }), access).map(({ message }) => message),
  ).toEqual(['the name default is taken', 'the cluster has no namespace web']);
});

describe('the plan warns', () => {
  const admins = {
    rightsOfGroup: (name: string) =>
      name === 'boss' ? [{ role: 'cluster-admin', binding: 'ClusterRoleBinding/boss', own: false }] : [],
  };
  test.each<[string, Partial<Grant>, number]>([
    ['not of view', {}, 0],
    ['not of edit in a namespace', { role: 'edit', namespaces: ['shop'] }, 0],
    ['of edit everywhere', { role: 'edit' }, 1],
    ['of admin in kube-system', { role: 'admin', namespaces: ['shop', 'kube-system'] }, 1],
    ['of a group that is cluster-admin', { groups: ['boss', 'others'] }, 1],
    ['of both', { role: 'edit', groups: ['boss'] }, 2],
  ])('%s', (_, rest, count) => {
    expect(warningsOf(grant(rest), admins)).toHaveLength(count);
  });
});

import { expect, test } from 'vitest';
import { usersText } from '../../../src/cli/text/users-text.js';
import type { User } from '../../../src/kubernetes/users.js';

const now = Date.parse('2026-11-27T06:00:00Z') / 1000;
const right = { role: 'view', binding: 'ClusterRoleBinding/kbs:user:anna:view', own: true };
const user: User = { name: 'anna', rights: [right], groups: [], created: '2026-11-27T05:00:00Z' };

const linesOf = (...users: readonly User[]): readonly string[] =>
  usersText({ cluster: 'hybrid', now, users }).trimEnd().split('\n');

test('people stand in a table, with what they may do and until when', () => {
  const confined = [{ ...right, role: 'edit', namespace: 'shop' }];
  expect(
    linesOf(
      { ...user, expires: '2026-12-27T05:00:00Z' },
      { ...user, name: 'ben', rights: confined, groups: ['developers', 'testers'], expires: '2026-11-27T06:00:00Z' },
      { name: 'cleo', rights: [], groups: [] },
    ),
  ).toEqual([
    'name  may              groups               since                       until',
    'anna  view everywhere  -                    2026-11-27T05:00:00Z        2026-12-27T05:00:00Z',
    'ben   edit in shop     developers, testers  2026-11-27T05:00:00Z        2026-11-27T06:00:00Z (expired)',
    'cleo  nothing          -                    the ServiceAccount is gone  no token yet',
  ]);
});

test('a right that kbs did not give is marked, and nothing from the cluster reaches the terminal raw', () => {
  const theirs = { role: 'admin', namespace: 'db', binding: 'RoleBinding/db/\u001b[2J', own: false };
  expect(linesOf({ ...user, rights: [theirs] })[1]).toContain('admin in db (by RoleBinding/db/\\x1b[2J, not kbs)');
});

test('where there are none it says so', () => {
  expect(linesOf()).toEqual(['kbs has given access to hybrid to none but its administrator']);
});

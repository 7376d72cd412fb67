import { expect, test } from 'vitest';
import { sudoAlias, sudoRule } from '../../src/hosts/sudoers.js';

test('the command line is the one that rules on hosts name: another one locks kbs out there until they are renewed', () => {
  expect(sudoAlias).toEqual([
    String.raw`Cmnd_Alias KBS = /bin/sh -c set -- $(head -c 32); kbs_script\=$(head -c "${'$'}{3-0}" 2>/dev/null); case $kbs_script in "\: kbs $2;"\*) eval "$kbs_script";; \*) echo "kbs\: the beginning of the script did not arrive" >&2; exit 1;; esac`,
    'Defaults!KBS !requiretty, !log_input',
  ]);
});

test.each([
  ['ops', 'ops'],
  ['DOM\\ops', 'DOM\\\\ops'],
  ['%wheel', '\\%wheel'],
  ['ops@example.com', 'ops\\@example.com'],
])('the user %s stands in its rule as %s', (user, written) => {
  expect(sudoRule(user)).toBe(`${written} ALL = (root) NOPASSWD: KBS`);
});

import type { SudoRules } from '../../workflows/sudoers.js';
import { oneLine } from './printable.js';

/** A file for /etc/sudoers.d: what it allows and means stands in it, for the person who reviews it on a host. */
export const sudoersText = ({ cluster, alias, rules, others }: SudoRules): string =>
  [
    `# What kbs needs of sudo for the cluster ${cluster}, for /etc/sudoers.d/kbs on the hosts that are named here.`,
    ...(rules.length > 0 ? [...meaning, ...alias] : []),
    ...rules.flatMap(({ hosts, line }) => [
      `# ${hosts.map(({ name, roles }) => `${name} (${roles.join(', ')})`).join(', ')}`,
      line,
    ]),
    ...others.map(({ host, why }) => `# ${host} needs no rule: ${oneLine(why)}`),
    '',
  ].join('\n');

const meaning = [
  '# One command line is allowed, the same for every role: a shell that reads a script from stdin and runs it.',
  '# So this rule is root: with it, the user can do whatever root can. kbs writes files and units of root, and no rule',
  '# for single commands would be less. It keeps sudo closed for everything but kbs, and its logs short.',
  '# Without NOPASSWD: sudo asks for the password, and kbs asks for it on the terminal.',
];

import type { Check } from '../src/preflight/check.js';

/** The checks of preflight for readers, in Markdown: name, what must be so, what to do, and where each asks. */
export function preflightReference(checks: readonly Check[]): string {
  return `# Preflight

<!-- Written by npm run generate from src/preflight. -->

Before \`kbs init\`, \`join\` and \`apply\` change anything, every host is checked, and all that fails is reported at once
with exit status 4. \`kbs preflight\` runs the same checks and changes no host; \`-v\` names those that passed too.

A check that is marked *warns* refuses nothing: what it finds is in the plan, and the exit status stays as it is.

A check is skipped by its name: \`--skip-check NAME\`, several with commas between them. A skipped check does not make
what it names work: skip one where you know better than kbs.

${scopes.map(({ scope, title, text }) => section(title, text, rowsOf(checks, scope))).join('\n\n')}
`;
}

const scopes: readonly { scope: Check['scope']; title: string; text: string }[] = [
  {
    scope: 'host',
    title: 'Of each host',
    text: 'A *node* is a host that runs pods: a worker, or a control plane whose components are static pods.',
  },
  { scope: 'cluster', title: 'Of several hosts together', text: 'With `--limit`, of the hosts that are named.' },
  {
    scope: 'probe',
    title: 'In the network of the virtual address',
    text: `Load balancers probe with ARP and listen for VRRP for a second, where none of them holds the address yet and all of
them answer.`,
  },
];

const rowsOf = (checks: readonly Check[], scope: Check['scope']): readonly Check[] =>
  checks.filter((check) => check.scope === scope);

const section = (title: string, text: string, checks: readonly Check[]): string =>
  [
    `## ${title}`,
    '',
    text,
    '',
    '| check | what must be so | what to do |',
    '|---|---|---|',
    ...checks.map(
      ({ name, summary, fix, warns }) => `| \`${name}\`${warns ? ' *warns*' : ''} | ${cell(summary)} | ${cell(fix)} |`,
    ),
  ].join('\n');

const cell = (text: string): string => text.replaceAll('|', '\\|');

import { describe, expect, it } from 'vitest';
import { kindOf } from '../../src/resources/registry.js';
import { type Resource, type State, type Step, Unknown } from '../../src/resources/resource.js';
import { differing } from './reconcile.js';
import { recordings } from './recorded.js';

describe.each(Object.entries(recordings))('%s', (name, recorded) => {
  it('says what it sees and does in the words of its golden file', async () => {
    const told = recorded.map(({ resource, answers }) => tell(resource, answers)).join('\n');
    await expect(told).toMatchFileSnapshot(`../goldens/resources/${name}.txt`);
  });

  it.each(recorded)(
    '$resource.kind is satisfied by what is as wanted, and by nothing else',
    ({ resource, answers }) => {
      const kind = kindOf(resource);
      const satisfied = Object.entries(answers)
        .filter(
          ([, answer]) => Object.keys(differing(kind.parse(answer, resource), kind.desired(resource))).length === 0,
        )
        .map(([matter]) => matter);
      expect(satisfied).toContain('as wanted');
      expect(satisfied.filter((matter) => !alsoFine.has(matter))).toEqual(['as wanted']);
    },
  );
});

const alsoFine = new Set([
  'there before kbs',
  'built in',
  'commented out by kbs',
  'masked by kbs',
  'without dpkg',
  'of rpm',
]);

/** A kind's dealings with one resource: what is asked, what is seen, what is done about it, and how it is undone. */
const tell = (resource: Resource, answers: Readonly<Record<string, string>>): string => {
  const kind = kindOf(resource);
  const wanted = kind.desired(resource);
  const parts = [
    `# ${resource.kind} ${kind.id(resource)}`,
    '',
    '## asks',
    kind.query(resource),
    '## wants',
    facts(wanted),
  ];
  for (const [matter, answer] of Object.entries(answers)) {
    const seen = kind.parse(answer, resource);
    parts.push(`## seen ${matter}`, facts(seen));
    if (Object.keys(differing(seen, wanted)).length > 0)
      parts.push('# does', scripts(kind.apply(resource, stateIn(seen))));
    const state = stateIn(seen);
    if (state && matter === 'as wanted') parts.push('# undoes', scripts(kind.remove(resource, state)));
  }
  return `${parts.join('\n')}\n`;
};

/** What the engine gives to `apply`: nothing, where it cannot tell. */
const stateIn = (seen: State | Unknown | undefined): State | undefined => (seen instanceof Unknown ? undefined : seen);

const facts = (seen: State | Unknown | undefined): string => {
  if (seen instanceof Unknown) return `cannot tell: ${seen.reason}`;
  if (seen === undefined) return 'nothing';
  return Object.entries(seen)
    .map((fact) => `${fact[0]}: ${JSON.stringify(fact[1])}`)
    .join('\n');
};

const scripts = (steps: readonly Step[]): string =>
  steps
    .map(({ script, payloads }) => [folded(script), ...payloads.map((each) => `# < ${size(each)} bytes`)].join('\n'))
    .join('\n') || 'nothing';

/** What is the same in many steps is shown by its first line. */
const folded = (script: string): string =>
  script
    .replaceAll(/^if \[ ! -e (.*?)\.was \] [\s\S]*?^fi$/gm, '(keeps what was there as $1)')
    .replaceAll(/^if \[ -e (.*?)\.was \] [\s\S]*?^rmdir .*$/gm, '(puts back $1)');

const size = (payload: Step['payloads'][number]): number => ('bytes' in payload ? payload.bytes.length : payload.size);

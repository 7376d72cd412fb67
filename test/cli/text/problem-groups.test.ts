import { expect, it } from 'vitest';
import { groupProblems, type HostProblem } from '../../../src/cli/text/problem-groups.js';
import type { Problem } from '../../../src/failure.js';

interface Group {
  readonly hosts: readonly string[];
  readonly what: string;
  readonly why?: readonly string[];
  readonly next?: string;
}

const of = (host: string, what: string, rest: Partial<Problem> = {}): HostProblem => ({
  host,
  problem: { code: 'unreachable', what, why: [], ...rest, where: { host, ...rest.where } },
});

const refused = (host: string, address: string): HostProblem =>
  of(host, `cannot connect to ${host} at ${address}:22`, {
    where: { address },
    why: [`connect ECONNREFUSED ${address}:22`],
    next: `see that sshd runs: ssh ${address}`,
  });

const table: readonly (readonly [string, readonly HostProblem[], readonly Group[]])[] = [
  ['nothing', [], []],
  [
    'one host keeps its own words',
    [refused('w-0', '10.0.0.1')],
    [
      {
        hosts: ['w-0'],
        what: 'cannot connect to w-0 at 10.0.0.1:22',
        why: ['connect ECONNREFUSED 10.0.0.1:22'],
        next: 'see that sshd runs: ssh 10.0.0.1',
      },
    ],
  ],
  [
    'the same words of several hosts',
    [of('a', 'no answer'), of('b', 'no answer'), of('c', 'no space left')],
    [
      { hosts: ['a', 'b'], what: 'no answer' },
      { hosts: ['c'], what: 'no space left' },
    ],
  ],
  [
    'words that differ in the name and the address of the host only',
    [refused('w-0', '10.0.0.1'), refused('w-1', '10.0.0.2')],
    [
      {
        hosts: ['w-0', 'w-1'],
        what: 'cannot connect to HOST at ADDRESS:22',
        why: ['connect ECONNREFUSED ADDRESS:22'],
        next: 'see that sshd runs: ssh ADDRESS',
      },
    ],
  ],
  [
    'a name is a whole word: w is none in w-0, in w.example or in w10',
    [of('w', 'w-0, w.example and w10 answer; not w.'), of('x', 'w-0, w.example and w10 answer; not x.')],
    [{ hosts: ['w', 'x'], what: 'w-0, w.example and w10 answer; not HOST.' }],
  ],
  [
    'another reason is another problem',
    [of('a', 'it failed', { why: ['no space'] }), of('b', 'it failed', { why: ['no memory'] })],
    [
      { hosts: ['a'], what: 'it failed', why: ['no space'] },
      { hosts: ['b'], what: 'it failed', why: ['no memory'] },
    ],
  ],
  [
    'another phase is another problem',
    [of('a', 'it failed', { where: { phase: 'images' } }), of('b', 'it failed', { where: { phase: 'kubelet' } })],
    [
      { hosts: ['a'], what: 'it failed' },
      { hosts: ['b'], what: 'it failed' },
    ],
  ],
];

it.each(table)('groups: %s', (_name, problems, expected) => {
  const groups = groupProblems(problems).map(({ hosts, problem: { what, why, next } }) => ({
    hosts,
    what,
    ...(why.length > 0 ? { why } : {}),
    ...(next === undefined ? {} : { next }),
  }));
  expect(groups).toEqual(expected);
});

import type { Problem } from '../../failure.js';

/** A problem, and the host that has it; none where a problem is not of a host. */
export interface HostProblem {
  readonly host?: string | undefined;
  readonly problem: Problem;
}

/** One problem and all hosts that have it, in the order in which they were given. */
export interface ProblemGroup {
  readonly hosts: readonly string[];
  readonly problem: Problem;
}

/**
 * Problems that differ only in their host become one. Where their texts name the host or its address, the group's
 * problem says HOST and ADDRESS instead; `where.host` is gone from the problem of several hosts.
 */
export function groupProblems(all: readonly HostProblem[]): readonly ProblemGroup[] {
  const groups = new Map<string, HostProblem[]>();
  for (const each of all) {
    const key = problemKey(each);
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()].map((members) => ({
    hosts: members.flatMap(({ host }) => (host === undefined ? [] : [host])),
    problem: shared(members),
  }));
}

/** Equal for two problems that are one to the reader: alike in all but the name and the address of their host. */
export const problemKey = (each: HostProblem): string => JSON.stringify(general(each));

const shared = (members: readonly HostProblem[]): Problem => {
  const [first, ...others] = members;
  if (first === undefined) throw new Error('a group without a problem');
  if (others.length === 0) return first.problem;
  const own = withoutHost(first.problem);
  const alike = others.every(({ problem }) => JSON.stringify(withoutHost(problem)) === JSON.stringify(own));
  return alike ? own : general(first);
};

const withoutHost = ({ where: { host: _host, address: _address, ...where }, ...problem }: Problem): Problem => ({
  ...problem,
  where,
});

const general = ({ host, problem }: HostProblem): Problem => {
  const { what, where, why, next, ...rest } = withoutHost(problem);
  const anyHost = (text: string): string =>
    replaceWord(replaceWord(text, problem.where.address, 'ADDRESS'), host ?? problem.where.host, 'HOST');
  return {
    ...rest,
    what: anyHost(what),
    where: Object.fromEntries(Object.entries(where).map(([part, text]) => [part, anyHost(text)])),
    why: why.map(anyHost),
    ...(next === undefined ? {} : { next: anyHost(next) }),
  };
};

/** `web` is not a word of `web-1` or of `web.example`, but is one of `web:22` and at the end of a sentence. */
const replaceWord = (text: string, word: string | undefined, by: string): string =>
  word ? text.replace(new RegExp(`(?<![\\w.-])${word.replace(/[^\w]/g, '\\$&')}(?![\\w-]|\\.\\w)`, 'g'), by) : text;

import { setImmediate } from 'node:timers/promises';
import type { End } from './scripted-host.js';

/*
 * The forms in which the engine puts many scripts into one: a batch of queries, gates that are waited for, and the
 * changes of a phase. The scripts in between are for the caller to answer.
 */

/** The answer to one question. */
export interface Reply {
  readonly code: number;
  readonly output: string;
}

/** The questions of a batch; undefined where the script is none. */
export const questionsIn = (script: string): readonly string[] | undefined => {
  if (!script.startsWith('set +eu\nkbs_result()')) return undefined;
  const [first = '', second] = script.split('\n} </dev/null | {\n');
  // The queries of the API server stand first, and their records come last.
  return (second === undefined ? [first] : [second, first]).flatMap((half) => {
    const parts = half.split('\nkbs_output=$(set -eu\n').slice(1);
    return parts.map((part) => part.slice(0, part.lastIndexOf('\n)\nkbs_result')));
  });
};

/** Answers a batch, as the shell would: of each output the line breaks at its end are lost. */
export const printAnswers = (
  questions: readonly string[],
  answer: (question: string) => Reply,
  print: (text: string) => void,
): End => {
  for (const question of questions) {
    const { code, output } = answer(question);
    print(`\x1e${code}\n${output.replace(/\n+$/, '')}`);
  }
  return {};
};

interface GateScript {
  readonly name: string;
  readonly test: string;
}

/** The gates that a script waits for; undefined where it waits for none. */
export const gatesIn = (script: string): readonly GateScript[] | undefined => {
  if (!script.startsWith('set +e\nkbs_deadline=')) return undefined;
  const names = [...script.matchAll(/\|\| printf '%s: %s\\n' (.*) "\$kbs_reason_\d+" >&2/g)].map(([, name = '']) =>
    name.replace(/^'(.*)'$/, '$1').replaceAll("'\\''", "'"),
  );
  return names.map((name, index) => {
    const begin = `if kbs_reason_${index}=$( (`;
    const start = script.indexOf(begin) + begin.length;
    const end = script.indexOf(`) 2>&1 ); then kbs_open_${index}=yes;`, start);
    return { name, test: script.slice(start, end) };
  });
};

/** Waits for gates: until all are open, or until nothing can be expected to change any more. */
export const printGates = async (
  gates: readonly GateScript[],
  test: (script: string) => Reply,
  { patience, print }: { readonly patience: Patience; readonly print: (text: string) => void },
): Promise<End> => {
  const open = new Set<number>();
  const closed = new Map<number, string>();
  const ask = () => {
    for (const [index, gate] of gates.entries()) {
      if (open.has(index)) continue;
      const { code, output } = test(gate.test);
      if (code !== 0) closed.set(index, output);
      else {
        open.add(index);
        print(`\x1e${index}\n`);
      }
    }
    return open.size === gates.length;
  };
  if (await patience(ask)) return {};
  const reasons = [...closed].filter(([index]) => !open.has(index));
  return {
    code: 124,
    stderr: reasons.map(([index, reason]) => `${gates[index]?.name}: ${reason.trimEnd()}\n`).join(''),
  };
};

/** Waits until something is so; false where it gives up. */
export type Patience = (isSo: () => boolean) => Promise<boolean>;

/** Asks once. */
export const noPatience: Patience = async (isSo) => isSo();

/**
 * Gives up once every script that runs waits like this one, for many turns of the event loop: hosts wait for each other in
 * vain. `running` counts the scripts that run and do not wait.
 */
export const patientWhile =
  (running: { count: number }): Patience =>
  async (isSo) => {
    running.count--;
    try {
      for (let idle = 0; !isSo(); idle = running.count > 0 ? 0 : idle + 1) {
        if (idle > 200) return false;
        await setImmediate();
      }
      return true;
    } finally {
      running.count++;
    }
  };

/** The scripts of a phase's changes, each with all its steps; undefined where the script is none of a phase. */
export const changesIn = (script: string): readonly string[] | undefined => {
  if (!script.startsWith('exec 9>>/run/kbs.lock\n')) return undefined;
  return script
    .split(/echo\nprintf '\\036%s\\n' 'change \d+'\n?/)
    .slice(1, -1)
    .map((part) => part.replace(/\n$/, ''));
};

/** The script of a change's steps, as it stands in a phase's. */
export const changeScript = (steps: readonly { readonly script: string }[]): string =>
  steps.map(({ script }) => `(\n${script}\n) 9>&-`).join('\n');

/** Makes the changes of a phase one after the other, until one fails: `make` then says why. */
export const makeChanges = async (
  count: number,
  make: (index: number) => Promise<string | undefined>,
  print: (text: string) => void,
): Promise<End> => {
  for (let index = 0; index < count; index++) {
    print(`\n\x1echange ${index}\n`);
    const reason = await make(index);
    if (reason !== undefined) return { code: 1, stderr: `${reason}\n` };
  }
  print(`\n\x1echange ${count}\n`);
  return {};
};

import { readFile } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import type { Plan } from '../../engine/plan.js';
import type { Selection } from '../../engine/select.js';
import { Failure } from '../../failure.js';
import { withWriteErrors } from '../write-error.js';

const format = 'kbs/plan/v1';

/** A plan, and what it was limited to: it is applied with the same limits. */
export interface SavedPlan extends Plan {
  readonly selection?: Selection;
  readonly skippedChecks?: readonly string[];
}

/** Saves a plan as JSON, readable by its owner only: it may hold configuration that is not for others. */
export const savePlan = (path: string, plan: SavedPlan): Promise<void> =>
  withWriteErrors(path, 'name another file: kbs plan -o FILE', () =>
    writeFileAtomic(path, `${JSON.stringify({ format, ...plan }, undefined, 2)}\n`, { mode: 0o600 }),
  );

/** Reads a plan that `savePlan` wrote. */
export const readPlan = async (path: string): Promise<SavedPlan> => {
  const refuse = (why: string) =>
    new Failure('usage', `${path} is not a saved plan`, { why: [why], next: 'make one with: kbs plan -o plan.json' });
  try {
    const { format: found, ...plan } = JSON.parse(await readFile(path, 'utf8')) as SavedPlan & { format?: string };
    if (found !== format) throw refuse(`its format is ${found ?? 'not named'}, and this kbs reads ${format}`);
    if (!Array.isArray(plan.hosts)) throw refuse('it names no hosts');
    return plan;
  } catch (error) {
    throw error instanceof Error && !(error instanceof Failure) ? refuse(error.message) : error;
  }
};

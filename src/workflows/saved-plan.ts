import { readFile } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import type { Plan } from '../engine/plan.js';
import { Failure } from '../failure.js';

const format = 'kbs/plan/v1';

/** Saves a plan as JSON, readable by its owner only: it may hold configuration that is nobody else's business. */
export const savePlan = (path: string, plan: Plan): Promise<void> =>
  writeFileAtomic(path, `${JSON.stringify({ format, ...plan }, undefined, 2)}\n`, { mode: 0o600 });

/** Reads a plan that `savePlan` wrote. */
export const readPlan = async (path: string): Promise<Plan> => {
  const refuse = (why: string) =>
    new Failure('usage', `${path} is not a saved plan`, { why: [why], next: 'make one with: kbs plan -o plan.json' });
  try {
    const { format: found, ...plan } = JSON.parse(await readFile(path, 'utf8')) as Plan & { format?: string };
    if (found !== format) throw refuse(`its format is ${found ?? 'not named'}, and this kbs reads ${format}`);
    return plan;
  } catch (error) {
    throw error instanceof SyntaxError ? refuse(error.message) : error;
  }
};

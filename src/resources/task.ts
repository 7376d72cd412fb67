import { raw, recordedScript, type Script, sh } from '../hosts/shell.js';
import type { Kind, TaskResource } from './resource.js';
import { step } from './resource.js';

/** Something done once. Whether it is done is asked of the host each time; nothing remembers it. */
export const task: Kind<TaskResource> = {
  kind: 'task',
  id: (resource) => resource.name,
  query: (resource) => sh`if ( ${raw(resource.check)}
) >/dev/null 2>&1 </dev/null; then echo yes; fi`,
  parse: (output) => (output.trim() === 'yes' ? { done: 'yes' } : undefined),
  desired: () => ({ done: 'yes' }),
  apply: ({ run, input }) => {
    if (input === undefined) return [step(alone(run))];
    const bytes = Buffer.from(input.reveal());
    return [step(sh`head -c ${bytes.length} | (\n${raw(run)}\n)`, [{ bytes }])];
  },
  remove: (resource) => (resource.undo === undefined ? [] : [step(alone(resource.undo))]),
  record: {
    write: ({ check, undo }) => (undo === undefined ? undefined : { check, undo }),
    read: (id, { check, undo }) =>
      typeof check === 'string' && typeof undo === 'string'
        ? { kind: 'task', name: id, check: recordedScript(check), run: sh`exit 1`, undo: recordedScript(undo) }
        : undefined,
  },
};

/** In a subshell, so that what it sets or changes to stays its own, and away from the stdin that others read. */
const alone = (script: Script): Script => sh`(\n${raw(script)}\n) </dev/null`;

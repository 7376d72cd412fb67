import type { Failure } from '../failure.js';
import type { Problem } from './event.js';

/** A Failure as plain data, for events, journals and JSON. */
export const problem = (failure: Failure): Problem => ({
  code: failure.code,
  what: failure.message,
  where: { ...failure.where },
  why: failure.why,
  ...(failure.next === undefined ? {} : { next: failure.next }),
});

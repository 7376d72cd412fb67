import type { Arch } from '../arch.js';

/** Where what is built is kept, and for which architecture. */
export interface BuildContext {
  readonly cache: string;
  readonly arch: Arch;
  readonly signal?: AbortSignal;
}

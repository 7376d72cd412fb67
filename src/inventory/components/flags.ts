import { readFileSync } from 'node:fs';
import type { FlaggedComponent } from '../cluster.js';

/** What a flag takes; `text` stands for every sort that kbs does not tell apart, lists among them. */
export type FlagSort = 'boolean' | 'integer' | 'number' | 'duration' | 'text';

/** What the components of a Kubernetes version say of themselves; scripts/component-flags.ts writes it. */
export interface ComponentFlags {
  readonly kubernetes: string;
  /** Component → flag → what it takes. */
  readonly flags: Readonly<Record<FlaggedComponent, Readonly<Record<string, FlagSort>>>>;
  /** Alpha and beta feature gates, which all components of Kubernetes know alike; those of etcd are its own. */
  readonly featureGates: readonly string[];
}

export const readComponentFlags = (): ComponentFlags =>
  // The file is written by a script of this project, and its test checks it.
  JSON.parse(readFileSync(new URL('flags.json', import.meta.url), 'utf8')) as ComponentFlags;

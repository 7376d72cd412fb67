import type { Script } from '../../src/hosts/shell.js';

/** A script that a test has as a text. */
export const asScript = (text: string): Script => text as Script;

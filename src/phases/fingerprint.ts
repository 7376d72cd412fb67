import type { FileResource } from '../resources/resource.js';
import { reveal, sha256 } from '../secret.js';

/** One fingerprint of several files: it changes when any of them does, so that what reads them is restarted. */
export const fingerprint = (files: readonly FileResource[]): string =>
  sha256(files.map((file) => `${file.path} ${sha256(reveal(file.content))}`).join('\n')).slice(0, 32);

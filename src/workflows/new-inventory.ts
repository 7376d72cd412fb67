import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { basename, dirname, resolve } from 'node:path';
import { knownVersions } from '../artifacts/catalogue.js';
import { Failure } from '../failure.js';
import { asDnsLabel } from '../inventory/import/host-names.js';
import { writeDraft } from '../inventory/import/write.js';
import {
  type InventoryAnswers,
  inventoryQuestions,
  newInventory,
  type Surroundings,
} from '../inventory/new-inventory.js';
import { loadCluster } from './load-cluster.js';

/** Asks a question of one line; an empty answer is the fallback. */
export interface Dialogue {
  ask(question: string, fallback: string): Promise<string>;
  /** What is wrong with an answer, before the question comes again. */
  say(text: string): void;
}

/** Answers that flags gave, as texts. */
export type GivenAnswers = { readonly [Field in keyof InventoryAnswers]?: string };

/**
 * The text of a new inventory for `file`, from answers to five questions: those that are given, else those of the
 * dialogue, else the fallbacks. Throws `usage` for a given answer or a fallback that does not fit. Writes nothing.
 */
export const askInventory = async (
  file: string,
  given: GivenAnswers,
  around: Surroundings,
  dialogue?: Dialogue,
): Promise<string> => {
  const ask = async <Field extends keyof InventoryAnswers>(field: Field, before: Partial<InventoryAnswers>) => {
    const question = inventoryQuestions[field];
    const fallback = question.fallback(before, around);
    const flag = given[field];
    for (;;) {
      const isAsked = flag === undefined && dialogue !== undefined;
      const words = isAsked ? (await dialogue.ask(question.text, fallback)).trim() || fallback : (flag ?? fallback);
      const read = question.parse(words, before);
      if (typeof read !== 'string') return read.is;
      if (!isAsked) throw new Failure('usage', `--${field}: ${read}`, { next: 'see kbs inventory init --help' });
      dialogue.say(read);
    }
  };
  const hosts = await ask('hosts', {});
  const user = await ask('user', { hosts });
  const segments = await ask('segments', { hosts });
  const endpoint = await ask('endpoint', { hosts, segments });
  const style = await ask('style', {});
  const [version = ''] = knownVersions();
  const name = asDnsLabel(basename(dirname(resolve(file)))) || 'cluster';
  const inventory = newInventory(name, version, { hosts, user, segments, endpoint, style }, around);
  const written = writeDraft({ inventory, remarks: [] }, head);
  await loadCluster(file, written);
  return written;
};

const head = [
  'Written by kbs inventory init. All fields: docs/reference/inventory.md, or kbs inventory schema for editors.',
];

/** Throws `usage` where the file exists, before anything is asked for it. */
export const requireNew = (file: string): void => {
  if (!existsSync(file)) return;
  throw new Failure('usage', `${file} exists already`, { next: 'name another file: kbs inventory init FILE' });
};

/** The IPv4 addresses of this machine that others may reach. */
export const surroundings = (): Surroundings => ({
  own: Object.values(networkInterfaces())
    .flat()
    .flatMap((each) => (each?.family === 'IPv4' && !each.internal && each.cidr !== null ? [each.cidr] : []))
    // Link-local ones (RFC 3927) are not handed out to be reached at.
    .filter((cidr) => !cidr.startsWith('169.254.')),
});

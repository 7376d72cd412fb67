import { createHash, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';

/**
 * Text that must never be printed, logged, planned or put into a command line.
 * Every way in which a value may become text by accident (template strings, JSON, console) gives its fingerprint;
 * only `reveal` gives the text, and only what writes to a host or to the keyring calls it.
 *
 * The fingerprint is salted once per process: it tells "the same" from "another" within one run, and does not help
 * to guess short secrets from a saved plan.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return `(secret ${createHash('sha256').update(salt).update(this.#text).digest('hex').slice(0, 8)})`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

const salt = randomBytes(16);

/** The text of a content that may be secret. */
export const reveal = (content: string | Secret): string => (typeof content === 'string' ? content : content.reveal());

export const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

/** Whether a value is a map of JSON or YAML: neither a list nor a text that is kept secret. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Secret);

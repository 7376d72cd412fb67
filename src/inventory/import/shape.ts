import { z } from 'zod';
import { Failure, Failures } from '../../failure.js';
import { isMissing } from '../formats.js';
import type { Path } from '../inventory-error.js';
import type { YamlInput } from './yaml-input.js';

/*
 * The shapes of other tools' files: what kbs reads of them, with everything else let through. Their messages are the
 * predicates of sentences whose subject is the path.
 */

const says = (noun: string) => ({
  error: ({ input }: { readonly input?: unknown }) =>
    isMissing(input) ? `is missing; it is ${noun}` : `is not ${noun}`,
});

/** A text; numbers and booleans count as the texts that they look like. */
export const word = z.union([z.string(), z.number(), z.boolean()], says('a text')).transform(String);

export const flag = z.boolean(says('true or false'));

export const port = word
  .refine((text) => /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65535, says('a port, 1 to 65535'))
  .transform(Number);

export const listOf = <T extends z.ZodType>(item: T) => z.array(item, says('a list'));

/** A map with these keys among others. */
export const mapOf = <T extends z.ZodRawShape>(shape: T) => z.looseObject(shape, says('a map'));

/** A map of texts. */
export const table = z.record(z.string(), word, says('a map'));

/** Any map. */
export const anyMap = z.record(z.string(), z.unknown(), says('a map'));

/**
 * The value of a document in its shape; keys without a value count as absent. Throws Failures `inventory` with every
 * value of the wrong shape.
 */
export const readShape = <T extends z.ZodType>(shape: T, input: YamlInput): z.output<T> => {
  const read = shape.safeParse(withoutNulls(input.value));
  if (read.success) return read.data;
  throw new Failures(
    read.error.issues.map(({ path, message }) => {
      const steps = path.map((step) => (typeof step === 'symbol' ? '' : step));
      return new Failure('inventory', `${pathText(steps)} ${message}`, { where: { position: input.at(steps) } });
    }),
  );
};

const pathText = (path: Path): string => {
  if (path.length === 0) return 'the file';
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .replace(/^\./, '');
};

/** Items of lists stay, so that the others keep their places. */
const withoutNulls = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (inner === null ? [] : [[key, withoutNulls(inner)]])),
  );
};

/** Whether a value says nothing: tools write all their settings, empty, into the files that they make. */
export const isBlank = (value: unknown): boolean => {
  if (value === null || value === undefined || value === '' || value === false || value === 0) return true;
  return typeof value === 'object' && Object.values(value).every(isBlank);
};

/** The keys of a map that say something and are not among the known ones. */
export const otherKeys = (
  map: Readonly<Record<string, unknown>> | undefined,
  known: readonly string[],
): readonly string[] =>
  Object.entries(map ?? {}).flatMap(([key, value]) => (known.includes(key) || isBlank(value) ? [] : [key]));

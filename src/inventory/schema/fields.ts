import { z } from 'zod';
import { defined } from '../../defined.js';
import { didYouMean } from '../did-you-mean.js';
import type { Format } from '../formats.js';
import { formatProblem, isMissing } from '../formats.js';

/*
 * Every message here is the predicate of a sentence whose subject is the value as it is written; for a missing value it
 * says what to write; for an unknown key it is the list of the known ones. `schema-errors.ts` builds the sentences.
 * Checks that compare one field with another are in checks/, because zod skips those once anything else is wrong.
 */

/** A text of one format. */
export const text = (format: Format, description: string) =>
  z
    .string({ error: (issue) => formatProblem(format, issue.input) })
    .refine((value) => format.accepts(value), { error: (issue) => formatProblem(format, issue.input) })
    .meta({ description, examples: [format.example], ...patternOf(format) });

const patternOf = ({ pattern }: Format) => defined({ pattern });

/** A whole number within limits. */
export const integer = (min: number, max: number, description: string) => {
  const error = ({ input }: { readonly input?: unknown }): string =>
    isMissing(input) ? `write a whole number from ${min} to ${max}` : `is not a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error }).describe(description);
};

/** One word of a few. */
export const choice = <const T extends readonly string[]>(values: T, description: string) =>
  z.enum(values, { error: ({ input }) => choiceProblem(values, input) }).describe(description);

/** What is wrong with a word that is none of these. */
export const choiceProblem = (values: readonly string[], input: unknown): string => {
  const all = values.length === 1 ? `${values[0]}` : `one of ${values.join(', ')}`;
  if (isMissing(input)) return `write ${all}`;
  if (values.length === 1) return `is not known; write ${all}`;
  const meant = didYouMean(String(input), values);
  return meant === undefined ? `is not ${all}` : `is not ${all}; did you mean ${meant}?`;
};

/** A list whose elements are alike. */
export const list = <T extends z.ZodType>(element: T, example: string, description: string) =>
  z
    .array(element, {
      error: ({ input }) =>
        isMissing(input) ? `write a list like ${example}` : `is not a list; write one like ${example}`,
    })
    .describe(description);

/** A map whose keys are known. */
export const keys = <T extends z.ZodRawShape>(title: string, shape: T, description: string) =>
  z
    .strictObject(shape, {
      error: (issue) => {
        const known = Object.keys(shape);
        if (issue.code === 'unrecognized_keys') return known.join(' ');
        return `${isMissing(issue.input) ? 'write' : 'is not'} a map with keys of ${known.join(', ')}`;
      },
    })
    .meta({ title, description });

/** Names are checked in checks/names.ts, with clearer errors; their pattern is for editors. */
export const map = <T extends z.ZodType>(of: string, names: Format, value: T, description: string) =>
  z
    .record(z.string().meta(patternOf(names)), value, {
      error: ({ input }) => `${isMissing(input) ? 'write' : 'is not'} a map of ${of}`,
    })
    .describe(description);

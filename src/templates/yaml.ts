import { stringify } from 'yaml';

/** An object as a YAML document that a person can read: block style, no anchors, no folded lines. */
export const toYaml = (object: unknown): string =>
  stringify(object, { lineWidth: 0, aliasDuplicateObjects: false, singleQuote: false });

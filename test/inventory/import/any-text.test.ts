import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { test } from 'vitest';
import { parse } from 'yaml';
import { failuresIn } from '../../../src/failure.js';
import { importInventory } from '../../../src/inventory/import/import.js';

const sample = (name: string): string => readFileSync(new URL(`samples/${name}`, import.meta.url), 'utf8');

/** Samples of which a piece is replaced by another, or by a value of another type. */
const damaged = (text: string) =>
  fc
    .tuple(
      fc.nat(text.length),
      fc.nat(40),
      fc.oneof(
        fc.constantFrom('[]', '{}', '1', '"', '{{ x }}', '\n', ': ', '[a]', '!vault x', '&a', '*a'),
        fc.string(),
      ),
    )
    .map(([at, length, piece]) => `${text.slice(0, at)}${piece}${text.slice(at + length)}`);

test.each(['prod/hosts.ini', 'bare/hosts.yaml', 'k0sctl.yaml', 'rke.yml'])(
  '%s, however it is damaged, becomes YAML or a failure that says what is wrong',
  (name) => {
    fc.assert(
      fc.property(damaged(sample(name)), (text) => {
        try {
          parse(
            importInventory({ file: name, text, folder: 'x', varFiles: [], unread: [] }, { versions: ['1.36.3'] }).text,
          );
        } catch (error) {
          if (failuresIn(error).length === 0) throw error;
        }
      }),
      { numRuns: 150 },
    );
  },
);

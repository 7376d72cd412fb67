import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A Debian package that tests run something of. */
export interface TestPackage {
  readonly name: string;
  /** A file by which an installed one is known. */
  readonly file: string;
  /** The first command that needs it: `npm run check`, or `npm test` alone. */
  readonly neededBy: 'check' | 'test';
}

/** What scripts/packages.txt lists, in its order. */
export const testPackages = (): readonly TestPackage[] =>
  readFileSync(fileURLToPath(new URL('packages.txt', import.meta.url)), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [name = '', file = '', neededBy] = line.split(' ');
      return { name, file, neededBy: neededBy === 'check' ? 'check' : 'test' };
    });

/** Names of the packages of `npm run check` that this machine lacks. */
export const packagesMissing = (): readonly string[] =>
  testPackages()
    .filter(({ neededBy, file }) => neededBy === 'check' && !existsSync(file))
    .map(({ name }) => name);

/** Go is no Debian package here: that of Debian 12 is too old. */
export const goIsInstalled = (): boolean =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'go')));

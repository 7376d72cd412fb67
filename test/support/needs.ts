import { existsSync } from 'node:fs';
import { expect } from 'vitest';
import { goIsInstalled, testPackages } from '../../scripts/packages.js';

/**
 * For `skipIf`: whether this machine lacks one of `needs`, each `root`, `go` or a package of scripts/packages.txt. Says
 * what is lacking and in which file. Throws instead where CI is set: there every test runs.
 */
export function lacks(...needs: readonly string[]): boolean {
  const missing = needs.filter((need) => !isHere(need));
  if (missing.length === 0) return false;
  const message = `${missing.join(', ')} needed by ${expect.getState().testPath}`;
  if (process.env.CI) throw new Error(`${message}: in CI no test may be skipped`);
  console.warn(`skipped: ${message}`);
  return true;
}

function isHere(need: string): boolean {
  if (need === 'root') return process.getuid?.() === 0;
  if (need === 'go') return goIsInstalled();
  const found = testPackages().find(({ name }) => name === need);
  if (!found) throw new Error(`scripts/packages.txt has no ${need}`);
  return existsSync(found.file);
}

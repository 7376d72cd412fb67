/** `npm run check`: format, lint, architecture, dead code, generated files, types, unit tests. */
import { checks } from './checks.js';
import { goIsInstalled, packagesMissing } from './packages.js';
import { finish } from './steps.js';

const missing = packagesMissing();
if (missing.length > 0) refuse(`apt-get install ${missing.join(' ')}`);
if (!goIsInstalled()) refuse('Go (https://go.dev/dl)');
if (process.exitCode === undefined) finish(await checks());

function refuse(what: string): void {
  console.error(`npm run check needs: ${what}`);
  process.exitCode = 1;
}

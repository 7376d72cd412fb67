/** `npm run check`: format, lint, architecture, dead code, generated files, types, unit tests. */
import { checks } from './checks.js';
import { finish } from './steps.js';

finish(await checks());

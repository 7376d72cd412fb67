/** What `npm test` runs once the machine has what it needs: the build, all checks, and then real clusters. */
import { checks } from './checks.js';
import { check, finish, sum, tests } from './steps.js';

const built = await check('build', 'npm run --silent build');
const checked = await checks();
const runs = await tests('runs');
// Half an hour from nothing; a second or two once everything is in the cache.
const bundled = await check('bundle', 'node bin/run.js bundle build --addons --install', { live: true });
const real = await tests('e2e*', { live: true });

finish(sum([built, checked, runs, bundled, real]));

import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { testPackages } from '../scripts/packages.js';

/**
 * Ends the process with status 1 where a benchmark cannot run here, and says all that it lacks: root, the build, or
 * packages of scripts/packages.txt, by their names.
 */
export function requireHere({
  root = false,
  build = false,
  packages = [],
}: {
  readonly root?: boolean;
  readonly build?: boolean;
  readonly packages?: readonly string[];
}): void {
  const missing = testPackages().filter(({ name, file }) => packages.includes(name) && !existsSync(file));
  const lacks = [
    ...(root && process.getuid?.() !== 0 ? ['root'] : []),
    ...(missing.length > 0 ? [`apt-get install ${missing.map(({ name }) => name).join(' ')}`] : []),
    ...(build && !existsSync(join(project, 'dist')) ? ['npm run build'] : []),
  ];
  if (lacks.length === 0) return;
  console.error(`${basename(process.argv[1] ?? '')} needs: ${lacks.join('; ')}`);
  process.exit(1);
}

const project = fileURLToPath(new URL('..', import.meta.url));

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** File → what it imports → the rules that must say no; `nothing` where the import is right. */
const planted: readonly (readonly [file: string, imports: string, rules: string])[] = [
  ['src/phases/reads-a-file.ts', 'node:fs', 'pure'],
  ['src/phases/reads-a-file-later.ts', 'node:fs/promises', 'pure'],
  ['src/network/opens-a-socket.ts', 'node:net', 'pure'],
  ['src/resources/runs-a-program.ts', 'child_process', 'pure'],
  ['src/resources/knows-ssh.ts', 'src/hosts/ssh/connection.ts', 'room-resources'],
  ['src/resources/quotes.ts', 'src/hosts/shell.ts', 'nothing'],
  ['src/engine/knows-a-transport.ts', 'src/hosts/ssh/connection.ts', 'room-engine'],
  ['src/engine/knows-a-phase.ts', 'src/phases/node/kubelet.ts', 'room-engine'],
  ['src/engine/prints.ts', 'src/cli/events/lines.ts', 'room-engine'],
  ['src/engine/knows-the-seam.ts', 'src/hosts/host.ts', 'nothing'],
  ['src/cli/applies.ts', 'src/engine/apply.ts', 'room-cli'],
  ['src/cli/draws-events.ts', 'src/engine/event.ts', 'nothing'],
  ['src/phases/loads.ts', 'src/inventory/load.ts', 'room-phases'],
  ['src/inventory/looks-up.ts', 'src/pki/certificates.ts', 'room-inventory'],
  ['src/inventory/fails.ts', 'src/failure.ts', 'nothing'],
  ['src/templates/knows-the-cluster.ts', 'src/inventory/cluster.ts', 'room-templates'],
  ['src/artifacts/knows-the-cluster.ts', 'src/inventory/cluster.ts', 'room-artifacts'],
  ['src/hosts/knows-a-resource.ts', 'src/resources/file.ts', 'room-hosts'],
  ['src/network/knows-keys.ts', 'src/pki/certificates.ts', 'room-network'],
  ['src/pki/knows-routes.ts', 'src/network/routes.ts', 'room-pki'],
  ['src/lab/knows-artifacts.ts', 'src/artifacts/cache.ts', 'room-lab'],
  ['src/workflows/calls-a-command.ts', 'src/commands/init.ts', 'commands-are-the-end, room-workflows'],
  ['src/workflows/draws.ts', 'src/cli/events/lines.ts', 'room-workflows'],
  ['src/commands/does.ts', 'src/workflows/run/run.ts', 'nothing'],
  ['src/phases/makes-a-folder.ts', 'src/private-folder.ts', 'room-phases'],
  ['src/cli/makes-a-folder.ts', 'src/private-folder.ts', 'nothing'],
  ['src/secret.ts', 'src/inventory/cluster.ts', 'everybodys'],
  ['src/inventory/leaves-out.ts', 'src/defined.ts', 'nothing'],
  ['src/attic/anything.ts', 'src/failure.ts', 'a-room-for-everything'],
  ['src/engine/borrows-from-a-test.ts', 'test/resources/overlay-host.ts', 'product-alone'],
  ['src/engine/leads-nowhere.ts', './nowhere.js', 'resolvable'],
  ['src/engine/circle.ts', 'src/engine/other-half.ts', 'no-circular'],
  ['src/hosts/local-ssh.ts', 'ssh2', 'door-ssh2'],
  ['src/hosts/ssh/connects.ts', 'ssh2', 'nothing'],
  ['src/workflows/runs.ts', 'execa', 'door-execa'],
  ['src/pki/issues.ts', 'node-forge', 'door-node-forge'],
  ['src/phases/renders.ts', 'handlebars', 'door-handlebars'],
  ['src/workflows/draws-tasks.ts', 'listr2', 'door-listr2'],
  ['src/engine/parses-flags.ts', '@oclif/core', 'door-@oclif/core'],
  ['src/cli/parses-a-part.ts', '@oclif/core/flags', 'door-@oclif/core'],
  ['src/network/validates.ts', 'zod', 'door-zod'],
  ['src/phases/writes-yaml.ts', 'yaml', 'door-yaml'],
  ['src/resources/packs.ts', 'tar-stream', 'door-tar-stream'],
  ['src/network/computes.ts', 'ipaddr.js', 'door-ipaddr.js'],
  ['src/engine/compares.ts', 'diff', 'door-diff'],
];

let found: ReadonlyMap<string, readonly string[]>;

beforeAll(() => {
  found = violations(houseWith(planted));
}, 60_000);

it.each(planted)('%s that imports %s breaks %s', (file, _imports, rules) => {
  expect(found.get(file)?.toSorted().join(', ') ?? 'nothing').toBe(rules);
});

it('a type-only import is an import', () => {
  expect(found.get('src/engine/only-a-type.ts')).toEqual(['room-engine']);
});

it('types that point at each other are a circle', () => {
  expect(found.get('src/engine/one-type.ts')).toEqual(['no-circular']);
});

it('only the room that prints may know the type of what it prints', () => {
  expect(found.get('src/cli/only-a-type.ts')).toBeUndefined();
});

let folder: string;
afterAll(() => rmSync(folder, { recursive: true }));

/** A small house under the same rules as ours, with these files in it. Gives its folder. */
function houseWith(files: typeof planted): string {
  folder = mkdtempSync(join(tmpdir(), 'kbs-house-'));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  for (const name of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json'])
    cpSync(join(root, name), join(folder, name));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const [, imports] of files) if (/^(src|test)\//.test(imports)) write(imports, 'export const it = 1;\n');
  for (const [file, imports] of files)
    write(file, `import * as it from '${specifier(file, imports)}';\nexport { it };\n`);
  write('src/engine/other-half.ts', "export * from './circle.js';\n");
  write(
    'src/engine/only-a-type.ts',
    "import type { it } from '../hosts/ssh/connection.js';\nexport type It = typeof it;\n",
  );
  write('src/engine/one-type.ts', "import type { Other } from './other-type.js';\nexport type One = Other[];\n");
  write('src/engine/other-type.ts', "import type { One } from './one-type.js';\nexport type Other = One | null;\n");
  return folder;
}

const specifier = (from: string, to: string): string =>
  /^(src|test)\//.test(to)
    ? relative(dirname(from), to)
        .replace(/^(?!\.)/, './')
        .replace(/\.ts$/, '.js')
    : to;

/** File → the rules that it breaks, as the locksmith says. */
function violations(house: string): ReadonlyMap<string, readonly string[]> {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'), '--output-type', 'json', 'src'],
    { cwd: house, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  if (!stdout.startsWith('{')) throw new Error(stderr);
  // The shape of dependency-cruiser's own output.
  const { summary } = JSON.parse(stdout) as { summary: { violations: { from: string; rule: { name: string } }[] } };
  const found = new Map<string, string[]>();
  for (const { from, rule } of summary.violations)
    found.set(from, [...new Set([...(found.get(from) ?? []), rule.name])]);
  return found;
}

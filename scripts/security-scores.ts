import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { placeholderArtifacts } from '../src/artifacts/placeholder.js';
import { loadCluster } from '../src/workflows/load-cluster.js';
import { rendering } from '../src/workflows/render.js';

/**
 * What systemd itself says of the exposure of every unit that kbs writes, 0 (safe) to 10, as a table for people.
 * systemd-analyze(1), `security`; nothing is started. Usage: tsx scripts/security-scores.ts [INVENTORY…]
 */
const examples = ['hard-way', 'ha'].map((name) => join(import.meta.dirname, `../inventories/${name}.yaml`));
const inventories = process.argv.length > 2 ? process.argv.slice(2) : examples;
const trees = await Promise.all(
  inventories.map(async (inventory) => {
    const opened = await loadCluster(inventory);
    return [...rendering(opened, placeholderArtifacts(opened.cluster.kubernetes.version))];
  }),
);
const units = new Map(
  trees.flat().flatMap(([path, text]) => {
    const name = /\/etc\/systemd\/system\/([^/]+[.]service)$/.exec(path)?.[1];
    return name === undefined ? [] : [[name, text] as const];
  }),
);

const folder = await mkdtemp(join(tmpdir(), 'kbs-scores-'));
try {
  process.stdout.write('| unit | exposure |\n|---|---|\n');
  for (const [name, text] of [...units].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    const file = join(folder, name);
    await writeFile(file, text);
    const { stdout } = await execa('systemd-analyze', ['security', '--offline=true', '--no-pager', file], {
      reject: false,
    });
    process.stdout.write(`| ${name} | ${/exposure level for .*: ([0-9.]+ [A-Z]+)/.exec(stdout)?.[1] ?? 'unknown'} |\n`);
  }
} finally {
  await rm(folder, { recursive: true });
}

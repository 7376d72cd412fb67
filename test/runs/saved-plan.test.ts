import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { printCatalogue } from '../../src/artifacts/bundle-catalogue.js';
import { ensureKeyring, keyringDirectory } from '../../src/pki/keyring.js';
import { checkNames } from '../../src/preflight/check-names.js';
import { loadCluster } from '../../src/workflows/load-cluster.js';
import { kbsIn } from '../cli/process.js';
import { dealtRandomness } from '../pki/keys.js';

const inventory = (address: string) => `apiVersion: kbs/v1
cluster: here
kubernetes: { version: 1.36.3 }
network:
  segments:
    lan: { cidr: 192.0.2.0/24, gateway: 192.0.2.1 }
ssh: { transport: local }
artifacts: { source: bundle, bundle: ./bundle }
hosts:
  c0: { address: ${address}, roles: [control-plane] }
  w0: { address: 192.0.2.20, roles: [worker] }
`;

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kbs-saved-'));
  const nothing = { components: [], binaries: [], archives: [], repository: 'amd64/packages/debian-12.tar' };
  mkdirSync(join(folder, 'bundle'));
  writeFileSync(
    join(folder, 'bundle/catalogue.json'),
    printCatalogue({ format: 2, kubernetes: '1.36.3', architectures: { amd64: nothing }, members: [] }),
  );
  const file = join(folder, 'kbs.yaml');
  writeFileSync(file, inventory('192.0.2.10'));
  // What a plan would otherwise begin with: to issue every key of the cluster.
  const { cluster } = await loadCluster(file);
  await ensureKeyring(keyringDirectory(file, cluster.name), cluster, new Date(), await dealtRandomness(23));
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

const kbs = (...args: readonly string[]) => kbsIn(folder, args, { XDG_CACHE_HOME: join(folder, 'cache') });

// This machine stands for the hosts, and is only queried: the outcome of preflight must not matter.
describe('a plan that was limited when it was saved', () => {
  const limits = ['--limit', 'c0', '--only', 'certificates', '--skip-check', checkNames.join()];

  it('keeps its limits', () => {
    expect(kbs('plan', ...limits, '-o', 'p.json')).toMatchObject({ code: 10 });
    const { hosts, selection } = JSON.parse(readFileSync(join(folder, 'p.json'), 'utf8'));
    expect(selection).toEqual({ limit: ['c0'], only: ['certificates'] });
    expect(hosts).toMatchObject([{ host: 'c0', phases: [{ phase: 'certificates' }] }]);
  });

  it('is compared again within them, and still holds', () => {
    const before = readdirSync(folder, { recursive: true });
    expect(kbs('apply', 'p.json', '--dry-run')).toMatchObject({
      code: 10,
      stderr: expect.stringContaining('p.json still holds'),
    });
    expect(readdirSync(folder, { recursive: true })).toEqual(before);
  });

  it('cannot be given others', () => {
    const { code, stderr } = kbs('apply', 'p.json', '--dry-run', '--limit', 'w0');
    expect(code).toBe(2);
    expect(stderr).toContain('--limit cannot change what p.json is about');
  });

  it('holds no longer once the inventory says otherwise', () => {
    writeFileSync(join(folder, 'kbs.yaml'), inventory('192.0.2.11'));
    const { code, stderr } = kbs('apply', 'p.json', '--dry-run');
    expect(code).toBe(6);
    expect(stderr).toContain('have changed since this plan was saved');
    expect(stderr).not.toContain('still holds');
  });
});

it('manifests and a document cannot share stdout', () => {
  const { code, stdout } = kbs('init', '--dry-run', '-o', 'yaml', '--json');
  expect(code).toBe(2);
  expect(JSON.parse(stdout).error.what).toContain('both want stdout');
});

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureKeyring, keyringDirectory } from '../src/pki/keyring.js';
import { checkNames } from '../src/preflight/check-names.js';
import { loadCluster } from '../src/workflows/load-cluster.js';
import { type Sshd, startSshd } from '../test/support/sshd.js';
import { interruption } from './interruption.js';
import { runKbs } from './kbs.js';
import { phaseRows } from './phase-rows.js';
import { requireHere } from './requirements.js';

/**
 * What it takes kbs to query a hundred hosts and compare. The hosts are a hundred addresses of this machine behind one
 * sshd that is started for them, so each is queried by a real shell, and nothing is changed. See docs/benchmarks.md.
 * As root, after `npm run build`:
 *
 *     npm run bench:hundred-hosts
 */
const segments = [1, 2, 3, 4].map((n) => ({
  name: `rack-${n}`,
  cidr: `10.99.${n}.0/24`,
  gateway: `10.99.${n}.1`,
  addresses: Array.from({ length: 25 }, (_, at) => `10.99.${n}.${at + 10}`),
}));
const addresses = segments.flatMap((segment) => segment.addresses);
const [fiveMinutes, tenMinutes] = [300_000, 600_000];
const inNamespace = 'in-namespace';

requireHere({ root: true, build: true, packages: ['openssh-server', 'openssh-client', 'iproute2', 'util-linux'] });
if (process.argv[2] === inNamespace) await measure();
else process.exitCode = enterNamespace();

/** Runs this file again in a network namespace, which ends with it: its addresses and its sshd are no other's. */
function enterNamespace(): number {
  const again = [process.execPath, ...process.execArgv, fileURLToPath(import.meta.url), inNamespace];
  const { status, error } = spawnSync('unshare', ['--net', ...again], { stdio: 'inherit', timeout: tenMinutes });
  if (error) console.error(`hundred-hosts: ${error.message}`);
  return status ?? 1;
}

async function measure(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'kbs-bench-'));
  execFileSync('ip', ['-batch', '-'], {
    input: ['link set lo up', ...addresses.map((address) => `address add ${address}/32 dev lo`)].join('\n'),
  });
  // sshd listens at sixteen addresses and no more; and it refuses clients while ten others log in, unless told not to.
  const sshd = await startSshd({ port: 2222, config: ['ListenAddress 0.0.0.0:22', 'MaxStartups 200'] });
  try {
    const [hostKey] = readFileSync(join(sshd.dir, 'host_ed25519.pub'), 'utf8').split('\n');
    writeFileSync(join(folder, 'known_hosts'), addresses.map((address) => `${address} ${hostKey}\n`).join(''));
    const file = join(folder, 'kbs.yaml');
    writeFileSync(file, inventoryFor(sshd));
    const { cluster } = await loadCluster(file);
    await ensureKeyring(keyringDirectory(file, cluster.name), cluster, new Date());
    // The hosts are one machine, which would fail the checks of a node.
    const skipped = checkNames.join(',');
    const run = await runKbs(['apply', '--dry-run', '-i', file, '--skip-check', skipped], {
      signal: AbortSignal.any([interruption(), AbortSignal.timeout(fiveMinutes)]),
      expected: [10],
    });
    console.log(`${cluster.hosts.length} hosts, queried and compared`);
    console.log(phaseRows(run).join('\n'));
    console.log(`\n${run.seconds.toFixed(1)} s, ${run.peak.toFixed(0)} MB at most (aim: under 300), \
${run.cpu.toFixed(1)} s of CPU; the hosts' shells ran on this machine too`);
  } finally {
    await sshd.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function inventoryFor({ user, key }: Sshd): string {
  const host = (address: string, at: number): string =>
    `  host-${String(at).padStart(2, '0')}: { address: ${address}, roles: [${at === 0 ? 'control-plane' : 'worker'}] }`;
  return `apiVersion: kbs/v1
cluster: hundred
kubernetes: { version: "1.36.3" }
network:
  segments:
${segments.map(({ name, cidr, gateway }) => `    ${name}: { cidr: ${cidr}, gateway: ${gateway} }`).join('\n')}
ssh: { user: ${user}, key: ${key}, knownHosts: known_hosts }
hosts:
${addresses.map(host).join('\n')}
`;
}

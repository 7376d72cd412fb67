import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureKeyring, keyringDirectory } from '../src/pki/keyring.js';
import { checkNames } from '../src/preflight/check-names.js';
import { loadCluster } from '../src/workflows/load-cluster.js';
import { startSshd } from '../test/support/sshd.js';
import { interruption } from './interruption.js';
import { runKbs } from './kbs.js';
import { phaseRows } from './phase-rows.js';

/**
 * What it takes kbs to look at a hundred hosts and compare. The hosts are a hundred addresses of this machine behind
 * one real sshd, so each is looked at by a real shell, and nothing is changed. Started by no-op.ts in a network
 * namespace of its own: here it may take any address.
 */
const segments = [1, 2, 3, 4].map((n) => ({
  name: `rack-${n}`,
  cidr: `10.99.${n}.0/24`,
  gateway: `10.99.${n}.1`,
  addresses: Array.from({ length: 25 }, (_, at) => `10.99.${n}.${at + 10}`),
}));
const folder = mkdtempSync(join(tmpdir(), 'kbs-bench-'));
const addresses = segments.flatMap((segment) => segment.addresses);
execFileSync('ip', ['-batch', '-'], {
  input: ['link set lo up', ...addresses.map((address) => `address add ${address}/32 dev lo`)].join('\n'),
});
// sshd listens at sixteen addresses and no more; and it turns guests away while ten others log in, unless told not to.
const sshd = await startSshd({ port: 2222, config: ['ListenAddress 0.0.0.0:22', 'MaxStartups 200'] });
try {
  const [hostKey] = readFileSync(join(sshd.dir, 'host_ed25519.pub'), 'utf8').split('\n');
  writeFileSync(join(folder, 'known_hosts'), addresses.map((address) => `${address} ${hostKey}\n`).join(''));
  const file = join(folder, 'kbs.yaml');
  writeFileSync(file, inventory());
  const { cluster } = await loadCluster(file);
  await ensureKeyring(keyringDirectory(file, cluster.name), cluster, new Date());
  const skipped = checkNames.join(','); // they are one machine, and it is none that anybody would make a node of
  const run = await runKbs(['apply', '--dry-run', '-i', file, '--skip-check', skipped], {
    signal: interruption(),
    expected: [10],
  });
  console.log(`${cluster.hosts.length} hosts, looked at and compared`);
  console.log(phaseRows(run).join('\n'));
  console.log(`\n${run.seconds.toFixed(1)} s, ${run.peak.toFixed(0)} MB at most (aim: under 300), \
${run.cpu.toFixed(1)} s of CPU; the hosts' shells ran on this machine too`);
} finally {
  await sshd.stop();
  rmSync(folder, { recursive: true, force: true });
}

function inventory(): string {
  const host = (address: string, at: number): string =>
    `  host-${String(at).padStart(2, '0')}: { address: ${address}, roles: [${at === 0 ? 'control-plane' : 'worker'}] }`;
  return `apiVersion: kbs/v1
cluster: hundred
kubernetes: { version: "1.36.3" }
network:
  segments:
${segments.map(({ name, cidr, gateway }) => `    ${name}: { cidr: ${cidr}, gateway: ${gateway} }`).join('\n')}
ssh: { user: ${sshd.user}, key: ${sshd.key}, knownHosts: known_hosts }
hosts:
${addresses.map(host).join('\n')}
`;
}

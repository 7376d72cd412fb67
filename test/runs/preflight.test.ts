import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Preflight } from '../../src/workflows/preflight.js';
import { compiled } from '../cli/compiled.js';
import { type Ended, kbsIn } from '../cli/process.js';
import { testCertificate } from '../pki/keys.js';
import { lacks } from '../support/needs.js';

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kbs-preflight-'));
  // c0 and w0 are this machine; a key that is no key puts w1 out of reach before anything is sent.
  writeFileSync(
    join(folder, 'kbs.yaml'),
    `apiVersion: kbs/v1
cluster: small
kubernetes: { version: 1.36.3 }
network:
  segments:
    lan: { cidr: 192.0.2.0/24, gateway: 192.0.2.1 }
ssh: { key: ./none }
hosts:
  c0: { address: 192.0.2.10, roles: [control-plane], ssh: { transport: local } }
  w0: { address: 192.0.2.20, roles: [worker], ssh: { transport: local } }
  w1: { address: 192.0.2.21, roles: [worker] }
`,
  );
  mkdirSync(join(folder, 'pki'));
  writeFileSync(join(folder, 'pki/ca.crt'), await testCertificate());
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Makes c0 of the namespaces: booted with systemd, and with its address. */
const c0 = `mount -t tmpfs none /run; mkdir -p /run/systemd/system /run/etc /run/work
mount -t overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/work overlay /etc
ip link set lo up; ip link add lan0 type veth peer name lan1; ip link set lan0 up; ip link set lan1 up
ip address add 192.0.2.10/24 dev lan0; ip route add default via 192.0.2.1`;

/** Runs kbs on such a host, once a root shell has done this to it. */
const kbsOn = (host: string, ...args: readonly string[]): Ended => {
  const command = ['sh', '-euc', `${host}\nexec "$@"`, 'sh', process.execPath, join(compiled, 'bin/run.js'), ...args];
  const env = { ...process.env, KBS_INVENTORY: undefined, NODE_ENV: 'production', XDG_CACHE_HOME: folder };
  const { status, stdout, stderr } = spawnSync('unshare', ['--mount', '--net', ...command], {
    cwd: folder,
    encoding: 'utf8',
    env,
  });
  return { code: status, stdout, stderr };
};

const failedIn = (stdout: string): readonly string[] =>
  (JSON.parse(stdout) as Preflight).checks
    .filter(({ ok }) => !ok)
    .map(({ name, hosts, detail }) => `${hosts.join(', ')} ${name}: ${detail}`);

it('hosts that cannot be reached are named with the reason and the next step, and it is status 5', () => {
  const { code, stdout } = kbsIn(folder, ['preflight', '--limit', 'w1']);
  expect(code).toBe(5);
  expect(stdout).toMatch(/^w1\n {2}✘ .+\n {4}\| .+\n {4}→ .+\n1 of 1 host could not be reached\n$/);
});

it('a host that the inventory does not have is wrong usage', () => {
  const { code, stderr } = kbsIn(folder, ['preflight', '--limit', 'w7']);
  expect(code).toBe(2);
  expect(stderr).toContain('no such host in the inventory: w7');
});

describe.skipIf(lacks('root'))('on a host', () => {
  it('that is fit, says so in one line, and with -v names every check', () => {
    const { code, stdout } = kbsOn(c0, 'preflight', '--limit', 'c0');
    expect([code, stdout]).toEqual([0, 'ready: 1 host of cluster small, no check failed\n']);
    const verbose = kbsOn(c0, 'preflight', '--limit', 'c0', '-v', '--skip-check', 'clock');
    expect(verbose.stdout).toContain('c0\n  ✔ root: commands run as root\n');
    expect(verbose.stdout).toContain('cluster small\n  ✔ machine-id: ');
    expect(verbose.stdout).not.toContain('✔ clock:');
  });

  it('that is fit, beside one that cannot be reached, ends with status 8', () => {
    const { code, stdout } = kbsOn(c0, 'preflight', '--limit', 'c0,w1');
    expect(code).toBe(8);
    expect(stdout).toContain('no check failed, but 1 of 2 hosts could not be reached');
  });

  it('names all failed checks at once, of hosts and cluster, with status 4', () => {
    const hosts = `${c0}\nip route del default`;
    const { code, stdout } = kbsOn(hosts, 'preflight', '--json');
    expect(code).toBe(4);
    expect(failedIn(stdout)).toEqual([
      'w0 address: 192.0.2.20 is not an address of this machine (it has 192.0.2.10/24)',
      ...['c0', 'w0'].map(
        (name) =>
          `${name} default-route: programs of the host itself cannot reach Services, 10.96.0.0/16: there is no default route, and none of their own`,
      ),
      expect.stringMatching(/^c0, w0 machine-id: c0 and w0 have the same machine-id, .+: they are clones$/),
    ]);
    const text = kbsOn(hosts, 'preflight').stdout;
    expect(text).toContain('w0\n  ✘ address: 192.0.2.20 is not an address of this machine');
    expect(text).toContain('    → correct `address` in the inventory');
    expect(text).toContain('not ready: 4 checks failed, and 1 of 3 hosts could not be reached');
  });
});

describe.skipIf(lacks('root'))('a folder without the keyring, before a host of a living cluster', () => {
  const living = (folderOfCa: string): string =>
    `${c0}\nmkdir -p /etc/kubernetes/pki; cp ${folderOfCa}/pki/ca.crt /etc/kubernetes/pki`;
  const notChecked = 'address,machine-id';
  const refused = 'authority: this host belongs to a cluster whose CA is not in this keyring';

  it.each([
    [['preflight', '--json', '--limit', 'c0,w0']],
    [['plan', '--json', '--limit', 'w0']],
    [['apply', '--dry-run', '--json', '--limit', 'w0', '--only', 'certificates']],
    [['init', '--dry-run', '--json']],
  ])('%j is refused with status 4', (args) => {
    const { code, stdout } = kbsOn(living(folder), ...args, '--skip-check', notChecked);
    expect(code).toBe(4);
    expect(stdout).toContain(refused.replace('authority: ', ''));
    expect(stdout).toContain('bring the keyring of that cluster to .kbs beside the inventory');
  });

  it('goes on where the operator skips the check', () => {
    const { code } = kbsOn(living(folder), 'preflight', '--limit', 'c0', '--skip-check', 'authority');
    expect(code).toBe(0);
  });

  it('may be the first folder of a cluster, where the control planes are observed', () => {
    const plan = (...limit: readonly string[]) =>
      kbsOn(c0, 'plan', '--json', '--only', 'certificates', '--skip-check', notChecked, ...limit);
    expect(plan('--limit', 'c0')).toMatchObject({ code: 10 });
    const { code, stdout } = plan('--limit', 'w0');
    expect(code).toBe(4);
    expect(stdout).toContain('this control plane, which was not observed, may belong to a cluster that has one');
  });
});

import { cp, mkdir, open, readFile, rm, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { archOfThisMachine } from '../../src/artifacts/arch.js';
import { defaultBundle, openBundle, readCatalogue } from '../../src/artifacts/bundle.js';
import type { Plan } from '../../src/engine/plan.js';
import { labFreeze, labThaw } from '../../src/lab/index.js';
import { readyNodes } from './support/kubectl.js';
import { linesOf, makeProject, type Project } from './support/project.js';
import { startUntil } from './support/run-until.js';
import { loginsOf, tracesOf } from './support/traces.js';

const inventory = (changes: Readonly<Record<string, string>> = {}): string => {
  const parts = { proxy: 'nftables', ssh: 'user: ops', artifacts: 'source: auto', ...changes };
  return `apiVersion: kbs/v1
cluster: e2e-refusals
kubernetes: { version: 1.36.3, proxy: ${parts.proxy} }
network:
  segments:
    office: { cidr: 10.82.10.0/24, gateway: 10.82.10.1 }
ssh: { ${parts.ssh} }
artifacts: { ${parts.artifacts} }
hosts:
  controller-00: { address: 10.82.10.10, roles: [control-plane] }
  worker-00: { address: 10.82.10.20, roles: [worker] }
`;
};

const hosts = ['controller-00', 'worker-00'];

describe('a run', () => {
  let project: Project;

  beforeAll(async () => {
    project = await makeProject('e2e-refusals', inventory());
    await project.kbs('lab up');
  });
  afterAll(() => project?.remove());

  describe('that must not begin', () => {
    let before: readonly (readonly string[])[];

    beforeAll(async () => {
      // Beside another folder's inventory no lab says whose key is whose: it is as with machines that stand somewhere.
      await mkdir(join(project.folder, 'elsewhere'));
      await project.write('elsewhere/none', '');
      await project.write('elsewhere/others', await knownHostsOfOthers(project));
      before = await Promise.all(hosts.map((host) => tracesOf(project, host)));
    });

    const strange = (ssh: string) => inventory({ ssh: `${ssh}, key: ${project.labFiles}/key` });
    const trusted = () => `knownHosts: ${project.labFiles}/known_hosts`;

    test('is refused where a host shows an unknown key, with the fingerprint and the flag that accepts it', async () => {
      const text = strange('user: root, knownHosts: ./none');
      const said = await refused(project, text, 5);
      expect(said).toContain('controller-00 at 10.82.10.10:22 shows a host key that is not known');
      expect(said).toMatch(/SHA256:\S{43}/);
      expect(said).toContain('--accept-new-host-keys');
      expect(await readFile(join(project.folder, 'elsewhere/none'), 'utf8')).toBe('');
    });

    test('is refused where a host shows another key than the known one', async () => {
      const said = await refused(project, strange('user: root, knownHosts: ./others'), 5);
      expect(said).toContain('HOST KEY CHANGED: controller-00');
      expect(said).toContain('ssh-keygen -f');
      // No flag makes a changed key a new one.
      await refused(project, strange('user: root, knownHosts: ./others'), 5, '--accept-new-host-keys');
    });

    test('is refused where the user may not become root', async () => {
      const said = await refused(project, strange(`user: nosudo, ${trusted()}`), 6);
      expect(said).toContain('does not let its user become root');
      expect(said).toContain('kbs sudoers');
    });

    test('is refused where the user is not let in', async () => {
      const said = await refused(project, strange(`user: stranger, ${trusted()}`), 5);
      expect(said).toContain('does not let stranger in at 10.82.10.10:22');
    });

    test('is refused where the kernel lacks what the inventory asks for', async () => {
      await project.write(
        'elsewhere/kbs.yaml',
        inventory({ proxy: 'ipvs', ssh: `user: ops, key: ${project.labFiles}/key, ${trusted()}` }),
      );
      const { stderr } = await project.kbs('apply --yes -i elsewhere/kbs.yaml', { exit: 4 });
      expect(stderr).toMatch(/kernel \S+ lacks ip_vs/);
      expect(stderr).toContain('proxy: nftables');
    });

    test('is refused where another program listens at the port of the API server', async () => {
      await project.on(
        'controller-00',
        'systemd-run -q --collect --unit=squatter socat TCP-LISTEN:6443,fork EXEC:true',
      );
      try {
        const { stderr } = await project.kbs('apply --yes', { exit: 4 });
        expect(stderr).toContain('port 6443, which kube-apiserver needs, is in use by socat');
        expect(stderr).not.toContain('worker-00');
      } finally {
        await project.on('controller-00', 'systemctl stop squatter');
      }
    });

    test('is refused where a member of the bundle is damaged, before anybody is contacted', async () => {
      const bundle = await damagedBundle(project);
      const logins = await Promise.all(hosts.map((host) => loginsOf(project, host)));
      await project.write('damaged.yaml', inventory({ artifacts: `source: bundle, bundle: ${bundle}` }));
      const { stderr } = await project.kbs('apply --yes -i damaged.yaml', { exit: 4 });
      expect(stderr).toContain('binaries/kubectl.zst is damaged');
      expect(stderr).not.toContain('0.0s');
      expect(await Promise.all(hosts.map((host) => loginsOf(project, host)))).toEqual(logins.map((count) => count + 1));
    });

    test('is refused without a terminal to ask on and without --yes', async () => {
      const { stderr } = await project.kbs('apply', { exit: 2 });
      expect(stderr).toContain('--yes');
    });

    test('has changed nothing on any host by all that', async () => {
      expect(await Promise.all(hosts.map((host) => tracesOf(project, host)))).toEqual(before);
    });

    test('may look with a user who has sudo', async () => {
      expect(linesOf(await project.json<Plan>('plan', 10)).length).toBeGreaterThan(100);
    });
  });

  describe('over hosts that fail', () => {
    test('does the rest without a worker that hangs, names it, and ends with 8', async () => {
      await labFreeze('e2e-refusals/worker-00');
      try {
        const { stderr } = await project.kbs('apply --yes', { exit: 8 });
        expect(stderr).toContain('worker-00: skipped: ');
        expect(await readyNodes(project)).toEqual(['controller-00']);
        const { stdout } = await project.kbs('plan', { exit: 8 });
        expect(stdout).toMatch(/^nothing to change: 1 host is as the inventory says\nskipped: worker-00 \(.*\)\n/);
      } finally {
        await labThaw('e2e-refusals/worker-00');
      }
    });

    test('keeps a second one away, which is told who is at work, and can be interrupted', async () => {
      const first = await startUntil(project, 'apply --yes', on('worker-00', 'certificates'));
      await labFreeze('e2e-refusals/worker-00'); // so that the first one is still at it
      try {
        const { stderr } = await project.kbs('apply --yes', { exit: 9 });
        expect(stderr).toContain('another run of kbs is at work on this cluster');
        expect(stderr).toMatch(/root@\S+, process \d+: kbs apply, since \d{4}-/);
      } finally {
        first.kill('SIGINT');
        await labThaw('e2e-refusals/worker-00');
      }
      const { code, stderr } = await first.ended;
      expect({ code, stderr }).toEqual({ code: 130, stderr: expect.stringContaining('safe to run the same command') });
    });

    test('skips a worker whose SSH connection is lost during the run, and exits with 8', async () => {
      await project.on(
        'worker-00',
        `cat > /run/end-sessions <<'END'
${endSessionsInImport}
END
systemd-run -q --collect sh /run/end-sessions`,
      );
      const { stderr } = await project.kbs('apply --yes', { exit: 8 });
      expect(stderr).toContain('the connection to worker-00 was lost during a command');
    });

    test('finishes what was left when it is run again', async () => {
      await project.kbs('apply --yes');
      expect(await readyNodes(project)).toEqual(['controller-00', 'worker-00']);
      expect(linesOf(await project.json<Plan>('plan'))).toEqual([]);
      const { stdout } = await project.kbs('join --yes');
      expect(stdout).toBe('nothing to change: 2 hosts are as the inventory says\n');
    });
  });
});

/** Applies an inventory beside which no lab stands, and gives what was said. */
const refused = async (project: Project, text: string, exit: number, flags = ''): Promise<string> => {
  await project.write('elsewhere/kbs.yaml', text);
  const words = `apply --yes -i elsewhere/kbs.yaml ${flags}`.trim();
  return (await project.kbs(words, { exit })).stderr;
};

/** The hosts' addresses with the key of another machine. */
const knownHostsOfOthers = async (project: Project): Promise<string> => {
  const file = join(project.folder, 'other');
  await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  const [type, key] = (await readFile(`${file}.pub`, 'utf8')).split(' ');
  return `10.82.10.10 ${type} ${key}\n10.82.10.20 ${type} ${key}\n`;
};

/** The usual bundle, but for one member in which one byte is another. */
const damagedBundle = async (project: Project): Promise<string> => {
  const whole = defaultBundle('1.36.3');
  const bundle = join(project.folder, 'bundle');
  for (const { file } of (await readCatalogue(whole)).members) {
    await mkdir(dirname(join(bundle, file)), { recursive: true });
    await symlink(join(whole, file), join(bundle, file));
  }
  await cp(join(whole, 'catalogue.json'), join(bundle, 'catalogue.json'));
  const { file } = (await openBundle(whole)).of(archOfThisMachine()).binary('kubectl');
  const damaged = join(bundle, relative(whole, file));
  await rm(damaged);
  await cp(file, damaged);
  const handle = await open(damaged, 'r+');
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, 5000);
  await handle.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, 5000);
  await handle.close();
  return bundle;
};

/** The moment in which a host begins a phase. */
const on = (host: string, phase: string) => (event: { type: string; host?: string; phase?: string; state: string }) =>
  event.type === 'phase' && event.state === 'started' && event.host === host && event.phase === phase;

/** Waits until images arrive, then ends every session of sshd and leaves sshd itself alone: the next login finds it. */
const endSessionsInImport = `until [ -e /var/lib/kbs/import ]; do sleep 0.05; done
main=$(systemctl show -p MainPID --value ssh)
for pid in $(pgrep -x sshd); do [ "$pid" = "$main" ] || kill -9 "$pid"; done`;

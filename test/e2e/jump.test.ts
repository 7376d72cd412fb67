import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildBundle } from '../../src/artifacts/build/build.js';
import { lacksArm64 } from '../support/emulator.js';
import { makeProject, type Project } from './support/project.js';
import { sendFiles } from './support/send-files.js';
import { whole } from './support/whole.js';

const inventory = `apiVersion: kbs/v1
cluster: e2e-jump
kubernetes: { version: 1.36.3 }
network:
  pods: 10.216.0.0/16
  services: 10.217.0.0/16
  segments:
    office: { cidr: 172.27.16.0/24, gateway: 172.27.16.1 }
    rack: { cidr: 172.27.17.0/24, gateway: 172.27.17.1 }
dns: { zone: jump.internal }
ssh: { user: ops, jump: gate }
hosts:
  gate: { address: 172.27.16.5, roles: [dns] }
  controller-00: { address: 172.27.16.10, roles: [control-plane] }
  worker-00: { address: 172.27.16.20, roles: [worker] }
  worker-01: { address: 172.27.17.20, roles: [worker] }
`;

/** A guest of another processor, whose programs have to be built: ten minutes of two cores the first time. */
const arm64 =
  '  worker-02: { address: 172.27.17.30, roles: [worker], lab: { platform: vm, image: debian-13-arm64 } }\n';
const architectures = ['amd64', 'arm64'] as const;

/** Hosts as people have them: behind a jump host, an own user, a password for sudo, shells that talk, few sessions. */
describe.runIf(whole)('hosts behind a jump host', () => {
  const isMixed = whole && !lacksArm64();
  let project: Project;
  const password = 'a "pass" $word\\';
  const kbs = (words: string, exit = 0) => project.kbs(words, { exit, env: { KBS_SUDO_PASSWORD: password } });

  beforeAll(async () => {
    project = await makeProject('e2e-jump', inventory);
    const hosts = ['gate', 'controller-00', 'worker-00', 'worker-01'];
    if (isMixed) {
      await buildBundle({ version: '1.36.3', architectures, into: join(project.folder, 'bundle') });
      await project.write('kbs.yaml', `${inventory}${arm64}artifacts: { source: bundle, bundle: ./bundle }\n`);
      hosts.push('worker-02');
    }
    await project.kbs('lab up --install');
    for (const host of hosts) {
      await project.on(
        host,
        `chpasswd <<'END'
ops:${password}
END
rm -f /etc/sudoers.d/*
echo 'ops ALL=(ALL:ALL) ALL' > /etc/sudoers.d/ops; chmod 440 /etc/sudoers.d/ops
echo 'Welcome to this machine.' > /etc/motd; echo 'Authorized use only.' > /etc/issue.net
printf '%s\\n' 'echo "hello from .bashrc"' >> /home/ops/.bashrc
mkdir -p /etc/ssh/sshd_config.d
printf '%s\\n' 'Banner /etc/issue.net' > /etc/ssh/sshd_config.d/10-site.conf
${host === 'worker-00' ? "echo 'MaxSessions 2' >> /etc/ssh/sshd_config.d/10-site.conf" : ':'}
systemctl reload ssh || systemctl restart ssh || kill -HUP $(cat /run/sshd.pid)`,
      );
    }
    await logInToFish(project, 'worker-01');
    // From here on the operator reaches the gate alone.
    for (const host of hosts.filter((name) => name !== 'gate')) {
      await project.on(
        host,
        `nft add table inet site; nft 'add chain inet site in { type filter hook input priority -10; }'
nft add rule inet site in tcp dport 22 ip saddr != 172.27.16.5 ct state new drop`,
      );
    }
  }, 3_600_000);
  afterAll(() => project?.remove());

  test('are not reached without it', async () => {
    await project.write('direct.yaml', inventory.replace('jump: gate', 'jump: none, timeout: 2'));
    const { stderr } = await project.kbs('plan -i direct.yaml --limit worker-00', { exit: 5 });
    expect(stderr).toContain('cannot connect to controller-00 at 172.27.16.10:22');
  });

  test('are not changed with a wrong password, which is tried once on each', async () => {
    const { stderr } = await project.kbs('init --yes', { exit: 6, env: { KBS_SUDO_PASSWORD: 'guessed-9' } });
    expect(stderr).toContain('it was tried once');
    expect(stderr).not.toContain('guessed-9');
  });

  test('become a cluster that is proven and needs no change', async () => {
    await kbs('init --yes');
    // The emulated one takes minutes for what the others do in seconds.
    await kbs('join --yes --timeout 15m');
    await kbs('verify');
    expect((await kbs('plan')).stdout).toContain('nothing to change');
  });

  test.runIf(isMixed)('are nodes of two architectures', async () => {
    const machines = ['worker-01', 'worker-02'].map((host) => kbs(`ssh ${host} -- uname -m`));
    expect((await Promise.all(machines)).map(({ stdout }) => stdout.trim().split('\n').at(-1))).toEqual([
      'x86_64',
      'aarch64',
    ]);
  });

  test('are open to the operator, who is told only what the command says', async () => {
    const { stdout } = await kbs('ssh worker-01 -- hostname');
    expect(stdout).toContain('worker-01');
  });

  test('are as they were after a reset', async () => {
    await kbs('reset --yes');
    const { stdout } = await kbs('ssh worker-00 -- ls /var/lib/kbs /etc/kubernetes /usr/local/bin', 2);
    expect(stdout.trim()).toMatch(/\/usr\/local\/bin:$/);
  });
});

/** The user has this machine's own fish, which runs there where both are the same Debian, and has it talk. */
const logInToFish = async (project: Project, host: string): Promise<void> => {
  const { stdout } = await execa('ldd', ['/usr/bin/fish']);
  // The other libraries are part of every Debian.
  const libraries = [...stdout.matchAll(/=> \/(\S+pcre2\S+)/g)].map(([, path = '']) => path);
  await sendFiles(project, host, {
    folder: '/',
    names: ['usr/bin/fish', 'usr/share/fish', ...libraries],
    target: '/',
  });
  await project.on(
    host,
    `install -d -o ops -g ops /home/ops/.config /home/ops/.config/fish
echo 'echo "hello from config.fish"' > /home/ops/.config/fish/config.fish
usermod -s /usr/bin/fish ops
su - ops -c 'test "$FISH_VERSION" != ""; and echo $FISH_VERSION'`,
  );
};

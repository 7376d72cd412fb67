import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

/** Hosts as people have them: behind a jump host, an own user, a password for sudo, shells that talk, few sessions. */
describe.runIf(whole)('hosts behind a jump host', () => {
  let project: Project;
  const password = 'a "pass" $word\\';
  const kbs = (words: string, exit = 0) => project.kbs(words, { exit, env: { KBS_SUDO_PASSWORD: password } });

  beforeAll(async () => {
    project = await makeProject('e2e-jump', inventory);
    await project.kbs('lab up');
    const hosts = ['gate', 'controller-00', 'worker-00', 'worker-01'];
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
  });
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
    await kbs('join --yes');
    await kbs('verify');
    expect((await kbs('plan')).stdout).toContain('nothing to change');
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

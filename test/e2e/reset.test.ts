import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { referenceOf } from '../../src/artifacts/artifacts.js';
import { defaultBundle, openBundle } from '../../src/artifacts/bundle.js';
import { footprintOf } from './support/footprint.js';
import { kubectl, readyNodes } from './support/kubectl.js';
import { makeProject, type Project } from './support/project.js';
import { sendFiles } from './support/send-files.js';
import { whole } from './support/whole.js';

const inventory = `apiVersion: kbs/v1
cluster: reset
kubernetes: { version: 1.36.3 }
network:
  pods: 10.212.0.0/16
  services: 10.213.0.0/16
  segments:
    lan: { cidr: 172.27.12.0/24, gateway: 172.27.12.1 }
hosts:
  controller-00: { address: 172.27.12.10, roles: [control-plane] }
  worker-00: { address: 172.27.12.20, roles: [worker] }
`;

/** A host with a life: a containerd of its own with a container, as Docker has it, rules, settings and jobs of others. */
describe.runIf(whole)('a host that is in use for other things', () => {
  let project: Project;
  let before: readonly string[];
  const footprints = () =>
    Promise.all(
      ['controller-00', 'worker-00'].map(async (host) => {
        const all = await footprintOf(project, host);
        // The other containerd writes into its databases when it starts, and the order of tables is no part of their rules.
        return all
          .split('\n')
          .filter((line) => !/ \/var\/lib\/containerd\/io\.containerd\..*\/meta(data)?\.db$|mount-manager/.test(line))
          .toSorted();
      }),
    ).then((texts) => texts.map((lines) => lines.join('\n')));
  const onWorker = (script: string) => project.on('worker-00', script);
  const container = () => onWorker('ctr -n moby tasks ls | tail -n 1');

  beforeAll(async () => {
    project = await makeProject('reset', inventory);
    await project.kbs('lab up');
    const bundle = defaultBundle('1.36.3');
    await sendFiles(project, 'worker-00', {
      folder: join(bundle, 'amd64'),
      names: ['containerd', 'containerd-shim-runc-v2', 'ctr', 'runc']
        .map((name) => `binaries/${name}.zst`)
        .concat('binaries/unzstd', 'images/probe.tar'),
      target: '/root/engine',
    });
    const image = referenceOf(await openBundle(bundle), 'probe');
    await onWorker(`cd /root/engine/binaries
for each in containerd containerd-shim-runc-v2 ctr runc; do ./unzstd < $each.zst > /usr/bin/$each; chmod 755 /usr/bin/$each; done
mkdir -p /etc/containerd
echo 'disabled_plugins = ["io.containerd.grpc.v1.cri"]' > /etc/containerd/config.toml
printf '%s\\n' '[Service]' 'ExecStart=/usr/bin/containerd' 'Type=notify' 'Delegate=yes' 'KillMode=process' '[Install]' 'WantedBy=multi-user.target' > /lib/systemd/system/containerd.service
systemctl enable --now containerd.service
ctr -n moby images import ../images/probe.tar
ctr -n moby run -d ${image} old
nft add table inet site; nft 'add chain inet site in { type filter hook input priority 0; }'; nft add rule inet site in tcp dport 9999 drop
echo '10.0.0.9 printer' >> /etc/hosts
echo 'net.ipv4.ip_forward = 0' > /etc/sysctl.d/99-theirs.conf
echo '0 4 * * * root true' > /etc/cron.d/theirs
systemctl restart containerd.service`);
    before = await footprints();
  });
  afterAll(() => project?.remove());

  test('is a node meanwhile, and its containers go on', async () => {
    const task = await container();
    await project.kbs('apply --yes');
    expect(await readyNodes(project)).toEqual(['controller-00', 'worker-00']);
    expect(await container()).toBe(task);
    expect(await kubectl(project, 'get pods -A -o name')).toContain('coredns');
  });

  test('is as it was after a reset, and its containers go on', async () => {
    const task = await container();
    await project.kbs('reset --yes');
    expect(await container()).toBe(task);
    expect(await footprints()).toEqual(before);
  });

  test('becomes a node again with the same keyring', async () => {
    await project.kbs('apply --yes');
    expect(await readyNodes(project)).toEqual(['controller-00', 'worker-00']);
    await project.kbs('verify');
  });
});

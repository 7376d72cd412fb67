import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultBundle } from '../../src/artifacts/bundle.js';
import type { CheckResult } from '../../src/verify/check-result.js';
import { writeEtcdFiles } from '../support/external-etcd.js';
import { footprintOf } from './support/footprint.js';
import { readyNodes } from './support/kubectl.js';
import { makeProject, type Project } from './support/project.js';
import { eventually } from './support/readyz.js';
import { sendFiles } from './support/send-files.js';
import { whole } from './support/whole.js';

const store = '172.27.18.5';
const controllers = ['controller-00', 'controller-01'];
const hosts = [...controllers, 'worker-00'];

const inventory = (style: string) => `apiVersion: kbs/v1
cluster: e2e-store
kubernetes:
  version: 1.36.3
  controlPlane: ${style}
  etcd:
    external: { endpoints: ["https://${store}:2379"], ca: etcd/ca.crt, cert: etcd/client.crt, key: etcd/client.key }
network:
  pods: 10.218.0.0/16
  services: 10.219.0.0/16
  segments:
    lan: { cidr: 172.27.18.0/24, gateway: 172.27.18.1 }
endpoint: { vip: 172.27.18.4 }
hosts:
  store: { address: ${store}, roles: [load-balancer] }
  controller-00: { address: 172.27.18.10, roles: [control-plane] }
  controller-01: { address: 172.27.18.11, roles: [control-plane] }
  worker-00: { address: 172.27.18.20, roles: [worker] }
`;

const styles = [
  { style: 'systemd', nodes: ['worker-00'] },
  { style: 'static-pods', nodes: hosts },
];

describe.runIf(whole).each(styles)('two control planes as $style, whose etcd others run', ({ style, nodes }) => {
  let project: Project;
  let bare: readonly string[];
  const footprints = () => Promise.all(hosts.map((host) => footprintOf(project, host)));

  beforeAll(async () => {
    project = await makeProject('e2e-store', inventory(style));
    await mkdir(join(project.folder, 'etcd'));
    await writeEtcdFiles(join(project.folder, 'etcd'), store);
    await project.kbs('lab up');
    await runTheirEtcd(project);
    bare = await footprints();
  });
  afterAll(() => project?.remove());

  test('come up from bare hosts, and need no change', async () => {
    await project.kbs('init --yes');
    await project.kbs('join --yes');
    expect(await readyNodes(project)).toEqual(nodes);
    expect((await project.kbs('plan')).stdout).toContain('nothing to change');
  });

  test('are proven, with the etcd that they use', async () => {
    const { findings } = await project.json<{ findings: readonly CheckResult[] }>('verify');
    expect(JSON.stringify(findings)).toContain(`external etcd at https://${store}:2379`);
  });

  test('have their objects there, and no etcd of their own', async () => {
    expect(await theirs(project, 'get --prefix --keys-only /registry/minions/')).toContain(
      '/registry/minions/worker-00',
    );
    for (const host of controllers) {
      const found = await project.on(host, 'ls -d /var/lib/etcd /usr/local/bin/etcd 2>&1 || :; pgrep -x etcd || :');
      expect(found).not.toMatch(/^\/|^\d+$/m);
    }
  });

  test('take another client certificate, one after the other', async () => {
    await writeEtcdFiles(join(project.folder, 'etcd'), store);
    await runTheirEtcd(project);
    await project.kbs('apply --yes');
    await project.kbs('verify');
    expect((await project.kbs('plan')).stdout).toContain('nothing to change');
  });

  test('become one, without a word to etcd', async () => {
    await project.kbs('remove controller-01 --yes');
    expect((await project.kbs('etcd snapshot', { exit: 6 })).stderr).toContain('is external');
    await project.kbs('verify');
  });

  test('say which endpoint is away, and serve again once it is back', async () => {
    await project.on('store', 'systemctl stop their-etcd');
    expect((await project.kbs('status', { exit: 8 })).stdout).toContain(`external etcd at https://${store}:2379`);
    await project.on('store', 'systemctl start their-etcd');
    await eventually(async () => void (await project.kbs('verify')));
  });

  test('are as they were after a reset, which leaves the data of their etcd', async () => {
    await project.kbs('reset --yes');
    expect(await footprints()).toEqual(bare);
    expect(await theirs(project, 'get --prefix --keys-only /registry/minions/')).toContain(
      '/registry/minions/worker-00',
    );
  });
});

/** Runs etcdctl against it, on its own host. */
const theirs = (project: Project, words: string): Promise<string> =>
  project.on(
    'store',
    `cd /opt/etcd && ./etcdctl --endpoints https://${store}:2379 --cacert ca.crt --cert client.crt --key client.key ${words}`,
  );

/** Starts an etcd that asks for client certificates on a host that has no other, with the files of the project's folder. */
const runTheirEtcd = async (project: Project): Promise<void> => {
  const target = '/opt/etcd';
  const binaries = join(defaultBundle('1.36.3'), 'amd64', 'binaries');
  await sendFiles(project, 'store', { folder: binaries, names: ['etcd.zst', 'etcdctl.zst', 'unzstd'], target });
  const unit = `[Service]
Type=notify
ExecStart=${target}/etcd --name=store --data-dir=/var/lib/their-etcd --listen-client-urls=https://${store}:2379 --advertise-client-urls=https://${store}:2379 --client-cert-auth --trusted-ca-file=${target}/ca.crt --cert-file=${target}/server.crt --key-file=${target}/server.key
`;
  await writeFile(join(project.folder, 'etcd', 'their-etcd.service'), unit);
  await sendFiles(project, 'store', {
    folder: join(project.folder, 'etcd'),
    names: ['ca.crt', 'client.crt', 'client.key', 'server.crt', 'server.key', 'their-etcd.service'],
    target,
  });
  await project.on(
    'store',
    `cd ${target}
for each in etcd etcdctl; do [ -x $each ] || { ./unzstd < $each.zst > $each; chmod 755 $each; }; done
cp their-etcd.service /etc/systemd/system; systemctl daemon-reload; systemctl restart their-etcd`,
  );
};

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostNamespace } from '../../src/lab/paths.js';
import { type FaultyMirror, serveIn } from '../support/faulty-mirror.js';
import { root as sources } from './support/kbs.js';
import { kubectl, readyNodes } from './support/kubectl.js';
import { makeProject, type Project } from './support/project.js';
import { pinsOf, publishAll, publishedHosts } from './support/published.js';
import { whole } from './support/whole.js';

const inventory = (way: string, fetch = 'hosts') => `apiVersion: kbs/v1
cluster: fetching
kubernetes: { version: 1.36.3 }
artifacts:
  source: upstream
  fetch: ${fetch}
  pins: ./pins.json
  mirrors:
${publishedHosts.map((host) => `    ${host}: https://172.27.15.1:8443/${way}/${host}`).join('\n')}
network:
  pods: 10.218.0.0/16
  services: 10.219.0.0/16
  segments:
    office: { cidr: 172.27.15.0/24, gateway: 172.27.15.1 }
    rack: { cidr: 172.27.16.0/24, gateway: 172.27.16.1 }
hosts:
  controller-00: { address: 172.27.15.10, roles: [control-plane] }
  worker-00: { address: 172.27.16.20, roles: [worker] }
  edge: { roles: [router], address: 172.27.15.1, addresses: { office: 172.27.15.1, rack: 172.27.16.1 } }
`;

/** The mirror is a machine of the lab, its router: hosts and the operator reach it alike. */
describe.runIf(whole)('a cluster whose hosts download themselves', () => {
  let home: string;
  let mirror: FaultyMirror;
  let project: Project;
  let env: Readonly<Record<string, string>>;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'kbs-fetch-'));
    const root = await publishAll(home, { addons: false });
    project = await makeProject('fetching', inventory('whole'));
    await project.write('pins.json', await pinsOf(root));
    await execa('npm', ['run', 'programs'], { cwd: sources });
    await project.kbs('lab up');
    mirror = await serveIn(root, ['ip', 'netns', 'exec', hostNamespace('fetching', 'edge')], '172.27.15.1');
    await project.write('ca.crt', mirror.certificate);
    env = { XDG_CACHE_HOME: join(home, 'cache'), NODE_EXTRA_CA_CERTS: join(project.folder, 'ca.crt') };
  });
  afterAll(async () => {
    await mirror?.close();
    await project?.remove();
    await rm(home, { recursive: true, force: true });
  });

  /** What was asked for by hosts, and not by kbs for its digests: each file with its mirror's path. */
  const large = () => mirror.requests.filter((path) => !/[.]sha256(sum)?|SHA256SUMS|\/manifests\//.test(path));
  test('has a plan that says from where, before a digest is known and after', async () => {
    const before = await project.kbs('plan', { env, exit: 10 });
    expect(before.stdout).toContain(
      'the host downloads https://172.27.15.1:8443/whole/dl.k8s.io/release/v1.36.3/bin/linux/',
    );
    expect(before.stdout).toMatch(
      /the host downloads 172[.]27[.]15[.]1:8443\/whole\/registry[.]k8s[.]io\/kube-proxy@sha256:/,
    );
    expect(mirror.requests).toEqual([]);
  });

  test('stops where hosts are refused, and says host, address and what to do', async () => {
    // The digests are fetched for a plan that is saved.
    await project.kbs('plan -o plan.json', { env, exit: 10 });
    expect(large()).toEqual([]);
    await project.write('kbs.yaml', inventory('missing'));
    const { stderr } = await project.kbs('init --yes', { env, exit: 6 });
    expect(stderr).toMatch(/controller-00/);
    expect(stderr).toMatch(/https:\/\/172[.]27[.]15[.]1:8443\/missing\/\S+ could not be downloaded by this host/);
    expect(stderr).toMatch(/curl: .*404/);
    expect(stderr).toContain('fetch: operator');
    await project.write('kbs.yaml', inventory('whole'));
  });

  test('comes up, each host with the files that it has asked for itself', async () => {
    mirror.requests.length = 0;
    await project.kbs('init --yes', { env });
    await project.kbs('join --yes', { env });
    expect(await readyNodes(project)).toEqual(['controller-00', 'worker-00']);
    await project.kbs('verify', { env });
    const kubelets = large().filter((path) => /\/kubelet -$/.test(path));
    expect(kubelets).toHaveLength(2);
    expect(large().filter((path) => /containerd-static/.test(path))).toHaveLength(2);
    expect(await kubectl(project, 'get pods -A -o jsonpath={..image}')).toContain('kbs.local/kube-apiserver:v1.36.3');
    for (const host of ['controller-00', 'worker-00']) {
      expect(await project.on(host, 'ls -d /var/lib/kbs/downloads /var/lib/kbs/import 2>/dev/null || :')).toBe('');
      expect(await project.on(host, '/usr/local/bin/ctr -n k8s.io images ls -q | grep 8443 || :')).toBe('');
    }
  });

  test('has nothing to change after that', async () => {
    await project.kbs('plan', { env });
  });

  test('repairs a program that was touched by one download, and a missing image by one pull', async () => {
    mirror.requests.length = 0;
    await project.on(
      'worker-00',
      'echo more >> /usr/local/bin/runc; /usr/local/bin/ctr -n k8s.io images rm kbs.local/coredns:1.15.0',
    );
    await project.kbs('plan -o repair.json', { env, exit: 10 });
    await project.kbs('apply --yes', { env });
    expect(large().filter((path) => /runc/.test(path))).toHaveLength(1);
    await project.kbs('plan', { env });
  });

  test('goes over to what the operator sends, and changes no program that it has', async () => {
    await project.write('kbs.yaml', inventory('whole', 'operator'));
    await project.kbs('apply --yes', { env });
    const { stdout } = await project.kbs('plan', { env });
    expect(stdout).toContain('nothing to change');
    await project.kbs('verify', { env });
  });

  test('is reset, and nothing of its downloads stays', async () => {
    await project.kbs('reset --yes', { env });
    expect(await project.on('worker-00', 'ls -d /var/lib/kbs 2>/dev/null || :')).toBe('');
  });
});

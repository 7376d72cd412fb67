import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultBundle } from '../../src/artifacts/bundle.js';
import { type ChartServer, serveCharts } from '../support/chart-server.js';
import { serveFile } from '../support/upstream.js';
import { root as sources } from './support/kbs.js';
import { kubectl, readyNodes } from './support/kubectl.js';
import { makeProject, type Project } from './support/project.js';
import { pinsOf, publishAll, publishedHosts } from './support/published.js';
import { whole } from './support/whole.js';

const inventory = (mirror: string, style: string, artifacts = 'source: upstream') => `apiVersion: kbs/v1
cluster: upstream
kubernetes: { version: 1.36.3, controlPlane: ${style} }
artifacts:
  ${artifacts}
  mirrors:
${publishedHosts.map((host) => `    ${host}: https://${mirror}/${host}`).join('\n')}
addons: { metrics-server: {} }
network:
  pods: 10.214.0.0/16
  services: 10.215.0.0/16
  segments:
    office: { cidr: 172.27.13.0/24, gateway: 172.27.13.1 }
    rack: { cidr: 172.27.14.0/24, gateway: 172.27.14.1 }
hosts:
  controller-00: { address: 172.27.13.10, roles: [control-plane] }
  worker-00: { address: 172.27.14.20, roles: [worker] }
  edge: { roles: [router], address: 172.27.13.1, addresses: { office: 172.27.13.1, rack: 172.27.14.1 } }
`;

/** A mirror of what projects publish, in their layouts; the programs in it are those that kbs has built. */
describe.runIf(whole)('a cluster of what projects publish', () => {
  let home: string;
  let server: ChartServer;
  let project: Project;
  let env: Readonly<Record<string, string>>;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'kbs-mirror-'));
    const root = await publishAll(home);
    server = await serveCharts();
    server.otherwise = ({ url = '', headers }, response) =>
      void serveFile(root, url.replace(/^\/v2\/([^/]+)\//, '/$1/v2/'), headers.range, response);
    project = await makeProject('upstream', inventory(server.host, 'static-pods'));
    await project.write('ca.crt', server.certificate);
    await project.write('pins.json', await pinsOf(root));
    await execa('npm', ['run', 'programs'], { cwd: sources });
    const path = process.env.PATH?.split(delimiter).filter((folder) => !existsSync(join(folder, 'go')));
    env = {
      PATH: path?.join(delimiter) ?? '',
      XDG_CACHE_HOME: join(home, 'cache'),
      NODE_EXTRA_CA_CERTS: join(project.folder, 'ca.crt'),
    };
    await project.kbs('lab up');
  });
  afterAll(async () => {
    await project?.remove();
    await server?.close();
    await rm(home, { recursive: true, force: true });
  });

  test('is refused by init where the content is not what kbs has pinned, before a host is touched', async () => {
    const { stderr } = await project.kbs('init --yes', { env, exit: 4 });
    expect(stderr).toMatch(/kubelet 1[.]36[.]3 for \w+ could not be downloaded/);
    expect(stderr).toContain('and what is pinned says');
    expect(await project.on('controller-00', 'ls /var/lib/kbs 2>/dev/null || :')).toBe('');
  });

  test('has a bundle that needs no Go', async () => {
    const mirrors = publishedHosts.map((host) => `--mirror ${host}=https://${server.host}/${host}`).join(' ');
    server.asked.length = 0;
    const folder = join(home, 'cache/kbs/bundles/1.36.3-upstream');
    const packages = '--packages debian-13,ubuntu-24.04';
    const { stdout } = await project.kbs(`bundle create --addons --pins pins.json ${packages} ${mirrors}`, { env });
    expect(stdout).toContain('bundles/1.36.3-upstream');
    const listed = await project.kbs(`bundle list ${folder}`, { env });
    expect(listed.stdout).toMatch(/keepalived .* debian-13\n/);
    expect(listed.stdout).toMatch(/haproxy .* ubuntu-24[.]04\n/);
    expect(server.asked.some((path) => path.endsWith('/kubelet.sha256'))).toBe(true);
    await project.kbs(`bundle verify ${folder}`, { env });
  });

  test('comes up of it, with pods that talk across segments', async () => {
    server.asked.length = 0;
    await project.kbs('init --yes', { env });
    await project.kbs('join --yes', { env });
    expect(await readyNodes(project)).toEqual(['controller-00', 'worker-00']);
    await project.kbs('verify', { env });
    expect(server.asked).toEqual([]);
    expect(await kubectl(project, 'get pods -A -o jsonpath={..image}')).toContain('kbs.local/kube-apiserver:v1.36.3');
    expect(await project.on('worker-00', 'ls /usr/local/lib/kbs')).not.toContain('unzstd');
  });

  test('has nothing to change after that', async () => {
    await project.kbs('plan', { env });
  });

  test('runs the three programs of its control plane as units too', async () => {
    await project.write('kbs.yaml', inventory(server.host, 'systemd'));
    await project.kbs('apply --yes', { env });
    const programs = 'cd /usr/local/bin && for each in kube-apiserver kube-controller-manager kube-scheduler; do';
    const said = await project.on('controller-00', `${programs} [ ! -L $each ] && tail -c 14 $each && echo; done`);
    expect(said).toMatch(/apiserver\n.*manager\n.*scheduler$/);
    await project.kbs('verify', { env });
  });

  test('takes what kbs has built in its place, and goes on', async () => {
    const own = inventory(server.host, 'systemd', `source: auto\n  bundle: ${defaultBundle('1.36.3')}`);
    await project.write('kbs.yaml', own);
    await project.kbs('apply --yes');
    await project.kbs('verify');
    const links = await project.on('controller-00', 'readlink /usr/local/bin/kube-scheduler');
    expect(links.trim()).toBe('/usr/local/bin/kube-apiserver');
  });

  test('is reset, and comes up again by an init that downloads by itself', async () => {
    await project.kbs('reset --yes', { env });
    await project.write('kbs.yaml', inventory(server.host, 'static-pods', 'source: auto\n  pins: ./pins.json'));
    await rm(join(home, 'cache'), { recursive: true });
    server.asked.length = 0;
    const { stderr } = await project.kbs('init --yes', { env });
    expect(stderr).toContain('Kubernetes 1.36.3 is downloaded from where it is published');
    expect(server.asked.some((path) => path.endsWith('/kubelet'))).toBe(true);
    await project.kbs('join --yes', { env });
    expect(await readyNodes(project)).toEqual(['controller-00', 'worker-00']);
    await project.kbs('verify', { env });
    await project.kbs('plan', { env });
  });
});

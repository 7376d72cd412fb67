import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultBundle } from '../../src/artifacts/bundle.js';
import { readChart } from '../../src/artifacts/charts/chart.js';
import type { CheckResult } from '../../src/verify/check-result.js';
import { type ChartServer, content, serveCharts } from '../support/chart-server.js';
import { readPage } from '../support/page.js';
import { root } from './support/kbs.js';
import { type PageShell, pageShell, withKubectl } from './support/page-shell.js';
import { makeProject, type Project } from './support/project.js';
import { pulledImages } from './support/pulls.js';
import { ask } from './support/web-client.js';
import { whole } from './support/whole.js';

const page = readPage('docs/rancher.md');
const nodes = ['node-00', 'node-01', 'node-02'] as const;

/**
 * The commands of docs/rancher.md, as they stand there, for its inventory. Its charts come from a repository of this test, which
 * has others in the places of those of Rancher and cert-manager, whose images are in no bundle: nothing issues a certificate.
 */
describe.runIf(whole)('an HA Rancher from four machines', () => {
  let project: Project;
  let server: ChartServer;
  let run: PageShell;

  beforeAll(async () => {
    server = await serveCharts();
    project = await makeProject('e2e-rancher', '');
    const from = (name: string) => `chart: ${name}, repository: "https://${server.host}", version: 1.0.0`;
    const text = await readFile(join(root, 'inventories/rancher.yaml'), 'utf8');
    const here = text
      .replace('cluster: hybrid', `cluster: e2e-rancher\nartifacts: { bundle: ${defaultBundle('1.36.3')} }`)
      .replaceAll('192.168.10.', '10.88.10.')
      .replace('ingress: {}', `ingress: { ${from('traefik')} }`)
      .replace('cert-manager: {}', `cert-manager: { ${from('cert-manager')} }`)
      .replace('rancher: { host', `rancher: { ${from('rancher')}, host`);
    await mkdir(join(project.folder, 'inventories'));
    await project.write('inventories/rancher.yaml', here);
    await project.write('charts.pem', server.certificate);
    await serve(['traefik', 'cert-manager', 'rancher']);
    await project.kbs('lab up -i inventories/rancher.yaml');
    run = await pageShell(project, {
      KUBECONFIG: join(project.folder, 'kubeconfig'),
      NODE_EXTRA_CA_CERTS: join(project.folder, 'charts.pem'),
      XDG_CACHE_HOME: join(project.folder, 'cache'),
    });
  });
  afterAll(async () => {
    await project?.remove();
    await server?.close();
  });

  const serve = async (names: readonly string[]): Promise<void> => {
    const charts = await Promise.all(names.map((name) => readChart(join(root, 'test/e2e/charts', name))));
    const entries = charts.map(({ name, version, sha256: digest, tgz }) => {
      server.paths.set(`/${name}.tgz`, content(tgz));
      return [name, [{ name, version, digest, urls: [`${name}.tgz`] }]] as const;
    });
    server.paths.set(
      '/index.yaml',
      content(JSON.stringify({ apiVersion: 'v1', entries: Object.fromEntries(entries) })),
    );
  };

  test('comes from the commands of its page', async () => {
    const told = new Map<string, string>();
    for (const command of page.commands) {
      const [, name = ''] = /^(kbs (?:bundle |addons )?\S+|kubectl|curl)/.exec(command) ?? [];
      // The bundle is what the lab is made of.
      if (name === 'kbs bundle build') continue;
      if (name === 'kubectl') await withKubectl(project, 'node-00');
      const exits: Readonly<Record<string, number>> = { 'kbs what-if': 10, 'kbs plan': 10, 'kbs verify': 8 };
      told.set(name, await run(name === 'kbs apply' ? `${command} --yes` : command, exits[name]));
    }
    expect([...told.keys()]).toEqual([
      'kbs what-if',
      'kbs plan',
      'kbs apply',
      'kbs verify',
      'kbs addons ca',
      'kbs addons open',
      'kbs kubeconfig',
      'kubectl',
    ]);
    expect(told.get('kbs what-if')).toMatch(/lb-00/);
    expect(told.get('kbs addons open')).toBe('https://rancher.hybrid.internal');
    expect(told.get('kubectl')).toMatch(/^\w{20}$/);
    expect(await run('kbs plan -i inventories/rancher.yaml')).toMatch(/nothing to change/);
  });

  test('is proven but for the certificates that nothing issues here', async () => {
    const { findings } = await project.json<{ findings: readonly CheckResult[] }>(
      'verify -i inventories/rancher.yaml',
      8,
    );
    expect(findings.filter(({ ok }) => !ok).map(({ proof }) => proof)).toEqual(['certificates']);
    expect(findings.filter(({ proof }) => proof === 'web interface').map(({ name }) => name)).toEqual(['rancher']);
  });

  test('answers under its name, resolved by the LAN’s DNS, with what its page has machines import', async () => {
    const ca = await readFile(join(project.folder, 'lan-ca.pem'), 'utf8');
    const client = { servers: ['10.88.10.3'], ca, patience: 5_000 };
    expect(await ask('https://rancher.hybrid.internal/ping', client)).toBe('OK');
  });

  test('has needed no registry', async () => {
    expect(await pulledImages(project, nodes)).toEqual([]);
  });
});

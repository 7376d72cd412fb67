import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CheckResult } from '../../src/verify/check-result.js';
import { certManagerAddon, provideCertManager } from './support/cert-manager.js';
import { makeProject, type Project } from './support/project.js';
import { pulledImages } from './support/pulls.js';
import { ask } from './support/web-client.js';
import { whole } from './support/whole.js';

const inventory = `apiVersion: kbs/v1
cluster: e2e-platform
kubernetes: { version: 1.36.3 }
network:
  segments:
    office: { cidr: 10.99.10.0/24, gateway: 10.99.10.1 }
    rack: { cidr: 10.99.20.0/24, gateway: 10.99.20.1 }
endpoint: { name: api.lan.internal, vip: 10.99.10.5, ingress: true }
dns: { zone: lan.internal }
artifacts: { bundle: ./bundle }
ssh: { user: root }
addons:
  storage: {}
  metrics-server: {}
  load-balancer-services: { pool: 10.99.20.200-10.99.20.210 }
  ingress: { chart: ./traefik }
  monitoring: { chart: ./kube-prometheus-stack, images: bundle }
  cert-manager: ${certManagerAddon}
  dashboard: { chart: ./headlamp, host: dashboard.lan.internal }
hosts:
  lb-00: { address: 10.99.10.3, roles: [load-balancer, dns] }
  lb-01: { address: 10.99.10.4, roles: [load-balancer, dns] }
  controller-00: { address: 10.99.10.10, roles: [control-plane] }
  controller-01: { address: 10.99.10.11, roles: [control-plane] }
  controller-02: { address: 10.99.20.12, roles: [control-plane] }
  worker-00: { address: 10.99.10.20, roles: [worker] }
  worker-01: { address: 10.99.20.20, roles: [worker] }
`;

const nodes = ['controller-00', 'controller-01', 'controller-02', 'worker-00', 'worker-01'] as const;

/**
 * `npm run test:addons`: everything that add-ons need of a cluster at once. Single add-ons are tested in smaller ones. What
 * answers as the dashboard is another program, behind the names that Headlamp's chart has.
 */
describe.runIf(whole)('a highly available cluster with add-ons', () => {
  let project: Project;

  beforeAll(async () => {
    project = await makeProject('e2e-platform', inventory);
    for (const chart of ['traefik', 'kube-prometheus-stack', 'headlamp']) await project.addChart(chart);
    await provideCertManager(project);
    await project.kbs('lab up');
  });
  afterAll(() => project?.remove());

  test('comes from bare hosts by one apply', async () => {
    await project.kbs('apply --yes');
    const { stdout } = await project.kbs('apply --yes');
    expect(stdout).toBe('nothing to change: 7 hosts are as the inventory says\n');
  });

  test('is proven, each add-on by what it is for', async () => {
    const { findings } = await project.json<{ findings: readonly CheckResult[] }>('verify');
    expect(findings.filter(({ ok }) => !ok)).toEqual([]);
    const proofs = new Set(findings.map(({ proof }) => proof));
    for (const proof of [
      'storage',
      'metrics',
      'Service from LAN',
      'Ingress from LAN',
      'metrics targets',
      'certificates',
      'web interface',
    ])
      expect(proofs).toContain(proof);
  });

  test('has a dashboard under its name, and tokens for it that may look and nothing else', async () => {
    const { stdout } = await project.kbs('addons open dashboard');
    const [url = '', token = ''] = stdout.trim().split('\n');
    expect(url).toBe('https://dashboard.lan.internal');
    const ca = (await project.kbs('addons ca')).stdout;
    expect(await ask(url, { servers: ['10.99.10.3', '10.99.10.4'], ca, patience: 5_000 })).toContain('<html');
    // Without a kubeconfig, whose client certificate would count.
    const asViewer = `kubectl --kubeconfig /dev/null --server https://127.0.0.1:6443 --certificate-authority /etc/kubernetes/pki/ca.crt --token ${token}`;
    const may = async (words: string) =>
      (await project.on('controller-00', `${asViewer} auth can-i ${words} || :`)).trim();
    expect(await may('list pods --all-namespaces')).toBe('yes');
    expect(await may('get secrets --all-namespaces')).toBe('no');
    expect(await may('delete pods --all-namespaces')).toBe('no');
  });

  test('has needed no registry', async () => {
    expect(await pulledImages(project, nodes)).toEqual([]);
  });
});

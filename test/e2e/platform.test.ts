import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CheckResult } from '../../src/verify/check-result.js';
import { makeProject, type Project } from './support/project.js';
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
ssh: { user: root }
addons:
  storage: {}
  metrics-server: {}
  load-balancer-services: { pool: 10.99.20.200-10.99.20.210 }
  ingress: { chart: ./traefik }
  monitoring: { chart: ./kube-prometheus-stack, images: bundle }
hosts:
  lb-00: { address: 10.99.10.3, roles: [load-balancer, dns] }
  lb-01: { address: 10.99.10.4, roles: [load-balancer, dns] }
  controller-00: { address: 10.99.10.10, roles: [control-plane] }
  controller-01: { address: 10.99.10.11, roles: [control-plane] }
  controller-02: { address: 10.99.20.12, roles: [control-plane] }
  worker-00: { address: 10.99.10.20, roles: [worker] }
  worker-01: { address: 10.99.20.20, roles: [worker] }
`;

/** `npm run test:addons`: everything that add-ons need of a cluster at once. Single add-ons are tested in smaller ones. */
describe.runIf(whole)('a highly available cluster with add-ons', () => {
  let project: Project;

  beforeAll(async () => {
    project = await makeProject('e2e-platform', inventory);
    for (const chart of ['traefik', 'kube-prometheus-stack']) await project.addChart(chart);
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
    for (const proof of ['storage', 'metrics', 'Service from LAN', 'Ingress from LAN', 'metrics targets'])
      expect(proofs).toContain(proof);
  });
});

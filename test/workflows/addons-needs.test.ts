import { expect, it } from 'vitest';
import type { Failures } from '../../src/failure.js';
import type { Cluster } from '../../src/inventory/cluster.js';
import { requireNeeds } from '../../src/workflows/addons/needs.js';

const text = 'addons:\n  metrics-server: {}\n';
const withVersion = (version: string): Pick<Cluster, 'addons' | 'kubernetes'> => ({
  addons: [{ is: 'metrics-server', name: 'metrics-server', values: {}, adopt: false, timeoutSeconds: 300 }],
  kubernetes: { version } as Cluster['kubernetes'],
});

it.each(['1.31.0', '1.36.3', '2.0.0'])('an add-on for Kubernetes 1.31 and newer is taken with %s', (version) => {
  expect(() => requireNeeds(withVersion(version), text, 'cluster.yaml')).not.toThrow();
});

it('an add-on whose chart refuses a newer Kubernetes is refused where it is written', () => {
  const settings = { values: {}, adopt: false, timeoutSeconds: 300 };
  const addons = [
    { ...settings, is: 'ingress', name: 'ingress' },
    { ...settings, is: 'cert-manager', name: 'cert-manager' },
    { ...settings, is: 'rancher', name: 'rancher', host: 'rancher.example.com', replicas: 3 },
  ] as const;
  const written = 'addons:\n  ingress: {}\n  cert-manager: {}\n  rancher: {}\n';
  const check = (version: string) => () => requireNeeds({ ...withVersion(version), addons }, written, 'cluster.yaml');
  expect(check('1.36.9')).not.toThrow();
  expect(check('1.37.0')).toThrow('addons.rancher is for Kubernetes older than 1.37, and the inventory has 1.37.0');
});

it('an add-on for a newer Kubernetes is refused where it is written', () => {
  let thrown: unknown;
  try {
    requireNeeds(withVersion('1.30.9'), text, 'cluster.yaml');
  } catch (error) {
    thrown = error;
  }
  expect((thrown as Failures).failures).toMatchObject([
    {
      code: 'inventory',
      message: 'addons.metrics-server: needs Kubernetes 1.31 or newer, and the inventory has 1.30.9',
      where: { position: 'cluster.yaml:2:3' },
    },
  ]);
});

import { parseInventory } from '../../src/inventory/load.js';
import type { Inventory } from '../../src/inventory/schema/schema.js';
import { toYaml } from '../../src/templates/yaml.js';

export const versions = ['1.36.3'];

/** An inventory of two segments as plain data; what `overrides` names is replaced whole. */
export const plainInventory = (overrides: object = {}): Record<string, unknown> => ({
  apiVersion: 'kbs/v1',
  cluster: 'hybrid',
  kubernetes: { version: '1.36.3' },
  network: {
    pods: '10.244.0.0/16',
    services: '10.254.0.0/16',
    segments: {
      office: { cidr: '192.168.10.0/24', gateway: '192.168.10.1' },
      rack: { cidr: '192.168.20.0/24', gateway: '192.168.20.1', mtu: 9000 },
    },
  },
  hosts: {
    'controller-00': { address: '192.168.10.10', roles: ['control-plane'] },
    'worker-00': { address: '192.168.20.20', roles: ['worker'] },
    edge: {
      roles: ['router'],
      address: '192.168.10.1',
      addresses: { office: '192.168.10.1', rack: '192.168.20.1' },
    },
  },
  ...overrides,
});

/** The same, read as if it had been a file. */
export const inventoryOf = (overrides: object = {}): Inventory =>
  parseInventory(toYaml(plainInventory(overrides)), 'kbs.yaml', versions);

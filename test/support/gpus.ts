import type { NvidiaFacts } from '../../src/hosts/facts/facts.js';
import type { ClusterHost } from '../../src/inventory/cluster.js';
import { hostOf } from './cluster.js';

/** A machine on which nothing is in the way of NVIDIA's driver, which is not installed. */
export const noDriver: NvidiaFacts = {
  signed: false,
  nouveau: false,
  secureBoot: 'off',
  headers: true,
  silent: false,
  packages: [],
};

/** The same with the driver: loaded, and its libraries. */
export const nvidiaDriver: NvidiaFacts = { ...noDriver, loaded: '570.124.06', library: '570.124.06' };

/** A worker whose GPUs are NVIDIA's. */
export const gpuHost = (host: Partial<ClusterHost> = {}): ClusterHost =>
  hostOf({
    name: 'worker-gpu-00',
    address: '192.168.20.20',
    segment: 'rack',
    podCidr: '10.244.65.0/24',
    gpu: 'nvidia',
    nvidia: { driver: 'host' },
    ...host,
  });

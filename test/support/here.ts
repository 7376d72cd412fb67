import type { Host } from '../../src/hosts/host.js';
import { openPool } from '../../src/hosts/pool.js';

/** This machine as a host, over the local transport: a real shell. */
export const here = (name = 'here'): Host =>
  openPool().host({
    name,
    ssh: { transport: 'local', address: '127.0.0.1', port: 22, user: 'root', become: 'none', keys: [], knownHosts: '' },
  });

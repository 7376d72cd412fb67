import { describe } from 'vitest';
import { openPool } from '../../src/hosts/pool.js';
import { startSshd } from '../support/sshd.js';
import { hostContract } from './contract.js';

hostContract('the local transport', async () => {
  const pool = openPool();
  const ssh = {
    transport: 'local',
    address: '127.0.0.1',
    port: 22,
    user: 'root',
    become: 'none',
    keys: [],
    knownHosts: '/nonexistent/known_hosts',
  } as const;
  return { host: pool.host({ name: 'here', ssh }), close: () => pool.close() };
});

describe.each([
  ['SSH', 'ssh'],
  ['the ssh of this machine', 'openssh'],
] as const)('over a network', (name, transport) => {
  hostContract(name, async () => {
    const sshd = await startSshd();
    const pool = openPool({ agent: '' });
    return {
      host: pool.host({ name: 'there', ssh: sshd.settings({ transport }) }),
      cut: sshd.cut,
      async close() {
        await pool.close();
        await sshd.stop();
      },
    };
  });
});

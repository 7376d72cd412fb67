import { access } from 'node:fs/promises';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { knownVersions } from '../artifacts/catalogue.js';
import { defined } from '../defined.js';
import { Failure } from '../failure.js';
import { type Facts, parseFacts } from '../hosts/facts/facts.js';
import { factsScript } from '../hosts/facts/script.js';
import { query } from '../hosts/host.js';
import { openPool } from '../hosts/pool.js';
import { networkOf } from '../inventory/addresses.js';
import { toYaml } from '../templates/yaml.js';

/**
 * The text of an inventory with this machine as the only host, control plane and worker, over the local transport;
 * undefined where the file exists.
 */
export const detectedInventory = async (file: string): Promise<string | undefined> => {
  const exists = await access(resolve(file)).then(
    () => true,
    () => false,
  );
  return exists ? undefined : describe(await factsOfThisMachine(), hostname());
};

const factsOfThisMachine = async (): Promise<Facts> => {
  const pool = openPool();
  try {
    const local = {
      transport: 'local',
      address: '127.0.0.1',
      port: 22,
      user: '',
      become: 'none',
      keys: [],
      knownHosts: '',
    } as const;
    const output = await pool.host({ name: hostname(), ssh: local }).query(query(factsScript));
    return parseFacts(output.stdout);
  } finally {
    await pool.close();
  }
};

/** An inventory of one machine. Its address is that of the interface towards the default gateway. */
export const describe = (facts: Facts, name: string): string => {
  const route = facts.routes.find(({ to, via }) => to === 'default' && via !== undefined);
  const address = addressTowards(facts, route?.device) ?? facts.addresses[0];
  if (address === undefined) {
    throw new Failure('preflight', 'this machine has no IPv4 address that other machines could reach', {
      next: 'give it one, or write an inventory: kbs inventory init',
    });
  }
  const [ip = ''] = address.split('/');
  const cluster = name.split('.')[0]?.toLowerCase() ?? 'cluster';
  return `# Written by kbs init, which found this machine's address, segment and gateway.
${toYaml({
  apiVersion: 'kbs/v1',
  cluster,
  kubernetes: { version: knownVersions()[0] },
  network: {
    segments: { lan: { cidr: networkOf(address), ...defined({ gateway: route?.via }) } },
  },
  hosts: { [cluster]: { address: ip, roles: ['control-plane', 'worker'], ssh: { transport: 'local' } } },
})}`;
};

/** The address of the interface that leads to the gateway, by the connected route that names the same device. */
const addressTowards = (facts: Facts, device: string | undefined): string | undefined => {
  const connected = facts.routes.find((route) => route.device === device && route.via === undefined);
  return facts.addresses.find((address) => connected !== undefined && networkOf(address) === connected.to);
};

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { issue, systemRandomness } from '../../src/pki/authority.js';
import { Secret } from '../../src/secret.js';
import { dealtRandomness } from '../pki/keys.js';

export const endpoints = ['https://192.168.60.20:2379', 'https://etcd-01.lan:2379'] as const;

/** An inventory of two control planes whose etcd is external, by the files of `writeEtcdFiles`. */
export const externalInventory = (controlPlane: 'static-pods' | 'systemd' = 'static-pods') => `apiVersion: kbs/v1
cluster: outside
kubernetes:
  version: 1.36.3
  controlPlane: ${controlPlane}
  etcd:
    external:
      endpoints: [${endpoints.join(', ')}]
      ca: etcd/ca.crt
      cert: etcd/client.crt
      key: etcd/client.key
network:
  segments:
    lan: { cidr: 192.168.60.0/24, gateway: 192.168.60.1 }
endpoint: { external: true, name: api.lan }
hosts:
  cp-0: { address: 192.168.60.10, roles: [control-plane] }
  cp-1: { address: 192.168.60.11, roles: [control-plane, worker] }
`;

/**
 * Writes an authority, and certificates with their keys of a client and of a server at that address, into a folder; gives
 * the texts of the first two.
 */
export const writeEtcdFiles = async (folder: string, address = '192.168.60.20') => {
  const keys = await dealtRandomness(3);
  const [authority, client, server] = await Promise.all([keys.keyPair(), keys.keyPair(), keys.keyPair()]);
  const wanted = { path: 'etcd/ca', issuer: 'etcd/ca', usages: [], names: [], days: 30 } as const;
  const signing = { now: new Date(), randomness: systemRandomness, signingKey: authority.privateKey };
  const ca = issue({
    ...signing,
    wanted: { ...wanted, subject: { commonName: 'their etcd' } },
    publicKey: authority.publicKey,
  });
  const certificate = issue({
    ...signing,
    wanted: { ...wanted, path: 'client', usages: ['client'], subject: { commonName: 'kbs' } },
    publicKey: client.publicKey,
    issuer: ca,
  });
  const ofServer = issue({
    ...signing,
    wanted: { ...wanted, path: 'server', usages: ['server'], subject: { commonName: 'etcd' }, names: [address] },
    publicKey: server.publicKey,
    issuer: ca,
  });
  const key = client.privateKey.reveal();
  writeFileSync(join(folder, 'ca.crt'), ca);
  writeFileSync(join(folder, 'client.crt'), certificate);
  writeFileSync(join(folder, 'client.key'), key);
  writeFileSync(join(folder, 'server.crt'), ofServer);
  writeFileSync(join(folder, 'server.key'), server.privateKey.reveal());
  return { ca, certificate, key: new Secret(key), other: authority.privateKey };
};

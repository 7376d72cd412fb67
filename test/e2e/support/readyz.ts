import { request } from 'node:https';
import type { LookupFunction } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';

export interface Readiness {
  readonly status: number | undefined;
  readonly text: string;
}

/**
 * What the API server that a kubeconfig names says of itself, over a connection of its own. `address`: where its name
 * leads, on a machine whose resolver has never heard of it.
 */
export const readyz = (kubeconfig: string, address?: string): Promise<Readiness> => {
  // The shape is that of every kubeconfig; the test fails on any other.
  const { clusters, users } = parse(kubeconfig) as {
    clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }];
    users: [{ user: { 'client-certificate-data': string; 'client-key-data': string } }];
  };
  const decoded = (base64: string) => Buffer.from(base64, 'base64').toString();
  const { cluster } = clusters[0];
  const { user } = users[0];
  return new Promise((resolve, reject) => {
    const asking = request(
      `${cluster.server}/readyz`,
      {
        ca: decoded(cluster['certificate-authority-data']),
        cert: decoded(user['client-certificate-data']),
        key: decoded(user['client-key-data']),
        agent: false,
        timeout: 5000,
        ...(address === undefined ? {} : { lookup: leadsTo(address) }),
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece) => (text += piece));
        response.on('end', () => resolve({ status: response.statusCode, text }));
      },
    );
    asking.on('timeout', () => asking.destroy(new Error('no answer after 5 s')));
    asking.on('error', reject).end();
  });
};

const leadsTo =
  (address: string): LookupFunction =>
  (_name, options, found) =>
    options.all ? found(null, [{ address, family: 4 }]) : found(null, address, 4);

/** Asks again until it is so; the last failure is thrown once a minute and a half is over. */
export const eventually = async (so: () => Promise<void>): Promise<void> => {
  const begun = Date.now();
  for (;;) {
    try {
      await so();
      return;
    } catch (error) {
      if (Date.now() - begun > 90_000) throw error;
      await sleep(500);
    }
  }
};

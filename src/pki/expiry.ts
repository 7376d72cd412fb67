import { defined } from '../defined.js';
import type { Cluster } from '../inventory/cluster.js';
import { Secret } from '../secret.js';
import { daysLeft, parseCertificate } from './certificate.js';
import { certificatesOf } from './certificates.js';
import { readKeyringFiles } from './keyring-files.js';

/** The expiry of each certificate in a keyring, soonest first; without those that are not issued yet or unreadable. */
export const expiries = async (directory: string, cluster: Cluster, now: Date): Promise<readonly Expiry[]> => {
  const files = await readKeyringFiles(directory);
  return certificatesOf(cluster)
    .flatMap(({ path, host }) => {
      const text = files.get(`${path}.crt`);
      const certificate = text instanceof Secret ? parseCertificate(text.reveal()) : undefined;
      if (certificate === undefined) return [];
      const notAfter = new Date(certificate.validTo);
      return [{ path, ...defined({ host }), notAfter, daysLeft: daysLeft(certificate, now) }];
    })
    .sort((a, b) => a.notAfter.getTime() - b.notAfter.getTime());
};

export interface Expiry {
  /** Path in the keyring, without suffix. */
  readonly path: string;
  /** Absent where all hosts share the certificate. */
  readonly host?: string;
  readonly notAfter: Date;
  /** Whole days; negative once it has expired. */
  readonly daysLeft: number;
}

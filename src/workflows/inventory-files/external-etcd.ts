import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Failure, Failures } from '../../failure.js';
import { messageOf } from '../../hosts/message.js';
import type { ExternalEtcd } from '../../inventory/cluster.js';
import { inventoryError } from '../../inventory/inventory-error.js';
import type { Inventory } from '../../inventory/schema/schema.js';
import { Secret } from '../../secret.js';
import { inventoryFailure } from '../inventory-failure.js';
import { certificatesIn } from './pem-certificates.js';

export interface ExternalEtcdFiles {
  /** What the cluster holds of them. */
  readonly public: Omit<ExternalEtcd, 'endpoints'>;
  /** PEM, for the credentials. */
  readonly key: Secret;
}

/**
 * What the files hold that `kubernetes.etcd.external` names; undefined where the inventory has no such etcd. `path` makes
 * a path of the inventory absolute. Throws a Failure for every file that cannot be read or does not hold what it should,
 * at its place in the inventory; `file` is the inventory as the operator named it, and `text` what it says.
 */
export const readExternalEtcdFiles = (
  { kubernetes: { etcd } }: Pick<Inventory, 'kubernetes'>,
  path: (written: string) => string,
  text: string,
  file: string,
): ExternalEtcdFiles | undefined => {
  const external = etcd?.external;
  if (external === undefined) return undefined;
  const failures: Failure[] = [];
  const read = <T>(field: 'ca' | 'cert' | 'key', parse: (content: string) => T): T | undefined => {
    const at = path(external[field]);
    try {
      return parse(contentOf(at));
    } catch (error) {
      const problem = error instanceof Mistake ? `${at} ${error.message}` : `cannot read ${at}: ${messageOf(error)}`;
      const place = inventoryError(['kubernetes', 'etcd', 'external', field], problem);
      failures.push(inventoryFailure(place, text, file));
      return undefined;
    }
  };
  const ca = read('ca', readCertificates);
  const certificate = read('cert', readCertificates);
  const key = read('key', (content) => keyIn(content, certificate));
  if (failures.length > 0) throw new Failures(failures);
  return ca === undefined || certificate === undefined || key === undefined
    ? undefined
    : { public: { ca, certificate }, key };
};

/** What is wrong with what a file holds. Its text is nothing that the file says: that may be a key. */
class Mistake extends Error {}

const contentOf = (path: string): string => readFileSync(path, 'utf8');

/** All of them: those between a certificate and its authority are in the same file. */
const readCertificates = (content: string): string => {
  const pem = parsed(() => certificatesIn(content), 'holds a certificate that cannot be read');
  if (pem === '') throw new Mistake('holds no PEM certificate');
  return pem;
};

/** API servers are asked no passphrase. */
const keyIn = (content: string, certificate: string | undefined): Secret => {
  const [block] = content.match(/-----BEGIN ([A-Z ]*)PRIVATE KEY-----[\s\S]+?-----END \1PRIVATE KEY-----/) ?? [];
  if (block === undefined) throw new Mistake('holds no private key in PEM');
  if (/ENCRYPTED/.test(block)) throw new Mistake('has a passphrase; write the key without one');
  const key = parsed(() => createPrivateKey(block), 'holds a private key that cannot be read');
  if (certificate !== undefined && !new X509Certificate(certificate).checkPrivateKey(key)) {
    throw new Mistake('is not the key of `cert`');
  }
  return new Secret(`${block.trim()}\n`);
};

const parsed = <T>(parse: () => T, otherwise: string): T => {
  try {
    return parse();
  } catch {
    throw new Mistake(otherwise);
  }
};

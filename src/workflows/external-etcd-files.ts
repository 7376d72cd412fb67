import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Failure, Failures } from '../failure.js';
import { messageOf } from '../hosts/message.js';
import type { ExternalEtcd } from '../inventory/cluster.js';
import { inventoryError } from '../inventory/inventory-error.js';
import type { Inventory } from '../inventory/schema/schema.js';
import { readSource } from '../inventory/source.js';
import { Secret } from '../secret.js';

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
): Omit<ExternalEtcd, 'endpoints'> | undefined => {
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
      const { line, column, message } = readSource(text).locate(place);
      failures.push(new Failure('inventory', message, { where: { position: `${file}:${line}:${column}` } }));
      return undefined;
    }
  };
  const ca = read('ca', certificatesIn);
  const certificate = read('cert', certificatesIn);
  const key = read('key', (content) => keyIn(content, certificate));
  if (failures.length > 0) throw new Failures(failures);
  return ca === undefined || certificate === undefined || key === undefined ? undefined : { ca, certificate, key };
};

/** What is wrong with what a file holds. Its text is nothing that the file says: that may be a key. */
class Mistake extends Error {}

const contentOf = (path: string): string => readFileSync(path, 'utf8');

/** All of them: those between a certificate and its authority are in the same file. What stands around them is left out. */
const certificatesIn = (content: string): string => {
  const blocks = content.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new Mistake('holds no PEM certificate');
  try {
    return blocks.map((block) => new X509Certificate(block).toString()).join('');
  } catch {
    throw new Mistake('holds a certificate that cannot be read');
  }
};

/** API servers are asked no passphrase. */
const keyIn = (content: string, certificate: string | undefined): Secret => {
  const [block] = content.match(/-----BEGIN ([A-Z ]*)PRIVATE KEY-----[\s\S]+?-----END \1PRIVATE KEY-----/) ?? [];
  if (block === undefined) throw new Mistake('holds no private key in PEM');
  if (/ENCRYPTED/.test(block)) throw new Mistake('has a passphrase; write the key without one');
  const key = readKey(block);
  if (certificate !== undefined && !new X509Certificate(certificate).checkPrivateKey(key)) {
    throw new Mistake('is not the key of `cert`');
  }
  return new Secret(`${block.trim()}\n`);
};

const readKey = (block: string) => {
  try {
    return createPrivateKey(block);
  } catch {
    throw new Mistake('holds a private key that cannot be read');
  }
};

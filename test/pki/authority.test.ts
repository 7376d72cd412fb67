import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificatesOf, isAuthority } from '../../src/pki/certificates.js';
import { ensureKeyring } from '../../src/pki/keyring.js';
import { clusterOf } from '../support/cluster.js';
import { dealtRandomness } from './keys.js';

const cluster = clusterOf({
  endpoint: { host: 'api.hybrid.internal', port: 6443, name: 'api.hybrid.internal', vip: '192.168.10.5' },
});
const certificates = certificatesOf(cluster);
const leaves = certificates.filter((certificate) => !isAuthority(certificate));
let directory = '';

const openssl = async (...args: readonly string[]): Promise<string> =>
  (await promisify(execFile)('openssl', args, { cwd: directory })).stdout.trim();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kbs-authority-'));
  await ensureKeyring(directory, cluster, new Date(), await dealtRandomness(23));
}, 60_000);

afterAll(() => rm(directory, { recursive: true, force: true }));

describe('a certificate, as openssl reads it', () => {
  it.each(certificates)('$path is signed by its authority, by the strict rules of RFC 5280', async (certificate) => {
    const { path, issuer } = certificate;
    expect(await openssl('verify', '-x509_strict', '-CAfile', `${issuer}.crt`, `${path}.crt`)).toBe(`${path}.crt: OK`);
  });

  it.each(leaves)('$path has the usages of its row and no other', async ({ path, issuer, usages }) => {
    for (const usage of ['server', 'client'] as const) {
      const args = ['verify', '-x509_strict', '-purpose', `ssl${usage}`, '-CAfile', `${issuer}.crt`, `${path}.crt`];
      if (usages.includes(usage)) await expect(openssl(...args)).resolves.toBe(`${path}.crt: OK`);
      else
        await expect(openssl(...args)).rejects.toThrow(
          /unsuitable certificate purpose|unsupported certificate purpose/,
        );
    }
  });

  it.each(certificates)('$path belongs to the key beside it', async ({ path }) => {
    const ofCertificate = await openssl('x509', '-in', `${path}.crt`, '-noout', '-pubkey');
    expect(await openssl('pkey', '-in', `${path}.key`, '-pubout')).toBe(ofCertificate);
  });

  it.each(leaves)('$path names its subject', async ({ path, subject }) => {
    const line = await openssl('x509', '-in', `${path}.crt`, '-noout', '-subject', '-nameopt', 'RFC2253,-dn_rev');
    const organization = subject.organization === undefined ? '' : `O=${subject.organization},`;
    expect(line).toBe(`subject=${organization}CN=${subject.commonName}`);
  });

  it.each(certificates)('$path has a positive serial, SHA-256 and critical constraints', async ({ path }) => {
    const text = await openssl('x509', '-in', `${path}.crt`, '-noout', '-text');
    expect(text).toMatch(/Serial Number:\s+[4-7][0-9a-f](:[0-9a-f]{2}){15}\n/);
    expect(text).toContain('Signature Algorithm: sha256WithRSAEncryption');
    expect(text).toContain('X509v3 Basic Constraints: critical');
    expect(text).toContain('X509v3 Key Usage: critical');
  });

  it('carries DNS names and addresses of both families', async () => {
    const text = await openssl('x509', '-in', 'hosts/controller-00/etcd/server.crt', '-noout', '-text');
    expect(text).toContain(
      'DNS:controller-00, DNS:localhost, IP Address:127.0.0.1, IP Address:192.168.10.10, IP Address:0:0:0:0:0:0:0:1',
    );
  });

  it('points at its authority by the identifier of the authority, not by its own', async () => {
    const identifier = async (path: string, extension: string): Promise<string | undefined> =>
      (await openssl('x509', '-in', `${path}.crt`, '-noout', '-ext', extension)).split('\n').at(1)?.trim();
    const authority = await identifier('ca', 'subjectKeyIdentifier');
    expect(await identifier('scheduler', 'authorityKeyIdentifier')).toBe(authority);
    expect(await identifier('scheduler', 'subjectKeyIdentifier')).not.toBe(authority);
  });

  it('lasts a year, an authority ten, from a little before now', async () => {
    const dates = async (path: string): Promise<readonly number[]> =>
      (await openssl('x509', '-in', `${path}.crt`, '-noout', '-dates'))
        .split('\n')
        .map((line) => Date.parse(line.slice(line.indexOf('=') + 1)));
    const span = async (path: string): Promise<number> => {
      const [from = 0, to = 0] = await dates(path);
      return (to - from) / 60_000;
    };
    expect(await span('admin')).toBe(365 * 24 * 60 + 5);
    expect(await span('ca')).toBe(3650 * 24 * 60 + 5);
  });
});

it('the service account key pair is one pair', async () => {
  expect(await openssl('pkey', '-in', 'sa.key', '-pubout')).toBe(await openssl('pkey', '-pubin', '-in', 'sa.pub'));
});

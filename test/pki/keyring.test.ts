import { X509Certificate } from 'node:crypto';
import { chmod, copyFile, cp, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Failure, Failures } from '../../src/failure.js';
import type { Cluster } from '../../src/inventory/cluster.js';
import type { Randomness } from '../../src/pki/authority.js';
import { certificatesOf, isAuthority } from '../../src/pki/certificates.js';
import { expiries } from '../../src/pki/expiry.js';
import { ensureKeyring, keyringDirectory, readIngressCa, readKeyring } from '../../src/pki/keyring.js';
import { placeholderCredentials } from '../../src/pki/placeholder.js';
import { reveal, Secret } from '../../src/secret.js';
import { clusterOf, hostOf } from '../support/cluster.js';
import { memoryFolder } from '../support/memory-folder.js';
import { dealtRandomness } from './keys.js';
import { changedFiles, treeOf } from './tree.js';

const cluster = clusterOf();
const now = new Date('2026-06-01T12:00:00Z');
const later = (days: number): Date => new Date(now.getTime() + days * 24 * 60 * 60 * 1000);

let randomness: Randomness;
let scratch = '';
/** A whole keyring that no test changes, and the copy that the test at hand may. */
let whole = '';
let ring = '';
let copies = 0;

const file = (path: string): string => join(ring, path);
const copy = async (from: string, to: string): Promise<void> => {
  for (const suffix of ['crt', 'key']) await copyFile(file(`${from}.${suffix}`), file(`${to}.${suffix}`));
};
const ensure = (of: Cluster = cluster, at: Date = now) => ensureKeyring(ring, of, at, randomness);

beforeAll(async () => {
  randomness = await dealtRandomness(23);
  scratch = await mkdtemp(join(memoryFolder(), 'kbs-keyring-'));
  whole = join(scratch, 'whole');
  await ensureKeyring(whole, cluster, now, randomness);
}, 60_000);

beforeEach(async () => {
  ring = join(scratch, `ring-${copies++}`);
  await cp(whole, ring, { recursive: true, preserveTimestamps: true });
});

afterAll(() => rm(scratch, { recursive: true, force: true }));

describe('a whole keyring', () => {
  it('is left as it is by a second run', async () => {
    const before = await treeOf(ring);
    await ensure();
    expect(await treeOf(ring)).toEqual(before);
  });

  it('gives the same credentials when it is only read, and lacks nothing', async () => {
    const { credentials, missing } = await readKeyring(ring, cluster, now);
    const ensured = await ensure();
    expect(missing).toEqual([]);
    for (const { name } of cluster.hosts.slice(0, 3)) {
      expect(textsOf(credentials, name)).toEqual(textsOf(ensured, name));
      expect(textsOf(credentials, name)).not.toMatch(/\((certificate|private key|public key|encryption key)/);
    }
  });

  it('names its cluster by the fingerprint of its CA, and lacks no root', async () => {
    const { fingerprint256 } = new X509Certificate(await readFile(file('ca.crt')));
    const { identity } = await readKeyring(ring, cluster, now);
    expect(identity).toEqual({ ca: fingerprint256.replaceAll(':', '').toLowerCase(), missing: [] });
  });

  it('is readable by its owner only', async () => {
    const modes = Object.entries(await treeOf(ring)).map(([path, facts]) => [path, facts.split(' ')[0]] as const);
    for (const [path, mode] of modes) expect([path, mode]).toEqual([path, /\.\w+$/.test(path) ? '600' : '700']);
    expect(modes.length).toBeGreaterThan(40);
  });

  it('is made private again where its mode was changed', async () => {
    await chmod(ring, 0o755);
    await chmod(file('hosts'), 0o777);
    await chmod(file('ca.key'), 0o644);
    const before = await readFile(file('ca.key'));
    await ensure();
    const modes = await Promise.all(['', 'hosts', 'ca.key'].map(async (path) => (await stat(file(path))).mode & 0o777));
    expect(modes).toEqual([0o700, 0o700, 0o600]);
    expect(await readFile(file('ca.key'))).toEqual(before);
  });

  it('keeps itself out of version control', async () => {
    expect(await readFile(file('.gitignore'), 'utf8')).toBe('*\n');
  });

  it('keeps what belongs to a host that the inventory no longer names', async () => {
    const before = await treeOf(ring);
    await ensure(clusterOf({ hosts: cluster.hosts.slice(0, 2) }));
    expect(await treeOf(ring)).toEqual(before);
  });
});

describe('a leaf certificate is issued anew', () => {
  interface Case {
    readonly when: string;
    readonly damage?: () => Promise<unknown>;
    readonly of?: Cluster;
    readonly at?: Date;
    /** Places in the keyring; each stands for its certificate and its key. */
    readonly anew: readonly string[];
    readonly because: RegExp;
  }
  const leaves = certificatesOf(cluster).filter((certificate) => !isAuthority(certificate));
  const cases: readonly Case[] = [
    { when: 'it is gone', damage: () => rm(file('admin.crt')), anew: ['admin'], because: /is missing/ },
    { when: 'its key is gone', damage: () => rm(file('admin.key')), anew: ['admin'], because: /has no key/ },
    {
      when: 'it is not a certificate',
      damage: () => writeFile(file('scheduler.crt'), 'nonsense'),
      anew: ['scheduler'],
      because: /is not a readable certificate/,
    },
    {
      when: 'it is half written',
      damage: async () => writeFile(file('scheduler.crt'), (await readFile(file('scheduler.crt'))).subarray(0, 300)),
      anew: ['scheduler'],
      because: /is not a readable certificate/,
    },
    {
      when: 'its key is not a key',
      damage: () => writeFile(file('scheduler.key'), ''),
      anew: ['scheduler'],
      because: /has an unreadable key/,
    },
    {
      when: 'its key belongs to another certificate',
      damage: () => copyFile(file('admin.key'), file('scheduler.key')),
      anew: ['scheduler'],
      because: /does not belong to its key/,
    },
    {
      when: 'its file cannot be read',
      damage: () => rm(file('admin.crt')).then(() => symlink('admin.crt', file('admin.crt'))),
      anew: ['admin'],
      because: /cannot be read/,
    },
    {
      when: 'another authority signed it',
      damage: () => copy('front-proxy-client', 'admin'),
      anew: ['admin'],
      because: /was issued by another authority/,
    },
    {
      when: 'it has another subject',
      damage: () => copy('scheduler', 'admin'),
      anew: ['admin'],
      because: /has another subject/,
    },
    {
      when: 'it is for another purpose',
      damage: () => copy('hosts/worker-rack-00/kubelet', 'hosts/worker-rack-00/kubelet-client'),
      anew: ['hosts/worker-rack-00/kubelet-client'],
      because: /has other usages/,
    },
    {
      when: 'its host has another address',
      of: clusterOf({
        hosts: cluster.hosts.map((h) => (h.name === 'worker-rack-00' ? { ...h, address: '192.168.20.21' } : h)),
      }),
      anew: ['hosts/worker-rack-00/kubelet'],
      because: /has other names/,
    },
    {
      when: 'the API gets a name',
      of: clusterOf({ endpoint: { host: 'api.hybrid.internal', port: 6443, name: 'api.hybrid.internal' } }),
      anew: ['hosts/controller-00/apiserver'],
      because: /has other names/,
    },
    {
      when: 'its host is new',
      of: clusterOf({
        hosts: [
          ...cluster.hosts,
          hostOf({ name: 'new', address: '192.168.20.30', segment: 'rack', podCidr: '10.244.65.0/24' }),
        ],
      }),
      anew: ['hosts/new/kubelet', 'hosts/new/kubelet-client'],
      because: /is missing/,
    },
    {
      when: 'it has 29 days left',
      at: later(335.5),
      anew: leaves.map(({ path }) => path),
      because: /expires on 2027-06-01/,
    },
    { when: 'it has expired', at: later(366), anew: leaves.map(({ path }) => path), because: /expired on 2027-06-01/ },
    { when: 'nothing is wrong, with 30 days left', at: later(335), anew: [], because: /never/ },
  ];

  it.each(cases)(
    'when $when, and nothing else is touched',
    async ({ damage, of = cluster, at = now, anew, because }) => {
      await damage?.();
      const before = await treeOf(ring);

      const { missing } = await readKeyring(ring, of, at);
      expect(missing.map((line) => line.split(' ')[0])).toEqual(expect.arrayContaining([...anew]));
      expect(missing).toHaveLength(anew.length);
      for (const line of missing) expect(line).toMatch(because);

      await ensure(of, at);
      const after = await treeOf(ring);
      const expected = anew.flatMap((path) => [`${path}.crt`, `${path}.key`]).sort();
      expect(changedFiles(before, after).filter((path) => !expected.includes(path))).toEqual([]);
      await ensure(of, at);
      expect(await treeOf(ring), 'nothing is missing any more').toEqual(after);
    },
  );

  it('but not repeatedly where its authority itself expires soon', async () => {
    const old = later(3640);
    await ensure(cluster, old);
    const before = await treeOf(ring);
    await ensure(cluster, later(3641));
    expect(await treeOf(ring)).toEqual(before);
  });
});

it('the public half of the service account key is made again from the key', async () => {
  const before = await readFile(file('sa.pub'));
  await rm(file('sa.pub'));
  await ensure();
  expect(await readFile(file('sa.pub'))).toEqual(before);
});

describe('a root is never replaced', () => {
  interface Case {
    readonly when: string;
    readonly damage: () => Promise<unknown>;
    readonly names: string;
    readonly says: RegExp;
  }
  const cases: readonly Case[] = [
    { when: 'a certificate is gone', damage: () => rm(file('ca.crt')), names: 'ca.crt', says: /is missing/ },
    { when: 'a key is gone', damage: () => rm(file('etcd/ca.key')), names: 'etcd/ca.key', says: /is missing/ },
    {
      when: 'a certificate is garbage',
      damage: () => writeFile(file('ca.crt'), 'x'),
      names: 'ca.crt',
      says: /is not a readable certificate/,
    },
    {
      when: 'a key is garbage',
      damage: () => writeFile(file('ca.key'), 'x'),
      names: 'ca.key',
      says: /is not a readable private key/,
    },
    {
      when: 'a key belongs to another certificate',
      damage: () => copyFile(file('etcd/ca.key'), file('front-proxy-ca.key')),
      names: 'front-proxy-ca.crt',
      says: /does not belong to its key/,
    },
    {
      when: 'a certificate is not an authority',
      damage: () => copy('admin', 'ca'),
      names: 'ca.crt',
      says: /is not an authority/,
    },
    {
      when: 'a file cannot be read',
      damage: () => rm(file('ca.key')).then(() => symlink('ca.key', file('ca.key'))),
      names: 'ca.key',
      says: /cannot be read/,
    },
    { when: 'the service account key is gone', damage: () => rm(file('sa.key')), names: 'sa.key', says: /is missing/ },
    {
      when: 'the encryption key is gone',
      damage: () => rm(file('encryption.key')),
      names: 'encryption.key',
      says: /is missing/,
    },
    {
      when: 'the encryption key is short',
      damage: () => writeFile(file('encryption.key'), 'c2hvcnQ='),
      names: 'encryption.key',
      says: /does not hold 32 bytes/,
    },
  ];

  it.each(cases)('when $when: the failure names the file', async ({ damage, names, says }) => {
    await damage();
    for (const act of [() => ensure(), () => readKeyring(ring, cluster, now)]) {
      const failure = await act().then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(failure).toBeInstanceOf(Failure);
      expect(failure).toMatchObject({ code: 'preflight', where: { position: file(names) } });
      expect(failure).toHaveProperty('message', expect.stringMatching(says));
      expect(failure).toHaveProperty('next', expect.stringContaining('restore it'));
    }
  });

  it('when it has expired: all of them are reported together', async () => {
    const failure = await ensure(cluster, later(3651)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Failures);
    expect(failure).toMatchObject({
      failures: ['ca.crt', 'etcd/ca.crt', 'front-proxy-ca.crt'].map((path) => ({
        message: `${path} of the keyring expired on 2036-05-29`,
        next: expect.stringContaining('manual-rotation-of-ca-certificates'),
      })),
    });
  });

  it('by reading or by a failed run, and no other file changes either', async () => {
    await rm(file('ca.crt'));
    await rm(file('admin.crt'));
    const before = await treeOf(ring);
    await ensure().catch(() => undefined);
    expect(await treeOf(ring)).toEqual(before);
  });
});

describe('a keyring that does not exist yet', () => {
  beforeEach(async () => {
    ring = join(scratch, `.kbs-${copies++}`, cluster.name, 'keyring');
  });

  it('is read without being created', async () => {
    const { credentials, missing, identity } = await readKeyring(ring, cluster, now);
    expect(identity).toEqual({ missing: ['ca', 'etcd/ca', 'front-proxy-ca', 'sa', 'encryption.key'] });
    await expect(stat(ring)).rejects.toThrow('ENOENT');
    expect(missing).toHaveLength(certificatesOf(cluster).length + 2);
    const placeholders = placeholderCredentials(cluster);
    for (const { name } of cluster.hosts.slice(0, 3))
      expect(textsOf(credentials, name)).toEqual(textsOf(placeholders, name));
  });

  it('is issued by authorities that are there beforehand', async () => {
    await mkdir(ring, { recursive: true });
    for (const path of ['ca.crt', 'ca.key']) await copyFile(join(whole, path), file(path));
    const { identity } = await readKeyring(ring, cluster, now);
    expect(identity).toEqual({
      ca: expect.stringMatching(/^[0-9a-f]{64}$/),
      missing: ['etcd/ca', 'front-proxy-ca', 'sa', 'encryption.key'],
    });
    const { clusterCa } = await ensure();
    expect(clusterCa).toBe(await readFile(join(whole, 'ca.crt'), 'utf8'));
    expect((await readKeyring(ring, cluster, now)).missing).toEqual([]);
  });

  /** Gives out that many numbers, then throws, as if the process had ended there. */
});

describe('credentials', () => {
  it('show no secret in any accidental text', async () => {
    const credentials = await ensure();
    const files = cluster.hosts.flatMap(({ name }) => credentials.files(name));
    const kubeconfig = credentials.kubeconfig('admin', 'controller-00');
    const shown = [credentials, files, kubeconfig, credentials.encryptionKey].flatMap((value) => [
      JSON.stringify(value) ?? '',
      inspect(value, { depth: null, showHidden: true }),
      `${value}`,
    ]);
    const secrets = [...files.map(({ content }) => content), kubeconfig, credentials.encryptionKey].filter(
      (content) => content instanceof Secret,
    );
    expect(secrets.length).toBeGreaterThan(10);
    for (const text of shown) {
      expect(text).not.toContain('PRIVATE KEY');
      for (const secret of secrets) expect(text).not.toContain(privatePart(secret.reveal()));
    }
  });

  it('mark exactly the private keys as secret', async () => {
    for (const { path, content } of (await ensure()).files('controller-00'))
      expect([path, content instanceof Secret]).toEqual([path, path.endsWith('.key')]);
  });
});

it('expiries are sorted, soonest first, and name the host', async () => {
  const all = await expiries(ring, cluster, later(100));
  expect(all).toHaveLength(certificatesOf(cluster).length);
  expect(all.find(({ path }) => path === 'hosts/worker-rack-00/kubelet')).toEqual({
    path: 'hosts/worker-rack-00/kubelet',
    host: 'worker-rack-00',
    notAfter: later(365),
    daysLeft: 265,
  });
  expect(all.at(-1)).toMatchObject({ notAfter: later(3650), daysLeft: 3550 });
});

it('a keyring lies beside its inventory', () => {
  expect(keyringDirectory('/home/ops/site/kbs.yaml', 'hybrid')).toBe('/home/ops/site/.kbs/hybrid/keyring');
});

/** A piece that is in no public text: a PEM key begins with its modulus, which its certificate holds too. */
const privatePart = (text: string): string =>
  text
    .match(/[A-Za-z0-9+/=]{20,}/g)
    ?.at(-1)
    ?.slice(-20) ?? text;

const textsOf = (credentials: Awaited<ReturnType<typeof ensureKeyring>>, host: string): string =>
  [
    ...credentials.files(host).map(({ path, content }) => `${path}\n${reveal(content)}`),
    credentials.kubeconfig('kubelet', host).reveal(),
    credentials.clusterCa,
    credentials.encryptionKey.reveal(),
  ].join('\n');

describe('the authority of an ingress controller', () => {
  const common = { values: {}, adopt: false, timeoutSeconds: 300 } as const;
  const addons = [{ ...common, is: 'ingress', name: 'ingress' } as const];
  const withIngress = clusterOf({ zone: 'lan.internal', addons });

  it('comes to a keyring that is in use, and certifies the names of the zone', async () => {
    const before = await readKeyring(ring, withIngress, now);
    expect(before.missing).toEqual(['ingress/ca is missing', 'ingress/default is missing']);
    expect(before.identity.missing).toEqual([]);
    const { ingress } = await ensure(withIngress);
    const certificate = new X509Certificate(ingress?.shown?.certificate ?? '');
    const authority = new X509Certificate(ingress?.ca ?? '');
    expect(certificate.verify(authority.publicKey)).toBe(true);
    expect(certificate.subjectAltName).toBe('DNS:*.apps.lan.internal');
    expect(authority.verify(new X509Certificate(await readFile(file('ca.crt'))).publicKey)).toBe(false);
    expect(await readIngressCa(ring)).toBe(ingress?.ca);
    expect((await ensure()).ingress).toBeUndefined();
  });

  it('stays when the names change, and signs a certificate with the new ones', async () => {
    const first = (await ensure(withIngress)).ingress;
    const board = { ...common, is: 'dashboard', name: 'dashboard', host: 'board.example.com' } as const;
    const second = (await ensure({ ...withIngress, addons: [...addons, board] })).ingress;
    expect(second?.ca).toBe(first?.ca);
    expect(new X509Certificate(second?.shown?.certificate ?? '').subjectAltName).toBe(
      'DNS:*.apps.lan.internal, DNS:board.example.com',
    );
  });

  it('is on no host', async () => {
    const credentials = await ensure(withIngress);
    const paths = withIngress.hosts.flatMap(({ name }) => credentials.files(name).map(({ path }) => path));
    expect(paths.filter((path) => path.includes('ingress'))).toEqual([]);
  });

  it('is not made again once machines may trust it', async () => {
    await ensure(withIngress);
    await rm(file('ingress/ca.key'));
    await expect(ensure(withIngress)).rejects.toThrow('ingress/ca.key of the keyring is missing');
  });
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { placeholderArtifacts } from '../../src/artifacts/placeholder.js';
import { dot } from '../../src/diagram/dot.js';
import { entrances } from '../../src/diagram/lines.js';
import { mermaid } from '../../src/diagram/mermaid.js';
import { diagramOf } from '../../src/diagram/model.js';
import { failuresIn } from '../../src/failure.js';
import { assess } from '../../src/impact/assess.js';
import { phases } from '../../src/phases/index.js';
import { certificatesOf } from '../../src/pki/certificates.js';
import { keyringDirectory, readKeyring } from '../../src/pki/keyring.js';
import { Secret } from '../../src/secret.js';
import { etcdStatus } from '../../src/workflows/etcd/etcd.js';
import { takeSnapshot } from '../../src/workflows/etcd/snapshot.js';
import { readOwnerSecrets, withOwnerSecrets } from '../../src/workflows/inventory-files/secrets.js';
import { loadCluster } from '../../src/workflows/load-cluster.js';
import { rendering } from '../../src/workflows/render.js';
import { endpoints, externalInventory, writeEtcdFiles } from '../support/external-etcd.js';
import { contextOf } from '../support/site.js';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kbs-etcd-'));
  file = join(folder, 'kbs.yaml');
  mkdirSync(join(folder, 'etcd'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const refused = async (inventory: string): Promise<readonly (readonly [string, string | undefined])[]> => {
  const error = await loadCluster(file, inventory).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return failuresIn(error).map(({ message, where }) => [
    message.replaceAll(folder, ''),
    where.position?.replace(folder, ''),
  ]);
};

describe('an inventory with an external etcd', () => {
  it('holds what its files hold, and a key that never becomes text', async () => {
    const { ca, certificate, key } = await writeEtcdFiles(join(folder, 'etcd'));
    const found = await loadCluster(file, externalInventory());
    expect(found.cluster.kubernetes.externalEtcd).toEqual({ endpoints, ca, certificate });
    expect(found.externalEtcdKey?.reveal()).toBe(key.reveal());
    expect(JSON.stringify(found)).not.toContain('PRIVATE KEY');
  });

  it('is refused once for every file that does not hold what it should', async () => {
    const { other } = await writeEtcdFiles(join(folder, 'etcd'));
    rmSync(join(folder, 'etcd/ca.crt'));
    writeFileSync(join(folder, 'etcd/client.key'), other.reveal());
    expect(await refused(externalInventory())).toEqual([
      [expect.stringContaining('cannot read /etcd/ca.crt: ENOENT'), '/kbs.yaml:9:11'],
      ['kubernetes.etcd.external.key: /etcd/client.key is not the key of `cert`', '/kbs.yaml:11:12'],
    ]);
  });

  test.each([
    ['no key', 'nothing', 'holds no private key in PEM'],
    [
      'a passphrase',
      '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----',
      'has a passphrase',
    ],
    [
      'half a key',
      '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----',
      'holds a private key that cannot be read',
    ],
  ])('is refused where its key has %s, without a word of it', async (_, content, said) => {
    await writeEtcdFiles(join(folder, 'etcd'));
    writeFileSync(join(folder, 'etcd/client.key'), content);
    expect(await refused(externalInventory())).toEqual([
      [expect.stringContaining(`/etcd/client.key ${said}`), '/kbs.yaml:11:12'],
    ]);
  });

  test.each([
    [`[${endpoints.join(', ')}]`, '[http://etcd.lan:2379]', 'write https://'],
    [`[${endpoints.join(', ')}]`, '[https://etcd.lan]', 'write https://etcd.lan:2379'],
    [`[${endpoints.join(', ')}]`, '[]', 'holds no address'],
    ['  etcd:\n', '  etcd:\n    extra: { snapshot-count: 5000 }\n', 'has no meaning beside `external`'],
  ])('with %j as %j is refused', async (was, is, said) => {
    await writeEtcdFiles(join(folder, 'etcd'));
    const found = await refused(externalInventory().replace(was, is));
    expect(found).toEqual([[expect.stringContaining(said), expect.stringMatching(/^\/kbs\.yaml:\d+:\d+$/)]]);
  });

  it('may have two control planes, which it may not have otherwise', async () => {
    const without = externalInventory().replace(/ {2}etcd:\n(?: {4}.*\n)+/, '');
    expect(await refused(without)).toEqual([
      [expect.stringContaining('2 control planes make 2 etcd members'), expect.anything()],
    ]);
  });
});

describe.each(['static-pods', 'systemd'] as const)('control planes of the style %s', (style) => {
  const loaded = async () => {
    const files = await writeEtcdFiles(join(folder, 'etcd'));
    return { files, loaded: await loadCluster(file, externalInventory(style)) };
  };

  it('have no etcd, and API servers that use the external one', async () => {
    const tree = rendering((await loaded()).loaded, placeholderArtifacts('1.36.3'));
    const paths = [...tree.keys()].filter((path) => path.startsWith('cp-0/'));
    expect(paths.filter((path) => path.includes('etcd')).toSorted()).toEqual([
      'cp-0/etc/kubernetes/pki/apiserver-etcd-client.crt',
      'cp-0/etc/kubernetes/pki/apiserver-etcd-client.key',
      'cp-0/etc/kubernetes/pki/etcd/ca.crt',
    ]);
    const started = tree.get(
      style === 'systemd'
        ? 'cp-0/etc/systemd/system/kube-apiserver.service'
        : 'cp-0/etc/kubernetes/manifests/kube-apiserver.yaml',
    );
    expect(started).toContain(`--etcd-servers=${endpoints.join(',')}`);
    expect(started).not.toContain('etcd.service');
    const access = tree.get('cp-0/objects/access.yaml') ?? '';
    expect(access).toContain('caFile: /etc/kubernetes/pki/etcd/ca.crt');
    expect([...tree.values()].join('')).not.toContain('PRIVATE KEY');
  });

  it('get its files, the key as a secret for root alone', async () => {
    const { files, loaded: of } = await loaded();
    const keyring = await readKeyring(keyringDirectory(file, 'outside'), of.cluster, new Date());
    const credentials = await withOwnerSecrets(keyring.credentials, readOwnerSecrets(of, {}));
    const context = { ...contextOf(of.cluster), credentials };
    const [host] = of.cluster.hosts;
    if (host === undefined) throw new Error('no host');
    const resources = phases
      .filter((phase) => phase.appliesTo(host, of.cluster))
      .flatMap((phase) => phase.resources(host, context));
    const at = (path: string) => resources.find((each) => each.kind === 'file' && each.path === path);
    expect(at('/etc/kubernetes/pki/etcd/ca.crt')).toMatchObject({ content: files.ca, mode: '0644' });
    expect(at('/etc/kubernetes/pki/apiserver-etcd-client.crt')).toMatchObject({ content: files.certificate });
    const key = at('/etc/kubernetes/pki/apiserver-etcd-client.key');
    expect(key).toMatchObject({ content: expect.any(Secret), mode: '0600' });
    expect(key?.kind === 'file' && key.content instanceof Secret && key.content.reveal()).toBe(files.key.reveal());
  });

  it('have certificates of no etcd in the keyring, and wait for the external one', async () => {
    const { loaded: of } = await loaded();
    expect(certificatesOf(of.cluster).filter(({ path }) => path.includes('etcd'))).toEqual([]);
    const [host] = of.cluster.hosts;
    if (host === undefined) throw new Error('no host');
    const applied = phases.filter((phase) => phase.appliesTo(host, of.cluster));
    expect(applied.map(({ name }) => name).filter((name) => name.includes('etcd'))).toEqual(['external-etcd']);
    const gates = phases.find(({ name }) => name === 'control-plane')?.gates?.(host, contextOf(of.cluster)) ?? [];
    expect(gates.map(({ name }) => name)).toEqual(['the external etcd answers']);
    expect(gates[0]?.test).toContain(`--endpoints=${endpoints.join(',')}`);
    const rolling = phases.find(({ name }) => name === 'control-plane')?.rolling?.(host, contextOf(of.cluster));
    const names = [...(rolling?.preconditions ?? []), ...(rolling?.healthy ?? [])].map(({ name }) => name);
    expect(names.filter((name) => name.includes('etcd'))).toEqual([]);
  });
});

describe('commands about etcd', () => {
  const options = { acceptNewHostKeys: false, say: () => {}, limits: {} };

  test.each([
    ['status', () => etcdStatus(file, options)],
    ['snapshot', () => takeSnapshot(file, undefined, new Date(), options)],
  ])('%s refuses, and contacts no host', async (_, command) => {
    await writeEtcdFiles(join(folder, 'etcd'));
    writeFileSync(file, externalInventory());
    await expect(command()).rejects.toThrow('the etcd of outside is external');
  });
});

test('a diagram shows where it is', async () => {
  await writeEtcdFiles(join(folder, 'etcd'));
  const diagram = diagramOf((await loadCluster(file, externalInventory())).cluster);
  const shown = '192.168.60.20:2379, etcd-01.lan:2379';
  expect(entrances(diagram)[0]).toBe(`API api.lan:6443 (external load balancer) · external etcd ${shown}`);
  expect(mermaid(diagram)).toContain(`etcd[("external etcd<br/>${shown.replace(', ', '<br/>')}")]:::control-plane`);
  expect(dot(diagram)).toContain(String.raw`[label="external etcd\n192.168.60.20:2379\netcd-01.lan:2379"`);
});

test('no failure of hosts takes the external etcd away', async () => {
  await writeEtcdFiles(join(folder, 'etcd'));
  const { cluster } = await loadCluster(file, externalInventory());
  const { findings } = assess(cluster, [{ kind: 'host', name: 'cp-0' }]);
  expect(findings.filter(({ aspect }) => aspect === 'etcd' || aspect === 'api')).toEqual([
    { aspect: 'etcd', status: 'pass', message: expect.stringContaining('external, at https://192.168.60.20:2379') },
    { aspect: 'api', status: 'degraded', message: '1 control plane behind api.lan' },
  ]);
});

import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { hostMetrics } from '../../../src/phases/monitoring/host-metrics.js';
import type { PhaseContext } from '../../../src/phases/phase.js';
import { ensureKeyring } from '../../../src/pki/keyring.js';
import type { FileResource } from '../../../src/resources/resource.js';
import { reveal } from '../../../src/secret.js';
import { createWorld, type World } from '../../resources/overlay-host.js';
import { apply } from '../../resources/reconcile.js';
import { memoryFolder } from '../../support/memory-folder.js';
import { lacks } from '../../support/needs.js';
import { contextOf } from '../../support/site.js';
import { monitored } from './monitored.js';

/** The haproxy of the distribution with the files of the phase and a keyring's certificates, before a program on loopback. */
describe.skipIf(lacks('root', 'haproxy'))('the metrics of a host', () => {
  const cluster = monitored();
  const [host] = cluster.hosts.filter(({ name }) => name === 'worker-rack-00');
  if (host === undefined) throw new Error('there is no such host');
  let ring = '';
  let context: PhaseContext;
  let world: World;

  beforeAll(async () => {
    ring = await mkdtemp(join(memoryFolder(), 'kbs-metrics-'));
    context = { ...contextOf(cluster), credentials: await ensureKeyring(ring, cluster, new Date()) };
    world = await createWorld();
    const files = hostMetrics.resources(host, context).filter(({ kind }) => kind === 'file' || kind === 'directory');
    await world.run(`ip link set lo up; ip address add ${host.address}/32 dev lo`);
    await apply(world, files);
    await writeFile(join(ring, 'exporter.js'), exporter);
    await world.run(`setsid '${process.execPath}' ${join(ring, 'exporter.js')} </dev/null >/dev/null 2>&1 &
CREDENTIALS_DIRECTORY=/etc/kbs/metrics setsid haproxy -f /etc/kbs/metrics/haproxy.cfg </dev/null >/run/log 2>&1 &
until bash -c 'exec 3<>/dev/tcp/${host.address}/9444 4<>/dev/tcp/127.0.0.1/9445' 2>/dev/null; do sleep 0.05; done`);
  });
  afterAll(async () => {
    await world?.end();
    if (ring !== '') await rm(ring, { recursive: true });
  });

  const asked = (path: string, ...flags: readonly string[]) =>
    world.run(
      `curl -s -m 5 -o - -w ' %{http_code}' --cacert ${ring}/metrics/ca.crt ${flags.join(' ')} https://${host.address}:9444${path} || echo " refused"`,
    );
  const asPrometheus = () => ['--cert', `${ring}/metrics/client.crt`, '--key', `${ring}/metrics/client.key`];

  it('are for the holder of a certificate for metrics', async () => {
    expect(await asked('/node', ...asPrometheus())).toBe('/metrics 200');
  });

  test.each([
    ['no certificate', []],
    ['a certificate of the cluster', ['admin']],
    ["a certificate of the host's own", [`hosts/${host.name}/kubelet-client`]],
  ])('are refused with %s', async (_, [path]) => {
    const shown = path === undefined ? [] : ['--cert', `${ring}/${path}.crt`, '--key', `${ring}/${path}.key`];
    expect((await asked('/node', ...shown)).trim()).toMatch(/^0* ?refused$|^000\s+refused$/);
  });

  test.each([
    ['a path of another host', '/etcd', [], 404],
    ['a path below one', '/node/debug/pprof', [], 404],
    ['no path', '/', [], 404],
    ['anything but a read', '/node', ['-X', 'POST'], 405],
  ])('are not %s', async (_, path, flags, status) => {
    expect(await asked(path, ...asPrometheus(), ...flags)).toMatch(new RegExp(` ${status}$`));
  });

  it('say when each certificate of the host expires', () => {
    const dates = hostMetrics
      .resources(host, context)
      .find((resource): resource is FileResource => resource.kind === 'file' && resource.path.endsWith('.prom'));
    const seconds = (path: string) => Date.parse(new X509Certificate(read(path)).validTo) / 1000;
    const read = (path: string) => execFileSync('cat', [`${ring}/hosts/${host.name}/${path}.crt`]);
    expect(
      reveal(dates?.content ?? '')
        .split('\n')
        .filter((line) => line.startsWith('kbs_')),
    ).toEqual(
      ['kubelet', 'kubelet-client', 'metrics'].map(
        (name) => `kbs_certificate_not_after_seconds{name="${name}"} ${seconds(name)}`,
      ),
    );
  });

  it('show a certificate that names the host, of an authority that the cluster does not trust', async () => {
    const shown = new X509Certificate(await readFile(`${ring}/hosts/${host.name}/metrics.crt`));
    expect(shown.subjectAltName).toBe(`DNS:${host.name}, IP Address:${host.address}`);
    expect(shown.verify(new X509Certificate(await readFile(`${ring}/metrics/ca.crt`)).publicKey)).toBe(true);
    expect(shown.verify(new X509Certificate(await readFile(`${ring}/ca.crt`)).publicKey)).toBe(false);
  });
});

/** Answers with the path that it was asked for. */
const exporter = `require('node:http').createServer((request, answer) => answer.end(request.url)).listen(9445, '127.0.0.1');`;

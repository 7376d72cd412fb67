import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failuresIn } from '../../../src/failure.js';
import { loadCluster } from '../../../src/workflows/load-cluster.js';
import { serveCharts } from '../../support/chart-server.js';

const inventory = `apiVersion: kbs/v1
cluster: one
kubernetes: { version: 1.36.3 }
network:
  segments:
    lan: { cidr: 10.1.0.0/24 }
endpoint: { name: api.one.internal }
dns: { zone: lan.internal }
hosts:
  cp: { address: 10.1.0.10, roles: [control-plane, dns] }
`;

describe('registries and the proxy of an inventory', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kbs-registries-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const load = (more: string) => loadCluster(join(folder, 'kbs.yaml'), inventory + more);

  it('have the certificates of the files that they name, and nothing that stands around them', async () => {
    const { certificate, close } = await serveCharts();
    await close();
    writeFileSync(join(folder, 'ca.crt'), `Issuer: CN=charts\n${certificate}\nand again\n${certificate}`);
    const { cluster } = await load('registries: { registry.lan: { ca: ca.crt }, quay.io: { plainHttp: true } }\n');
    expect(cluster.registries).toEqual([
      { name: 'registry.lan', mirrors: [], plainHttp: false, ca: certificate.repeat(2) },
      { name: 'quay.io', mirrors: [], plainHttp: true },
    ]);
  });

  it('are refused with every file that is missing or holds no certificate', async () => {
    writeFileSync(join(folder, 'key.pem'), '-----BEGIN PRIVATE KEY-----\n');
    writeFileSync(join(folder, 'broken.crt'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    const error = await load(`registries:
  a.lan: { ca: missing.crt }
  b.lan: { ca: key.pem }
  c.lan: { ca: broken.crt }
`).catch((thrown: unknown) => thrown);
    const said = failuresIn(error).map(({ code, message, where }) => [
      code,
      message.replaceAll(folder, ''),
      where.position,
    ]);
    expect(said).toEqual([
      [
        'inventory',
        expect.stringContaining('registries.a.lan.ca: cannot read certificates from /missing.crt: ENOENT'),
        `${folder}/kbs.yaml:12:16`,
      ],
      ['inventory', 'registries.b.lan.ca: /key.pem holds no PEM certificate', `${folder}/kbs.yaml:13:16`],
      [
        'inventory',
        expect.stringContaining('registries.c.lan.ca: cannot read certificates from /broken.crt'),
        `${folder}/kbs.yaml:14:16`,
      ],
    ]);
  });

  it('leave out what the cluster itself has', async () => {
    const { cluster } = await load('proxy: { url: "http://proxy.lan:3128", exclude: [.corp.example] }\n');
    expect(cluster.proxy).toEqual({
      url: 'http://proxy.lan:3128',
      exclude: [
        ...['localhost', '127.0.0.0/8', '10.244.0.0/16', '10.96.0.0/16', '10.1.0.0/24', '.svc', '.cluster.local'],
        ...['api.one.internal', '.lan.internal', '.corp.example'],
      ],
    });
  });

  it.each([
    ['registries: { docker.io/library: {} }\n', 'write what stands before the first slash'],
    ['registries: { docker.io: { mirrors: [mirror.lan] } }\n', 'write http://mirror.lan or https://mirror.lan'],
    ['proxy: { url: "http://ops:secret@proxy.lan" }\n', 'leave out the user and password'],
  ])('are refused where they make no sense: %s', async (more, advice) => {
    const error = await load(more).catch((thrown: unknown) => thrown);
    const messages = failuresIn(error).map(({ message }) => message);
    expect(messages).toEqual([expect.stringContaining(advice)]);
    expect(messages.join()).not.toContain('secret');
  });
});

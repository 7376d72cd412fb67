import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ensureKeyring } from '../../src/pki/keyring.js';
import { keepKubeconfig } from '../../src/workflows/kubeconfig.js';
import { type LoadedCluster, loadCluster } from '../../src/workflows/load-cluster.js';
import { type OpenProxy, proxy } from '../../src/workflows/proxy.js';
import { dealtRandomness } from '../pki/keys.js';

// Loopback, at an address that no other test uses: the port of API servers is a fixed one.
const inventory = `apiVersion: kbs/v1
cluster: near
kubernetes: { version: 1.36.3 }
network: { segments: { lan: { cidr: 127.0.77.0/24 } } }
hosts:
  c0: { address: 127.0.77.10, roles: [control-plane], ssh: { transport: local } }
`;

let folder: string;
let loaded: LoadedCluster;
let server: Server;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kbs-proxy-'));
  writeFileSync(join(folder, 'kbs.yaml'), inventory);
  loaded = await loadCluster(join(folder, 'kbs.yaml'));
  const keyring = join(loaded.state, 'keyring');
  await keepKubeconfig(loaded, await ensureKeyring(keyring, loaded.cluster, new Date(), await dealtRandomness(23)));
  const read = (name: string) => readFileSync(join(keyring, name));
  // An API server as far as TLS goes: it says who asks.
  server = createServer(
    {
      cert: read('hosts/c0/apiserver.crt'),
      key: read('hosts/c0/apiserver.key'),
      ca: read('ca.crt'),
      requestCert: true,
    },
    ({ socket }, response) => {
      response.end(socket instanceof TLSSocket ? `you are ${socket.getPeerCertificate().subject.CN}` : '');
    },
  );
  await new Promise<void>((resolve) => server.listen(6443, '127.0.77.10', resolve));
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

/** Runs a proxy as long as `use` needs it. */
const withProxy = async (use: (open: OpenProxy) => Promise<void>): Promise<OpenProxy> => {
  const over = new AbortController();
  let using: Promise<void> = Promise.resolve();
  const ended = proxy(loaded.inventory, {
    port: 0,
    acceptNewHostKeys: false,
    say: () => {},
    ready: (open) => {
      using = use(open).finally(() => over.abort());
    },
    signal: over.signal,
  });
  const open = await ended;
  await using;
  return open;
};

/** What the server answers to the user of a kubeconfig, as kubectl would ask. */
const askAs = (kubeconfig: string): Promise<string> => {
  const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8'));
  const { cluster } = clusters[0];
  const { user } = users[0];
  const decoded = (base64: string) => Buffer.from(base64, 'base64');
  return new Promise((resolve, reject) => {
    const asking = request(
      cluster.server,
      {
        ca: decoded(cluster['certificate-authority-data']),
        cert: decoded(user['client-certificate-data']),
        key: decoded(user['client-key-data']),
        servername: cluster['tls-server-name'],
        agent: false,
      },
      (response) => {
        response.setEncoding('utf8').on('data', resolve);
      },
    );
    asking.on('error', reject).end();
  });
};

it('serves the API to the administrator, whose certificate and whose server are checked from end to end', async () => {
  await withProxy(async ({ server, tlsServerName, kubeconfig = '' }) => {
    expect(await askAs(kubeconfig)).toBe('you are kubernetes-admin');
    expect(parse(readFileSync(kubeconfig, 'utf8'))).toMatchObject({
      clusters: [{ name: 'near', cluster: { server, 'tls-server-name': tlsServerName } }],
      'current-context': 'near',
    });
    expect(statSync(kubeconfig).mode & 0o777).toBe(0o600);
  });
});

it('leaves neither its kubeconfig nor its port behind', async () => {
  const { kubeconfig = '', server } = await withProxy(async () => {});
  expect(existsSync(kubeconfig)).toBe(false);
  await expect(fetch(server)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
});

it('serves without a kubeconfig where this machine has none of the administrator', async () => {
  rmSync(join(loaded.state, 'kubeconfig'));
  await withProxy(async (open) => {
    expect(Object.keys(open)).toEqual(['server', 'tlsServerName']);
  });
});

it('ends at once, with the reason, where no API server can be reached', async () => {
  await new Promise((closed) => server.close(closed));
  await expect(withProxy(async () => {})).rejects.toMatchObject({
    message: expect.stringContaining('127.0.77.10:6443'),
  });
});

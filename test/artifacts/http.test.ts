import { globalAgent } from 'node:https';
import { createServer, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { getUrl } from '../../src/artifacts/http.js';
import { type ChartServer, serveCharts } from '../support/chart-server.js';

let server: ChartServer;
let other: ChartServer;

beforeAll(async () => {
  server = await serveCharts();
  other = await serveCharts();
  globalAgent.options.ca = [server.certificate, other.certificate];
  for (const name of ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy']) vi.stubEnv(name, undefined);
});
beforeEach(() => {
  for (const each of [server, other]) {
    each.paths.clear();
    each.asked.length = 0;
  }
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await other.close();
  await server.close();
});

const get = (headers: Readonly<Record<string, string>> = {}) =>
  getUrl(`https://${server.host}/a/file`, { most: 1000, headers });
const redirect = (location: string) =>
  server.paths.set('/a/file', (response) => response.writeHead(302, { location }).end());

describe('a redirect', () => {
  it('is relative to where it is answered', async () => {
    redirect('../b/file');
    server.paths.set('/b/file', (response) => response.end('there'));
    expect((await get()).body.toString()).toBe('there');
  });

  it.each([
    ['', 'Bearer abc'],
    ['other', undefined],
  ])('%s gives a login to its own host alone', async (to, expected) => {
    const target = to === '' ? server : other;
    let seen: string | undefined = 'not asked';
    target.paths.set('/b/file', (response, authorization) => {
      seen = authorization;
      response.end();
    });
    redirect(`https://${target.host}/b/file`);
    await get({ authorization: 'Bearer abc' });
    expect(seen).toBe(expected);
  });

  it.each([
    ['https://ann:pa55@127.0.0.1:1/file?sig=5ecret', /^https:\/\/127[.]0[.]0[.]1:1\/file: connect ECONNREFUSED/],
    ['http://ann:pa55@127.0.0.1:1/file?sig=5ecret', /leads to http:\/\/127[.]0[.]0[.]1:1\/file, which is not https/],
  ])('to %s is reported without what lets a reader in', async (location, expected) => {
    redirect(location);
    await expect(get()).rejects.toThrow(expected);
  });

  it('to what is no address is final', async () => {
    redirect('https://');
    await expect(get()).rejects.toThrow(`https://${server.host}/a/file redirects to what is no address`);
  });

  it('whose answer is too long is reported without what lets a reader in', async () => {
    redirect(`https://${other.host}/b/file?sig=5ecret`);
    other.paths.set('/b/file', (response) => response.end('x'.repeat(1001)));
    await expect(get()).rejects.toThrow(`https://${other.host}/b/file: the answer has more than 1000 bytes`);
  });
});

it('asks for content as it is: some servers compress where nothing is said', async () => {
  server.otherwise = ({ headers }, response) => {
    const plain = headers['accept-encoding'] === 'identity';
    response.writeHead(200, plain ? {} : { 'content-encoding': 'gzip' }).end(plain ? 'text' : gzipSync('text'));
  };
  expect((await get()).body.toString()).toBe('text');
});

it('asks again where a server is busy, and where an answer breaks off', async () => {
  let n = 0;
  server.paths.set('/a/file', (response) => {
    n += 1;
    if (n === 1) response.writeHead(503).end();
    else if (n === 2) response.writeHead(200, { 'content-length': 4 }).write('te', () => response.destroy());
    else response.end('text');
  });
  expect((await get()).body.toString()).toBe('text');
  expect(n).toBe(3);
});

it('ends when it is told to, also while a proxy is silent', async () => {
  const sockets: Socket[] = [];
  const interruption = new AbortController();
  const silent = createServer((socket) => {
    sockets.push(socket.resume().on('error', () => {}));
    interruption.abort();
  });
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const at = silent.address();
  vi.stubEnv('HTTPS_PROXY', `http://127.0.0.1:${typeof at === 'object' ? at?.port : ''}`);
  await expect(getUrl(`https://${server.host}/file`, { most: 1000, signal: interruption.signal })).rejects.toThrow(
    server.host,
  );
  expect(sockets).toHaveLength(1);
  vi.stubEnv('HTTPS_PROXY', undefined);
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => silent.close(resolve));
});

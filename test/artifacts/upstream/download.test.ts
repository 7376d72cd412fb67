import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openUrl } from '../../../src/artifacts/http.js';
import { download } from '../../../src/artifacts/upstream/download.js';
import { sha256 } from '../../../src/secret.js';
import { type ChartServer, serveCharts } from '../../support/chart-server.js';

const text = Array.from({ length: 20_000 }, (_, index) => `line ${index}\n`).join('');
const half = Math.floor(text.length / 2);

let home: string;
let into: string;
let server: ChartServer;
/** The range of each request; '' where all was asked for. */
let ranges: string[];

beforeAll(async () => {
  server = await serveCharts();
});
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'kbs-download-'));
  into = join(home, 'file');
  ranges = [];
  vi.stubEnv('HTTPS_PROXY', undefined);
  vi.stubEnv('https_proxy', undefined);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true, force: true });
});
afterAll(() => server.close());

const fetchFile = () => {
  const url = `https://${server.host}/file`;
  const open = (headers: Readonly<Record<string, string>>) => openUrl(url, { headers });
  return download({ url, sha256: sha256(text), saidBy: 'its project', open }, into);
};

type Answer = (start: number, response: ServerResponse) => void;

/** Answers the first request by the first of these, and so on; the last one answers all that follow. */
const answers = (...all: readonly Answer[]) => {
  let n = 0;
  server.otherwise = ({ headers: { range = '' } }, response) => {
    ranges.push(range);
    const answer = all[Math.min(n, all.length - 1)];
    n += 1;
    answer?.(Number(/\d+/.exec(range)?.[0] ?? 0), response);
  };
};

const whole: Answer = (_start, response) => response.end(text);
const fromThere: Answer = (start, response) =>
  response
    .writeHead(206, { 'content-range': `bytes ${start}-${text.length - 1}/${text.length}` })
    .end(text.slice(start));
const breaksOff: Answer = (_start, response) => {
  response.writeHead(200, { 'content-length': text.length });
  response.write(text.slice(0, half), () => response.destroy());
};
const status =
  (code: number): Answer =>
  (_start, response) =>
    response.writeHead(code).end();
const slowly: Answer = (_start, response) => {
  response.write(text.slice(0, half));
  setTimeout(() => response.end(text.slice(half)), 300);
};

describe('a download', () => {
  it('has the content, and nothing beside it', async () => {
    answers(whole);
    expect(await fetchFile()).toBe(false);
    expect(await readFile(into, 'utf8')).toBe(text);
    expect(await readdir(home)).toEqual(['file']);
    expect(await fetchFile()).toBe(true);
    expect(ranges).toEqual(['']);
  });

  it('that comes slowly is waited for', async () => {
    answers(slowly);
    await fetchFile();
    expect(await readFile(into, 'utf8')).toBe(text);
  });

  it('that breaks off goes on where it stopped', async () => {
    answers(breaksOff, fromThere);
    await fetchFile();
    expect(await readFile(into, 'utf8')).toBe(text);
    expect(ranges).toHaveLength(2);
    expect(Number(/\d+/.exec(ranges[1] ?? '')?.[0])).toBeGreaterThan(0);
  });

  it('begins again where the server does not go on from the middle', async () => {
    answers(breaksOff, whole);
    await fetchFile();
    expect(await readFile(into, 'utf8')).toBe(text);
  });

  it('is begun again where the server is busy', async () => {
    answers(status(503), whole);
    await fetchFile();
    expect(ranges).toHaveLength(2);
  });

  it.each<[string, string]>([
    ['goes on with what an earlier run left', text.slice(0, half)],
    ['takes what an earlier run left whole', text],
    ['throws away what an earlier run left of another file', 'x'.repeat(half)],
    ['throws away what is longer than the file', `${text}more`],
  ])('%s', async (_name, left) => {
    await writeFile(`${into}.partial`, left);
    answers((start, response) => {
      if (start >= text.length) status(416)(start, response);
      else (start > 0 ? fromThere : whole)(start, response);
    });
    await fetchFile();
    expect(await readFile(into, 'utf8')).toBe(text);
    expect(ranges[0]).toBe(`bytes=${left.length}-`);
  });

  it('with another content is refused, and leaves nothing', async () => {
    answers((_start, response) => response.end('x'));
    await expect(fetchFile()).rejects.toThrow(
      `https://${server.host}/file: it has sha256 ${sha256('x')}, and its project says ${sha256(text)}`,
    );
    expect(await readdir(home)).toEqual([]);
    expect(ranges).toHaveLength(1);
  });

  it('with another content is refused too where it breaks off and is gone on with', async () => {
    const [wrong, cut] = ['x'.repeat(text.length), 'x'.repeat(half)];
    answers(
      ...Array.from(
        { length: 20 },
        (): Answer => (start, response) => {
          if (start > 0) {
            const range = `bytes ${start}-${wrong.length - 1}/${wrong.length}`;
            return void response.writeHead(206, { 'content-range': range }).end(wrong.slice(start));
          }
          response.writeHead(200, { 'content-length': wrong.length });
          response.write(cut, () => response.destroy());
        },
      ),
      status(404),
    );
    await expect(fetchFile()).rejects.toThrow(`it has sha256 ${sha256(wrong)}`);
    expect(await readdir(home)).toEqual([]);
    expect(ranges).toHaveLength(2);
  });

  it('that another run is at is left to it', async () => {
    await writeFile(`${into}.${process.ppid}.partial`, text.slice(0, half));
    answers((start, response) => (start > 0 ? fromThere : whole)(start, response));
    await fetchFile();
    expect(await readFile(into, 'utf8')).toBe(text);
    expect(ranges).toEqual(['']);
    expect(await readFile(`${into}.${process.ppid}.partial`, 'utf8')).toBe(text.slice(0, half));
  });

  it('does not mind what another run leaves meanwhile', async () => {
    answers((_start, response) => {
      response.write(text.slice(0, half), () => {
        setTimeout(() => {
          writeFileSync(`${into}.partial`, 'what another run wrote');
          response.end(text.slice(half));
        }, 100);
      });
    });
    await fetchFile();
    expect(await readFile(into, 'utf8')).toBe(text);
  });

  it('goes on with what a run that was killed left', async () => {
    const ended = spawnSync('true').pid;
    await writeFile(`${into}.${ended}.partial`, text.slice(0, half));
    answers((start, response) => (start > 0 ? fromThere : whole)(start, response));
    await fetchFile();
    expect(await readdir(home)).toEqual(['file']);
    expect(ranges).toEqual([`bytes=${half}-`]);
  });

  it('that fails leaves what arrived for the next run', async () => {
    answers(breaksOff, status(404));
    await expect(fetchFile()).rejects.toThrow('answers 404');
    expect(await readdir(home)).toEqual(['file.partial']);
  });

  it.each([404, 403])('that is answered by %i is not asked for again', async (code) => {
    answers(status(code));
    await expect(fetchFile()).rejects.toThrow(`https://${server.host}/file: answers ${code}`);
    expect(ranges).toHaveLength(1);
  });
});

describe('through a proxy', () => {
  let proxy: Server;
  let seen: (string | undefined)[];
  let sockets: Duplex[];
  let address: string;

  beforeEach(async () => {
    [seen, sockets] = [[], []];
    proxy = createServer();
    proxy.on('connect', ({ url = '', headers }, socket) => {
      seen.push(headers['proxy-authorization']);
      sockets.push(socket);
      if (headers['proxy-authorization'] === undefined) {
        return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n');
      }
      const [host, port] = url.split(':');
      const far = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        far.pipe(socket).pipe(far);
      });
      far.on('error', () => socket.destroy());
      socket.on('error', () => far.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const at = proxy.address();
    address = typeof at === 'object' ? `127.0.0.1:${at?.port}` : '';
    answers(whole);
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    proxy.closeAllConnections();
    await new Promise((resolve) => proxy.close(resolve));
  });

  it('logs in there as HTTPS_PROXY says', async () => {
    vi.stubEnv('HTTPS_PROXY', `http://ann:pa55@${address}`);
    await fetchFile();
    expect(await readFile(into, 'utf8')).toBe(text);
    expect(seen).toEqual([`Basic ${Buffer.from('ann:pa55').toString('base64')}`]);
  });

  it('takes an address without a scheme', async () => {
    vi.stubEnv('https_proxy', `ann:pa55@${address}`);
    await fetchFile();
    expect(seen).toHaveLength(1);
  });

  it.each(['http://ann:pa%55@', 'http://ann:pa%ss@', 'ftp://ann:pa55@'])(
    'says that %s… is none, and not what it is',
    async (proxyAddress) => {
      vi.stubEnv('HTTPS_PROXY', `${proxyAddress}${address}x`);
      const said = await fetchFile().catch(String);
      expect(said).toBe(
        `Error: https://${server.host}/file: HTTPS_PROXY is no address of a proxy: http://USER:PASSWORD@HOST:PORT, with %25 for a % within`,
      );
    },
  );

  it('that is for http alone is not asked', async () => {
    vi.stubEnv('http_proxy', `http://${address}`);
    await fetchFile();
    expect(seen).toEqual([]);
  });

  it('says that the proxy wants a login', async () => {
    vi.stubEnv('HTTPS_PROXY', `http://${address}`);
    await expect(fetchFile()).rejects.toThrow('the proxy of HTTPS_PROXY wants a login (407)');
  });

  it('does not ask the proxy for what NO_PROXY names', async () => {
    vi.stubEnv('HTTPS_PROXY', `http://${address}`);
    vi.stubEnv('NO_PROXY', '127.0.0.1');
    await fetchFile();
    expect(seen).toEqual([]);
  });
});

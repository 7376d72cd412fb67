import { createReadStream, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';

/**
 * A web server that does what the first part of a path says with the file that the rest names. It runs as a process of its
 * own, in whatever network namespace it is started: `tsx faulty-server.ts FOLDER ADDRESS PORT`. It prints each request as
 * `PATH RANGE`.
 */
const [folder = '', address = '', port = ''] = process.argv.slice(2);

const ways: Readonly<
  Record<string, (file: string, request: IncomingMessage, response: ServerResponse) => Promise<void>>
> = {
  whole: (file, request, response) => send(file, request, response, Number.POSITIVE_INFINITY),
  // Each answer breaks off after a third.
  breaks: async (file, request, response) => send(file, request, response, Math.ceil((await stat(file)).size / 3)),
  // No byte beyond the first half is ever sent.
  half: async (file, request, response) => {
    const half = Math.ceil((await stat(file)).size / 2);
    return send(file, request, response, half - startOf(request));
  },
  // It knows no ranges, and breaks off the first time.
  forgets: async (file, request, response) => {
    const times = (asked.get(request.url ?? '') ?? 0) + 1;
    asked.set(request.url ?? '', times);
    delete request.headers.range;
    return send(file, request, response, times === 1 ? 1000 : Number.POSITIVE_INFINITY);
  },
  busy: async (file, request, response) => {
    const times = (asked.get(request.url ?? '') ?? 0) + 1;
    asked.set(request.url ?? '', times);
    if (times > 2) return send(file, request, response, Number.POSITIVE_INFINITY);
    response.writeHead(503).end();
  },
  missing: async (_file, _request, response) => void response.writeHead(404).end(),
  plain: async (file, _request, response) =>
    void response.writeHead(302, { location: `http://127.0.0.1:1${file}` }).end(),
  moved: async (_file, { url = '' }, response) =>
    void response.writeHead(302, { location: url.replace('/moved/', '/whole/') }).end(),
};

const asked = new Map<string, number>();

const startOf = ({ headers }: IncomingMessage): number => Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);

const send = async (file: string, request: IncomingMessage, response: ServerResponse, most: number): Promise<void> => {
  const { size } = await stat(file);
  const start = startOf(request);
  if (start >= size) return void response.writeHead(416).end();
  const type = file.includes('/manifests/') ? { 'content-type': mediaTypeOf(file) } : {};
  response.writeHead(start > 0 ? 206 : 200, {
    ...type,
    'content-length': size - start,
    ...(start > 0 ? { 'content-range': `bytes ${start}-${size - 1}/${size}` } : {}),
  });
  if (most <= 0) return void response.destroy();
  const bytes = createReadStream(file, { start, end: Math.min(size, start + most) - 1 });
  if (start + most >= size) return void bytes.pipe(response);
  bytes.on('data', (piece) => response.write(piece));
  // What was written is on its way before the connection ends.
  bytes.on('end', () => setTimeout(() => response.destroy(), 100));
};

const mediaTypeOf = (file: string): string => {
  const { mediaType } = JSON.parse(readFileSync(file, 'utf8')) as { mediaType: string };
  return mediaType;
};

createServer(
  { cert: readFileSync(join(folder, 'server.crt')), key: readFileSync(join(folder, 'server.key')) },
  (request, response) => {
    // A registry's API begins with /v2: each registry is kept below its name.
    const path = (request.url ?? '').replace(/^\/v2\/([^/]+)\/([^/]+)\//, '/$1/$2/v2/');
    const [, way = '', ...names] = path.split('/');
    console.log(`${request.url} ${request.headers.range ?? '-'}`);
    void (ways[way] ?? ways.missing)?.(join(folder, ...names), request, response).catch(() =>
      response.writeHead(404).end(),
    );
  },
).listen(Number(port), address, () => console.log('listening'));

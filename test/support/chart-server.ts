import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, globalAgent } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

/** Answers the requests for one path. */
export type Handler = (response: ServerResponse, authorization: string | undefined) => void;

/** A chart repository and registry on loopback, over TLS. This process trusts its certificate until it is closed. */
export interface ChartServer {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** What it is trusted by, as PEM. */
  readonly certificate: string;
  /** By path, before anything else. */
  readonly paths: Map<string, Handler>;
  /** Answers every other path; 404 until it is set. */
  otherwise: (request: IncomingMessage, response: ServerResponse) => void;
  /** The paths that were asked for. */
  readonly asked: string[];
  close(): Promise<void>;
}

export const serveCharts = async (): Promise<ChartServer> => {
  const folder = await mkdtemp(join(tmpdir(), 'kbs-chart-server-'));
  const [key, cert] = ['key', 'crt'].map((name) => join(folder, name)) as [string, string];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key];
  const names = ['-subj', '/CN=charts', '-addext', 'subjectAltName=IP:127.0.0.1'];
  await execa('openssl', ['req', '-x509', ...curve, '-out', cert, '-days', '2', ...names]);
  const [certificate, secret] = await Promise.all([readFile(cert), readFile(key)]);
  await rm(folder, { recursive: true });
  const paths = new Map<string, Handler>();
  const asked: string[] = [];
  const server = createServer({ cert: certificate, key: secret }, (request, response) => {
    const { url = '', headers } = request;
    asked.push(url);
    const handler = paths.get(url.split('?')[0] ?? '');
    if (handler) handler(response, headers.authorization);
    else served.otherwise(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const before = globalAgent.options.ca;
  globalAgent.options.ca = certificate;
  const served: ChartServer = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    certificate: String(certificate),
    paths,
    asked,
    otherwise: (_request, response) => void response.writeHead(404).end(),
    close: async () => {
      globalAgent.options.ca = before;
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return served;
};

/** A 200 with this content. */
export const content =
  (body: string | Uint8Array): Handler =>
  (response) =>
    response.end(body);

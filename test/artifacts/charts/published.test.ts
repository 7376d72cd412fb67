import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Chart } from '../../../src/artifacts/artifacts.js';
import { readChart } from '../../../src/artifacts/charts/chart.js';
import { publishedChart } from '../../../src/artifacts/charts/published.js';
import { sha256 } from '../../../src/secret.js';
import { type ChartServer, content, serveCharts } from '../../support/chart-server.js';

let home: string;
let server: ChartServer;
let web: Chart;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'kbs-published-'));
  await mkdir(join(home, 'web'));
  await writeFile(join(home, 'web/Chart.yaml'), 'apiVersion: v2\nname: web\nversion: 1.2.0+build\n');
  web = await readChart(join(home, 'web'));
  server = await serveCharts();
});
afterEach(() => {
  server.paths.clear();
  server.asked.length = 0;
});
afterAll(async () => {
  await server.close();
  await rm(home, { recursive: true, force: true });
});

const emptyCache = (): Promise<string> => mkdtemp(join(home, 'cache-'));

describe('a chart of a repository with an index', () => {
  const entry = (more = '') => `apiVersion: v1
entries:
  web:
  - name: web
    version: 1.1.0
    urls: [old.tgz]
  - name: web
    version: 1.2.0+build
${more}`;
  const wanted = () => ({ repository: `https://${server.host}/charts`, name: 'web', version: '1.2.0+build' });
  const offer = (more: string, archive: Uint8Array = web.tgz) => {
    server.paths.set('/charts/index.yaml', content(entry(more)));
    server.paths.set('/charts/web.tgz', content(archive));
  };
  const listed = () => `    urls: [web.tgz]\n    digest: ${web.sha256}\n`;

  it('is downloaded once, and found again without a question', async () => {
    offer(listed());
    const cache = await emptyCache();
    expect(await publishedChart(wanted(), cache)).toMatchObject({ name: 'web', sha256: web.sha256 });
    expect(server.asked).toEqual(['/charts/index.yaml', '/charts/web.tgz']);
    server.paths.clear();
    expect(await publishedChart(wanted(), cache)).toMatchObject({ name: 'web', sha256: web.sha256 });
    expect(await publishedChart({ ...wanted(), sha256: web.sha256 }, cache)).toMatchObject({ name: 'web' });
    expect(server.asked).toHaveLength(2);
  });

  it('is downloaded again where the copy that was kept is damaged', async () => {
    offer(listed());
    const cache = await emptyCache();
    await publishedChart(wanted(), cache);
    await writeFile(join(cache, 'charts', `${web.sha256}.tgz`), web.tgz.slice(0, 40));
    expect(await publishedChart(wanted(), cache)).toMatchObject({ sha256: web.sha256 });
    expect(server.asked).toHaveLength(4);
  });

  it('is followed to where its repository redirects, over https', async () => {
    offer(listed());
    server.paths.set('/charts/web.tgz', (response) => response.writeHead(302, { location: '/files/web' }).end());
    server.paths.set('/files/web', content(web.tgz));
    expect(await publishedChart(wanted(), await emptyCache())).toMatchObject({ sha256: web.sha256 });
    server.paths.set('/charts/web.tgz', (response) =>
      response.writeHead(302, { location: `http://${server.host}/files/web` }).end(),
    );
    await expect(publishedChart(wanted(), await emptyCache())).rejects.toThrow(/which is not https/);
  });

  it('may be a JSON index, with an address elsewhere and a version with a v', async () => {
    const index = {
      entries: { web: [{ version: 'v1.2.0+build', urls: [`https://${server.host}/w`], digest: web.sha256 }] },
    };
    server.paths.set('/charts/index.yaml', content(JSON.stringify(index)));
    server.paths.set('/w', content(web.tgz));
    expect(await publishedChart(wanted(), await emptyCache())).toMatchObject({ sha256: web.sha256 });
  });

  it.each<[string, () => void, RegExp | (() => string), string?]>([
    [
      'another digest than the index says',
      () => offer(listed(), Buffer.from('x')),
      () => `sha256 ${sha256('x')}, and https://${server.host}/charts/index.yaml says ${web.sha256}`,
    ],
    [
      'another digest than is pinned',
      () => offer(listed()),
      () => `sha256 ${web.sha256}, and what is pinned says ${'0'.repeat(64)}`,
      '0'.repeat(64),
    ],
    ['half of the archive', () => offer(listed(), web.tgz.slice(0, 50)), /has sha256 .* says/],
    ['no digest', () => offer('    urls: [web.tgz]\n'), () => `what was downloaded has sha256 ${web.sha256}`],
    [
      'no such version',
      () => server.paths.set('/charts/index.yaml', content('entries: { web: [{ version: 2.0.0 }] }')),
      /has no web 1\.2\.0\+build; it has 2\.0\.0$/,
    ],
    [
      'no such chart',
      () => server.paths.set('/charts/index.yaml', content('entries: {}')),
      /index\.yaml has no chart web$/,
    ],
    [
      'a page in place of the index',
      () => server.paths.set('/charts/index.yaml', content('<html>log in</html>')),
      /is no index of a chart repository/,
    ],
    [
      'no archive',
      () => server.paths.set('/charts/index.yaml', content(entry(listed()))),
      /charts\/web\.tgz answers 404/,
    ],
    ['nothing', () => {}, /charts\/index\.yaml answers 404/],
    [
      'an answer that breaks off',
      () => {
        offer(listed());
        server.paths.set('/charts/web.tgz', (response) => {
          response.writeHead(200, { 'content-length': '1000' });
          response.write('part', () => response.destroy());
        });
      },
      /web\.tgz: (the answer broke off|aborted|socket hang up)/,
    ],
    [
      'redirects in a circle',
      () =>
        server.paths.set('/charts/index.yaml', (response) =>
          response.writeHead(302, { location: '/charts/index.yaml' }).end(),
        ),
      /redirects more than 5 times/,
    ],
  ])('is refused where there is %s, and nothing is kept', async (_, prepare, says, pinned) => {
    prepare();
    const cache = await emptyCache();
    const asked = publishedChart({ ...wanted(), ...(pinned === undefined ? {} : { sha256: pinned }) }, cache);
    await expect(asked).rejects.toThrow(typeof says === 'function' ? says() : says);
    expect(await readdir(cache)).toEqual([]);
  });

  it('is not taken from a server whose certificate is not trusted', async () => {
    const { globalAgent } = await import('node:https');
    const trusted = globalAgent.options.ca;
    globalAgent.options.ca = undefined;
    globalAgent.destroy();
    await expect(publishedChart(wanted(), await emptyCache())).rejects.toThrow(/index\.yaml: .*certificate/);
    globalAgent.options.ca = trusted;
  });
});

describe('a chart of an OCI registry', () => {
  const wanted = () => ({ repository: `oci://${server.host}/charts`, name: 'web', version: '1.2.0+build' });
  const manifest = () =>
    JSON.stringify({
      schemaVersion: 2,
      layers: [{ mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip', digest: `sha256:${web.sha256}` }],
    });
  const [tagged, blob] = ['/v2/charts/web/manifests/1.2.0_build', () => `/v2/charts/web/blobs/sha256:${web.sha256}`];

  it('is found by its version as a tag, and checked against its manifest', async () => {
    server.paths.set(tagged, content(manifest()));
    server.paths.set(blob(), content(web.tgz));
    const cache = await emptyCache();
    expect(await publishedChart(wanted(), cache)).toMatchObject({ sha256: web.sha256 });
    await publishedChart(wanted(), cache);
    expect(server.asked).toEqual([tagged, blob()]);
    server.paths.set(blob(), content('another'));
    await expect(publishedChart(wanted(), await emptyCache())).rejects.toThrow(`says ${web.sha256}`);
  });

  it('is had with an anonymous token where the registry asks for one', async () => {
    const guarded =
      (body: string | Uint8Array) =>
      (...[response, authorization]: Parameters<ReturnType<typeof content>>) =>
        authorization === 'Bearer let-me'
          ? response.end(body)
          : response
              .writeHead(401, {
                'www-authenticate': `Bearer realm="https://${server.host}/token",service="charts",scope="repository:charts/web:pull"`,
              })
              .end();
    server.paths.set(tagged, guarded(manifest()));
    server.paths.set(blob(), guarded(web.tgz));
    server.paths.set('/token', content('{"token":"let-me"}'));
    expect(await publishedChart(wanted(), await emptyCache())).toMatchObject({ sha256: web.sha256 });
    expect(server.asked).toContain('/token?service=charts&scope=repository%3Acharts%2Fweb%3Apull');
    server.paths.set('/token', (response) => response.writeHead(403).end());
    await expect(publishedChart(wanted(), await emptyCache())).rejects.toThrow(
      /wants a token, and .*\/token.* answers 403/,
    );
  });

  it.each<[string, () => void, RegExp]>([
    [
      'a login',
      () =>
        server.paths.set(tagged, (response) =>
          response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
        ),
      /answers 401: it wants a login/,
    ],
    ['no such tag', () => {}, /manifests\/1\.2\.0_build answers 404/],
    [
      'an image',
      () =>
        server.paths.set(
          tagged,
          content('{"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:0"}]}'),
        ),
      /is no Helm chart/,
    ],
    ['no JSON', () => server.paths.set(tagged, content('<html>')), /answers with no JSON/],
    [
      'a manifest that was changed',
      () =>
        server.paths.set(tagged, (response) =>
          response.writeHead(200, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` }).end(manifest()),
        ),
      /and the registry says sha256:0000/,
    ],
  ])('is refused where there is %s', async (_, prepare, says) => {
    prepare();
    await expect(publishedChart(wanted(), await emptyCache())).rejects.toThrow(says);
  });
});

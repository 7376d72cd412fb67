import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { imageProblem, registryOf } from '../../src/artifacts/registry-image.js';
import { type ChartServer, content, serveCharts } from '../support/chart-server.js';

let server: ChartServer;
beforeAll(async () => {
  server = await serveCharts();
});
afterEach(() => {
  server.paths.clear();
  server.asked.length = 0;
});
afterAll(() => server.close());

const problem = (name: string, mirrors: readonly string[] = []) =>
  imageProblem(`${server.host}/${name}`, mirrors, new AbortController().signal);

it('an image that its registry has is none', async () => {
  server.paths.set('/v2/team/web/manifests/1.0', content('{}'));
  expect(await problem('team/web:1.0')).toBeUndefined();
});

it('one that it does not have is named with the answer', async () => {
  expect(await problem('team/web:1.0')).toBe(`https://${server.host}/v2/team/web/manifests/1.0 answers 404`);
});

it('a registry that wants a login is said to', async () => {
  server.paths.set('/v2/web/manifests/1', (response) => response.writeHead(401, { 'www-authenticate': 'Basic' }).end());
  expect(await problem('web:1')).toMatch(/it wants a login, and kbs has none$/);
});

it('mirrors are asked first, in their order, and the registry last', async () => {
  const mirrors = ['hub', 'other'].map((path) => `https://${server.host}/${path}`);
  expect(await problem('web:1', mirrors)).toMatch(/\/v2\/web\/manifests\/1 answers 404$/);
  expect(server.asked).toEqual(['/v2/hub/web/manifests/1', '/v2/other/web/manifests/1', '/v2/web/manifests/1']);
  server.paths.set('/v2/hub/web/manifests/1', content('{}'));
  expect(await problem('web:1', mirrors)).toBeUndefined();
});

it('a registry stands before the first slash, with its port', () => {
  expect(registryOf('registry.lan:5000/team/web:1')).toBe('registry.lan:5000');
});

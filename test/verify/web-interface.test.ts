import { expect, test } from 'vitest';
import { knownAddons, type WebAddon } from '../../src/addons/index.js';
import type { Host, Output } from '../../src/hosts/host.js';
import { verifyWebInterface } from '../../src/verify/web-interface.js';

/** A control plane that answers in this order, and keeps what it was asked. */
const answering = (...outputs: readonly Partial<Output>[]) => {
  const asked: string[] = [];
  const left = [...outputs];
  const query: Host['query'] = async ({ script }) => {
    asked.push(script);
    return { code: 0, stdout: '', stderr: '', ...left.shift() };
  };
  return { asked, host: { name: 'x', query, mutate: () => Promise.reject(new Error('nothing is changed')) } as Host };
};

const limits = {};

const known = (name: string): WebAddon => {
  const found = knownAddons.find((each) => each.name === name);
  if (found?.web === undefined) throw new Error(`${name} has none`);
  return { ...found, web: found.web };
};

test('the dashboard answers at its Service', async () => {
  const { host, asked } = answering({});
  expect(await verifyWebInterface(known('dashboard'), host, { patience: 0, limits })).toMatchObject([
    { proof: 'web interface', name: 'dashboard', ok: true, detail: 'answers' },
  ]);
  expect(asked.join()).toContain('/api/v1/namespaces/headlamp/services/headlamp:80/proxy/ ');
});

test('Rancher is asked where it needs no log-in', async () => {
  const { host, asked } = answering({});
  await verifyWebInterface(known('rancher'), host, { patience: 0, limits });
  expect(asked.join()).toContain('/services/rancher:80/proxy/ping ');
});

test('one that does not answer says why', async () => {
  const { host } = answering({ code: 1, stderr: 'Error from server: no endpoints available for service "headlamp"\n' });
  const [result] = await verifyWebInterface(known('dashboard'), host, { patience: 0, limits });
  expect(result).toMatchObject({ ok: false, detail: expect.stringContaining('no endpoints available') });
});

import { expect, test } from 'vitest';
import { Failure } from '../../src/failure.js';
import { nodes } from '../../src/inventory/cluster.js';
import { imageReference, verifyPulls } from '../../src/verify/pulls.js';
import { clusterOf } from '../support/cluster.js';
import { scriptedHost } from '../support/scripted-host.js';

test.each([
  ['nginx', 'docker.io/library/nginx:latest'],
  ['nginx:1.29', 'docker.io/library/nginx:1.29'],
  ['grafana/grafana', 'docker.io/grafana/grafana:latest'],
  ['registry.lan/shop', 'registry.lan/shop:latest'],
  ['registry.lan:5000/shop', 'registry.lan:5000/shop:latest'],
  ['localhost/shop:1', 'localhost/shop:1'],
  ['quay.io/a/b@sha256:0123', 'quay.io/a/b@sha256:0123'],
])('%s is %s', (image, reference) => expect(imageReference(image)).toBe(reference));

test('each node that cannot pull an image says why, in the words of containerd', async () => {
  const all = nodes(clusterOf());
  const open = ({ name }: { readonly name: string }) =>
    scriptedHost(name, ({ text }) => {
      expect(text).toContain('images pull --hosts-dir /etc/containerd/certs.d registry.lan/shop:1.4');
      if (name === 'controller-00') return {};
      if (name === 'worker-rack-00') throw new Failure('unreachable', `${name} does not answer`);
      return { code: 1, stderr: 'ctr: failed to resolve image: unexpected status: 401 Unauthorized\n' };
    });
  const results = await verifyPulls('registry.lan/shop:1.4', all, open, {});
  expect(results.map(({ proof, name, ok, detail }) => [proof, name, ok, detail])).toEqual([
    ['image pull', 'controller-00 pulls registry.lan/shop:1.4', true, 'pulled, and deleted again'],
    [
      'image pull',
      'worker-office-00 pulls registry.lan/shop:1.4',
      false,
      'ctr: failed to resolve image: unexpected status: 401 Unauthorized',
    ],
    ['image pull', 'worker-rack-00 pulls registry.lan/shop:1.4', false, 'worker-rack-00 does not answer'],
  ]);
});

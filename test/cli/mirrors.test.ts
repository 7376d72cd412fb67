import { expect, it } from 'vitest';
import { publishedHosts } from '../../src/artifacts/upstream/sources.js';
import { mirrorsOf } from '../../src/cli/mirrors.js';
import { failuresIn } from '../../src/failure.js';

const refused = (...flags: readonly string[]): readonly string[] => {
  try {
    return [JSON.stringify(mirrorsOf(flags, publishedHosts()))];
  } catch (error) {
    return failuresIn(error).map(({ message }) => message);
  }
};

it('every host that is asked may have a mirror', () => {
  const hosts = [
    'dl.k8s.io',
    'github.com',
    'get.helm.sh',
    'registry.k8s.io',
    'quay.io',
    'docker.io',
    'proxy.golang.org',
  ];
  expect(publishedHosts().toSorted()).toEqual(hosts.toSorted());
  expect(mirrorsOf(['dl.k8s.io=https://mirror.lan:8443/k8s'], hosts)).toEqual({
    'dl.k8s.io': 'https://mirror.lan:8443/k8s',
  });
});

it.each([
  ['dl.k8s.io', /^--mirror dl[.]k8s[.]io is no HOST=URL/],
  ['dl.k8s.io=http://mirror.lan', /is no HOST=URL/],
  ['dl.k8s.io=https://ann:pa55@mirror.lan', /^--mirror dl[.]k8s[.]io=https:\/\/mirror[.]lan is no HOST=URL/],
  ['dl.k8s.io=https://mirror.lan?key=x', /is no HOST=URL/],
  ['dl.k8.io=https://mirror.lan', /^a bundle has nothing of dl[.]k8[.]io/],
  ['registry-1.docker.io=https://mirror.lan', /^a bundle has nothing of registry-1[.]docker[.]io/],
])('%s is refused', (flag, expected) => {
  const said = refused(flag);
  expect(said).toHaveLength(1);
  expect(said[0]).toMatch(expected);
});

import { expect, it } from 'vitest';
import { publishedHosts } from '../../src/artifacts/upstream/sources.js';
import { failuresIn } from '../../src/failure.js';
import { parseInventory } from '../../src/inventory/load.js';

const withArtifacts = (artifacts: string): string => `apiVersion: kbs/v1
cluster: c
kubernetes: { version: 1.36.3 }
${artifacts}
network: { pods: 10.244.0.0/16, services: 10.96.0.0/16, segments: { lan: { cidr: 192.0.2.0/24 } } }
hosts: { cp: { address: 192.0.2.10, roles: [control-plane] } }
`;

const refused = (artifacts: string): readonly string[] => {
  try {
    parseInventory(withArtifacts(artifacts), 'kbs.yaml', ['1.36.3'], publishedHosts());
    return [];
  } catch (error) {
    return failuresIn(error).map(({ message, where }) => `${where.position}: ${message}`);
  }
};

it.each<[string, readonly RegExp[]]>([
  ['artifacts: { source: upstream, fetch: hosts, mirrors: { dl.k8s.io: "https://mirror.lan" } }', []],
  [
    'artifacts:\n  mirrors:\n    dl.k8.io: https://mirror.lan\n    docker.io: https://mirror.lan\n    ghcr.io: https://mirror.lan',
    [
      /^kbs[.]yaml:6:5: artifacts[.]mirrors[.].*dl[.]k8[.]io.* is asked for nothing; did you mean dl[.]k8s[.]io\?$/,
      /^kbs[.]yaml:8:5: .*ghcr[.]io.* is asked for nothing; write one of dl[.]k8s[.]io, github[.]com, /,
    ],
  ],
  [
    'artifacts: { fetch: hosts }',
    [
      /^kbs[.]yaml:4:21: artifacts[.]fetch is hosts, and the source is auto; write source: upstream, or fetch: operator$/,
    ],
  ],
  [
    'artifacts: { source: upstream, bundle: ./b, fetch: hosts }',
    [/^kbs[.]yaml:4:52: artifacts[.]fetch is hosts, which take nothing from the bundle; leave out one of them$/],
  ],
])('%s', (artifacts, expected) => {
  const said = refused(artifacts);
  expect(said).toHaveLength(expected.length);
  expected.forEach((each, index) => void expect(said[index]).toMatch(each));
});

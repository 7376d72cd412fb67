import { describe, expect, it, test } from 'vitest';
import type { RegistryRule } from '../../../src/inventory/cluster.js';
import { registryFiles } from '../../../src/phases/node/registries.js';
import { runtime } from '../../../src/phases/node/runtime.js';
import { reveal, Secret } from '../../../src/secret.js';
import { clusterOf } from '../../support/cluster.js';
import { contextOf } from '../../support/site.js';

const rule = (settings: Partial<RegistryRule>): RegistryRule => ({
  name: 'docker.io',
  mirrors: [],
  plainHttp: false,
  ...settings,
});

const credentials = { registryPassword: (name: string) => new Secret(`secret of ${name}`) };

const filesOf = (settings: Partial<RegistryRule>) =>
  Object.fromEntries(
    registryFiles({ registries: [rule(settings)] }, credentials).map(({ path, content }) => [
      path.replace('/etc/containerd/certs.d/', ''),
      String(content),
    ]),
  );

describe('how containerd reaches registries', () => {
  test.each<[string, Partial<RegistryRule>, Readonly<Record<string, string>>]>([
    [
      'by mirrors, before the host that has the images of Docker Hub',
      { mirrors: ['https://mirror.lan', 'http://other.lan:5000/hub'] },
      {
        'docker.io/hosts.toml': `# Written by kbs.
server = "https://registry-1.docker.io"

[host."https://mirror.lan"]
  capabilities = ['pull', 'resolve']

[host."http://other.lan:5000/hub"]
  capabilities = ['pull', 'resolve']
`,
      },
    ],
    [
      'by a mirror that keeps it below a path of the API',
      { name: 'quay.io', mirrors: ['https://harbor.lan/v2/quay'] },
      {
        'quay.io/hosts.toml': `# Written by kbs.
server = "https://quay.io"

[host."https://harbor.lan/v2/quay"]
  capabilities = ['pull', 'resolve']
  override_path = true
`,
      },
    ],
    [
      'without TLS',
      { name: 'registry.lan:5000', plainHttp: true },
      { 'registry.lan:5000/hosts.toml': '# Written by kbs.\nserver = "http://registry.lan:5000"\n' },
    ],
    [
      'with authorities of the owner, for mirrors as well, where no registry is named',
      { name: '*', mirrors: ['https://mirror.lan'], ca: 'PEM\n' },
      {
        '_default/ca.crt': 'PEM\n',
        '_default/hosts.toml': `# Written by kbs.
ca = "/etc/containerd/certs.d/_default/ca.crt"

[host."https://mirror.lan"]
  capabilities = ['pull', 'resolve']
  ca = "/etc/containerd/certs.d/_default/ca.crt"
`,
      },
    ],
  ])('%s', (_, settings, files) => expect(filesOf(settings)).toEqual(files));

  it('with credentials, each for its own host, in files that root alone reads and no plan shows', () => {
    const auth = { username: 'puller', password: { variable: 'X' } };
    const registries = [
      rule({ name: 'registry.lan:5000', auth }),
      rule({ name: 'quay.io', mirrors: ['https://registry.lan:5000/v2/quay', 'https://other.lan'] }),
      rule({ name: 'other.lan' }),
    ];
    const files = registryFiles({ registries }, credentials);
    expect(files.map(({ path, mode, content }) => [path.split('/').at(-2), mode, content instanceof Secret])).toEqual([
      ['registry.lan:5000', '0600', true],
      ['quay.io', '0600', true],
      ['other.lan', '0644', false],
    ]);
    const [own, mirrored] = files.map(({ content }) => reveal(content));
    const sent = `Basic ${Buffer.from('puller:secret of registry.lan:5000').toString('base64')}`;
    expect(own).toBe(`# Written by kbs.
server = "https://registry.lan:5000"

[header]
  Authorization = "${sent}"
`);
    expect(mirrored).toBe(`# Written by kbs.
server = "https://quay.io"

[host."https://registry.lan:5000/v2/quay"]
  capabilities = ['pull', 'resolve']
  override_path = true

[host."https://registry.lan:5000/v2/quay".header]
  Authorization = "${sent}"

[host."https://other.lan"]
  capabilities = ['pull', 'resolve']
`);
    expect(JSON.stringify(files)).not.toContain(sent);
  });

  it('through a proxy, but for the networks of the cluster', () => {
    const cluster = clusterOf({ proxy: { url: 'http://proxy.lan:3128/%20', exclude: ['10.0.0.0/8', '.lan'] } });
    const node = cluster.hosts.find(({ roles }) => roles.includes('worker'));
    if (!node) throw new Error('no worker');
    const unit = runtime.resources(node, contextOf(cluster)).find(({ kind }) => kind === 'unit');
    const lines = unit?.kind === 'unit' ? unit.text.split('\n').filter((line) => line.startsWith('Environment=')) : [];
    expect(lines).toEqual(
      [
        'HTTP_PROXY=http://proxy.lan:3128/%%20',
        'http_proxy=http://proxy.lan:3128/%%20',
        'HTTPS_PROXY=http://proxy.lan:3128/%%20',
        'https_proxy=http://proxy.lan:3128/%%20',
        'NO_PROXY=10.0.0.0/8,.lan',
        'no_proxy=10.0.0.0/8,.lan',
      ].map((setting) => `Environment="${setting}"`),
    );
  });
});

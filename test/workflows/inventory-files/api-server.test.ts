import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { parse } from 'yaml';
import { failuresIn } from '../../../src/failure.js';
import { controlPlane } from '../../../src/phases/control-plane/control-plane.js';
import { loadCluster } from '../../../src/workflows/load-cluster.js';
import { contextOf } from '../../support/site.js';

const inventory = (apiServer: string, style = 'static-pods') => `apiVersion: kbs/v1
cluster: one
kubernetes: { version: 1.36.3, controlPlane: ${style}, apiServer: ${apiServer} }
network:
  segments:
    lan: { cidr: 10.1.0.0/24 }
hosts:
  cp: { address: 10.1.0.10, roles: [control-plane] }
`;

const policy = `apiVersion: audit.k8s.io/v1
kind: Policy
rules:
  - level: RequestResponse
    resources: [{ group: apps, resources: [deployments] }]
  - level: None
    nonResourceURLs: [/healthz*]
`;

const admission = `apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
  - name: PodSecurity
    configuration:
      apiVersion: pod-security.admission.config.k8s.io/v1
      kind: PodSecurityConfiguration
      defaults: { enforce: baseline }
`;

const authentication = `apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
  - issuer: { url: https://id.example.com, audiences: [kubernetes] }
    claimMappings:
      username: { claim: email, prefix: "oidc:" }
      groups: { expression: claims.groups }
`;

describe('files of the owner for API servers', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kbs-api-server-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const load = (apiServer: string, style?: string) =>
    loadCluster(join(folder, 'kbs.yaml'), inventory(apiServer, style));

  const refusals = async (apiServer: string): Promise<readonly string[]> => {
    const error = await load(apiServer).catch((thrown: unknown) => thrown);
    return failuresIn(error).map(({ message, where }) => `${where.position} ${message}`.replaceAll(`${folder}/`, ''));
  };

  const resourcesIn = async (style: string) => {
    writeFileSync(join(folder, 'audit.yaml'), policy);
    writeFileSync(join(folder, 'admission.yaml'), admission);
    writeFileSync(join(folder, 'oidc.yaml'), authentication);
    const files = '{ audit: { policy: audit.yaml }, admission: ./admission.yaml, authentication: oidc.yaml }';
    const { cluster } = await load(files, style);
    const [host] = cluster.hosts;
    if (host === undefined) throw new Error('no host');
    return controlPlane.resources(host, contextOf(cluster));
  };

  it('lie on control planes for root alone, with what kbs itself needs', async () => {
    const files = (await resourcesIn('static-pods')).flatMap((each) => (each.kind === 'file' ? [each] : []));
    const at = (name: string) => files.find(({ path }) => path === `/etc/kubernetes/${name}.yaml`);
    for (const [name, written] of Object.entries({ 'audit-policy': policy, admission })) {
      expect(at(name)?.mode).toBe('0600');
      expect(parse(String(at(name)?.content))).toEqual(parse(written));
    }
    expect(at('authentication')?.mode).toBe('0600');
    expect(parse(String(at('authentication')?.content))).toEqual({
      ...parse(authentication),
      anonymous: expect.objectContaining({ enabled: true, conditions: expect.arrayContaining([{ path: '/livez' }]) }),
    });
  });

  it('are read by the API server in both styles', async () => {
    const pods = await resourcesIn('static-pods');
    const pod = pods.find((each) => each.kind === 'file' && each.path.endsWith('manifests/kube-apiserver.yaml'));
    const manifest = parse(pod?.kind === 'file' ? String(pod.content) : '');
    const [container] = manifest.spec.containers;
    expect(container.command).toContain('--admission-control-config-file=/etc/kubernetes/admission.yaml');
    expect(container.volumeMounts).toContainEqual({
      name: 'admission',
      mountPath: '/etc/kubernetes/admission.yaml',
      readOnly: true,
    });
    const units = await resourcesIn('systemd');
    const unit = units.find((each) => each.kind === 'unit' && each.name === 'kube-apiserver.service');
    expect(unit?.kind === 'unit' && unit.text).toContain(
      'LoadCredential=admission.yaml:/etc/kubernetes/admission.yaml',
    );
  });

  it('are refused where they cannot be read, at their place in the inventory', async () => {
    expect(await refusals('{ audit: { policy: audit.yaml }, authentication: . }')).toEqual([
      expect.stringMatching(/^kbs\.yaml:3:89 kubernetes\.apiServer\.audit\.policy: cannot read audit\.yaml: ENOENT/),
      expect.stringMatching(/^kbs\.yaml:3:119 kubernetes\.apiServer\.authentication: cannot read .*: EISDIR/),
    ]);
  });

  test.each<[string, string, string, readonly string[]]>([
    [
      '{ audit: { policy: f.yaml } }',
      'an empty policy',
      '',
      ['1:1 the file is empty; write a Policy of audit.k8s.io/v1'],
    ],
    [
      '{ audit: { policy: f.yaml } }',
      'a policy of another kind',
      'apiVersion: audit.k8s.io/v1\nkind: Pod\nrules: []\n',
      ['2:7 kind: Pod is not known; write Policy', '3:8 rules: [] holds no rule; write one like { level: Metadata }'],
    ],
    [
      '{ audit: { policy: f.yaml } }',
      'a policy with mistakes',
      `apiVersion: audit.k8s.io/v1
kind: Policy
rules:
  - level: Metdata
    verb: [get]
`,
      [
        '4:12 rules[0].level: Metdata is not one of None, Metadata, Request, RequestResponse; did you mean Metadata?',
        '5:5 rules[0].verb is not known; did you mean verbs?',
      ],
    ],
    [
      '{ audit: { policy: f.yaml } }',
      'rules that no API server takes',
      `apiVersion: audit.k8s.io/v1
kind: Policy
rules:
  - level: None
    nonResourceURLs: [healthz, /a*b]
    namespaces: [kube-system]
  - level: None
    resources: [{ group: apps/v1, resourceNames: [web] }]
`,
      [
        '5:5 rules[0].nonResourceURLs: stands beside resources or namespaces; write two rules',
        '5:23 rules[0].nonResourceURLs[0]: healthz is no path; write one that begins with / and has * only as its end',
        '5:32 rules[0].nonResourceURLs[1]: /a*b is no path; write one that begins with / and has * only as its end',
        '8:26 rules[1].resources[0].group: apps/v1 has a version; leave out what follows the /',
        '8:35 rules[1].resources[0].resourceNames: needs `resources` beside it',
      ],
    ],
    [
      '{ admission: f.yaml }',
      'a plugin with a file of its own',
      `apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
  - name: PodSecurity
    path: pod-security.yaml
`,
      [
        '5:5 plugins[0].path: names a file that kbs does not bring to the hosts; write what it holds as `configuration`',
      ],
    ],
    [
      '{ admission: f.yaml }',
      'what is no YAML',
      'a: [\n',
      ['2:1 this is not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]'],
    ],
    [
      '{ authentication: f.yaml }',
      'rights of anonymous requests',
      `${authentication}anonymous: { enabled: false }\n`,
      [
        '8:1 anonymous: cannot be set here: kbs lets anonymous requests reach health endpoints, and what `kubeadm join` begins with',
      ],
    ],
    [
      '{ authentication: f.yaml }',
      'issuers that no API server takes',
      `apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
  - issuer: { url: https://id.example.com, audiences: [a, b] }
    claimMappings:
      username: { claim: sub }
      groups: { claim: groups, expression: claims.groups }
  - issuer: { url: https://id.example.com, audiences: [a] }
    claimMappings:
      username: { expression: claims.sub, prefix: "a:" }
      uid: {}
`,
      [
        '4:44 jwt[0].issuer.audiences: are several, which needs `audienceMatchPolicy: MatchAny` beside it',
        '6:19 jwt[0].claimMappings.username.claim: needs `prefix` beside it, which may be an empty text',
        '7:7 jwt[0].claimMappings.groups: needs either `claim` or `expression`',
        '8:20 jwt[1].issuer.url: https://id.example.com is that of jwt[0] too',
        '10:43 jwt[1].claimMappings.username.prefix: has no meaning beside `expression`',
        '11:7 jwt[1].claimMappings.uid: needs either `claim` or `expression`',
      ],
    ],
    [
      '{ authentication: f.yaml }',
      'an issuer without TLS',
      authentication.replace('https:', 'http:'),
      ['4:20 jwt[0].issuer.url: http://id.example.com is not an https address; write one like https://id.example.com'],
    ],
  ])('%s is refused with %s', async (apiServer, _, content, said) => {
    writeFileSync(join(folder, 'f.yaml'), content);
    expect(await refusals(apiServer)).toEqual(said.map((each) => `f.yaml:${each}`));
  });
});

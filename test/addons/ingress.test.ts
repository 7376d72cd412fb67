import { describe, expect, it } from 'vitest';
import { ingress } from '../../src/addons/ingress.js';
import type { Cluster, IngressAddon } from '../../src/inventory/cluster.js';
import { revealed } from '../../src/resources/release-preview.js';
import { Secret } from '../../src/secret.js';
import { clusterOf, hostOf } from '../support/cluster.js';

const addon: IngressAddon = { is: 'ingress', name: 'ingress', values: {}, adopt: false, timeoutSeconds: 300 };
const credentials = {
  ca: 'the authority',
  caKey: new Secret('its key'),
  shown: { certificate: 'the certificate', key: new Secret('the key') },
};
const valuesIn = (cluster: Cluster) =>
  ingress.values(addon, cluster, () => ({ repository: 'kbs.local/traefik', tag: 'v3.6.12' }), credentials);

describe('Traefik behind load balancers', () => {
  const values = valuesIn(
    clusterOf({
      endpoint: { host: 'x', address: '192.168.10.5', port: 6443, ingress: true },
      hosts: [
        hostOf({ name: 'lb-00', address: '192.168.10.3', segment: 'office', roles: ['load-balancer'] }),
        hostOf({
          name: 'lb-01',
          address: '192.168.10.4',
          segment: 'office',
          roles: ['load-balancer', 'worker'],
          podCidr: '10.244.5.0/24',
        }),
      ],
    }),
  );

  it('is reached at NodePorts of its own node, and believes the load balancers and no other host', () => {
    const trustedIPs = ['192.168.10.3/32', '192.168.10.4/32', '10.244.5.1/32'];
    expect(values).toMatchObject({
      deployment: { kind: 'DaemonSet' },
      service: { spec: { type: 'NodePort', externalTrafficPolicy: 'Local' } },
      ports: {
        web: { nodePort: 30080, proxyProtocol: { trustedIPs } },
        websecure: { nodePort: 30043, proxyProtocol: { trustedIPs } },
      },
    });
    expect(JSON.stringify(values)).not.toContain('hostPort');
  });

  it('gives Ingress objects the address of the endpoint', () => {
    expect(values.providers).toEqual({
      kubernetesIngress: { publishedService: { enabled: false }, ingressEndpoint: { ip: '192.168.10.5' } },
    });
  });
});

describe('Traefik without load balancers', () => {
  it('has ports of every worker, and believes no PROXY header', () => {
    const values = valuesIn(clusterOf());
    expect(values).toMatchObject({
      service: { spec: { type: 'ClusterIP' } },
      ports: { web: { hostPort: 80 }, websecure: { hostPort: 443 } },
      // A port of a host is for one pod at a time.
      updateStrategy: { rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
    });
    expect(JSON.stringify(values)).not.toMatch(/trustedIPs|nodePort|ingressEndpoint/);
  });
});

it('its image is that of the bundle', () => {
  expect(valuesIn(clusterOf()).image).toMatchObject({ registry: 'kbs.local', repository: 'traefik', tag: 'v3.6.12' });
});

describe('its default certificate', () => {
  const values = valuesIn(clusterOf());

  it('is in a Secret that Traefik reads as files', () => {
    const [secret] = revealed(values.extraObjects) as readonly { data: Record<string, string>; metadata: object }[];
    const files = Object.entries(secret?.data ?? {}).map(([name, text]) => [
      name,
      Buffer.from(text, 'base64').toString(),
    ]);
    expect(Object.fromEntries(files)).toEqual({
      'tls.crt': 'the certificate',
      'tls.key': 'the key',
      'default.yml': JSON.stringify({
        tls: {
          stores: {
            default: {
              defaultCertificate: { certFile: '/etc/traefik-default/tls.crt', keyFile: '/etc/traefik-default/tls.key' },
            },
          },
        },
      }),
    });
    expect(values.additionalArguments).toContain('--providers.file.watch=true');
    expect(values.volumes).toMatchObject([{ name: 'traefik-default', type: 'secret' }]);
    expect(secret?.metadata).toMatchObject({ name: 'traefik-default' });
  });

  it('has its key in no text that is printed', () => {
    const text = JSON.stringify(values);
    expect(text).not.toContain('the key');
    expect(text).not.toContain(Buffer.from('the key').toString('base64'));
  });
});

import { expect, it } from 'vitest';
import { placeholderCredentials } from '../../src/pki/placeholder.js';
import { reveal } from '../../src/secret.js';
import { clusterOf } from '../support/cluster.js';

const textsOf = (host: string): Readonly<Record<string, string>> => {
  const credentials = placeholderCredentials(clusterOf());
  return Object.fromEntries([
    ...credentials.files(host).map(({ path, content }) => [path, reveal(content)] as const),
    ['kubelet.conf', credentials.kubeconfig('kubelet', host).reveal()],
  ]);
};

it('placeholders describe the real texts', () => {
  expect(textsOf('worker-rack-00')).toEqual({
    'ca.crt': '(certificate: CN=kubernetes, issued by itself)\n',
    '/var/lib/kubelet/pki/kubelet.crt':
      '(certificate: CN=system:node:worker-rack-00, O=system:nodes, issued by kubernetes-ca, for worker-rack-00 192.168.20.20)\n',
    '/var/lib/kubelet/pki/kubelet.key': '(private key: CN=system:node:worker-rack-00, O=system:nodes)\n',
    'kubelet.conf': `apiVersion: "v1"
kind: "Config"
clusters:
  - name: "hybrid"
    cluster:
      server: "https://192.168.10.10:6443"
      certificate-authority-data: "(certificate: CN=kubernetes, issued by itself)"
users:
  - name: "system:node:worker-rack-00"
    user:
      client-certificate-data: "(certificate: CN=system:node:worker-rack-00, O=system:nodes, issued by kubernetes-ca)"
      client-key-data: "(private key: CN=system:node:worker-rack-00, O=system:nodes)"
contexts:
  - name: "system:node:worker-rack-00@hybrid"
    context:
      cluster: "hybrid"
      user: "system:node:worker-rack-00"
current-context: "system:node:worker-rack-00@hybrid"
`,
  });
});

it('placeholders are the same every time', () => {
  expect(textsOf('controller-00')).toEqual(textsOf('controller-00'));
});

import { describe, expect, it } from 'vitest';
import { mirroredUrl, repositoryUrl } from '../../../src/artifacts/upstream/mirrors.js';

const mirrors = { 'dl.k8s.io': 'https://mirror.lan/k8s/', 'registry.k8s.io': 'https://harbor.lan:8443/k8s' };

describe('a mirror', () => {
  it.each([
    ['https://dl.k8s.io/release/v1/kubelet', 'https://mirror.lan/k8s/release/v1/kubelet'],
    ['https://github.com/a/b', 'https://github.com/a/b'],
  ])('of files: %s', (url, expected) => expect(mirroredUrl(url, mirrors)).toBe(expected));

  it.each([
    ['registry.k8s.io/coredns/coredns', 'https://harbor.lan:8443/v2/k8s/coredns/coredns'],
    ['quay.io/coreos/etcd', 'https://quay.io/v2/coreos/etcd'],
    ['docker.io/coredns/coredns', 'https://registry-1.docker.io/v2/coredns/coredns'],
  ])('of a registry: %s', (repository, expected) => expect(repositoryUrl(repository, mirrors)).toBe(expected));
});

import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { Failure } from '../../failure.js';

/**
 * sha256 in hex of published files, by their address. What is pinned here needs no checksum from the network; the rest is
 * compared with the checksum that its project publishes beside it.
 */
export const knownPins: Pins = {
  'https://dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubelet':
    '46707a53209f826ad0f0d62371ac69cd00e78fd9a8176cf5f6f87f18f7f8b718',
  'https://dl.k8s.io/release/v1.36.3/bin/linux/arm64/kubelet':
    '57205a5daf5883873d87b4914e1e00bdd7707acd075714788cfb0fc1f60bc414',
  'https://dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubectl':
    'ebbd080e7c2e275093b55915722043257eb24004363e20acb3c4d71919f88336',
  'https://dl.k8s.io/release/v1.36.3/bin/linux/arm64/kubectl':
    '3d86f24401c41ae5a46ac50eef8865fe891d3647d324a0836f6c63757a126e62',
  'https://dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubeadm':
    'bba1733c701bf70ec74ba1cc3fd5745404c1134a8a4b0a5f8560cc9832023421',
  'https://dl.k8s.io/release/v1.36.3/bin/linux/arm64/kubeadm':
    '276cfbdc43b10fef663288cc1ed76abf77b1b7f700e9f1c053cb5dc3115484de',
  'https://github.com/containernetworking/plugins/releases/download/v1.9.1/cni-plugins-linux-amd64-v1.9.1.tgz':
    'b98f74a0f8522f0a83867178729c1aa70f2158f90c45a2ca8fa791db1c76b303',
  'https://github.com/containernetworking/plugins/releases/download/v1.9.1/cni-plugins-linux-arm64-v1.9.1.tgz':
    '56171987d3947707c3563db2f4001bccaf50fd63468611b9f3cbecb1375ee7ec',
};

/** Of a file by its address; of an image by its published reference, as the hex of its manifest's digest. */
export type Pins = Readonly<Record<string, string>>;

/** Reads pins from a JSON file, an object of address, or image, and sha256; a Failure names what is wrong with it. */
export const readPins = async (path: string): Promise<Pins> => {
  const refuse = (...why: readonly string[]): Failure =>
    new Failure('usage', `${path} holds no digests`, {
      where: { resource: path },
      why: why.slice(0, 5),
      next: 'write a JSON object of address and sha256, such as {"https://dl.k8s.io/…/kubelet": "46707a…"}',
    });
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw refuse(String(error));
  });
  try {
    return z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/, 'is no sha256 in hex')).parse(JSON.parse(text));
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw refuse(String(error));
    throw refuse(...error.issues.map(({ path: at, message }) => `${at.map(String).join('.')}: ${message}`));
  }
};

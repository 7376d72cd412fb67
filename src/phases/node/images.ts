import type { ImageArchive, ImageName, PublishedImage } from '../../artifacts/artifacts.js';
import { type ClusterHost, hasEtcdMember, isControlPlane, isNode } from '../../inventory/cluster.js';
import type { Resource } from '../../resources/resource.js';
import { artifactsOf } from '../artifacts-of.js';
import type { Phase, PhaseContext } from '../phase.js';

/** The images that the control plane's static pods need: they come before anything else is copied. */
export const controlPlaneImages: Phase = {
  name: 'control-plane-images',
  ensures: "the control plane's images are in containerd",
  appliesTo: (host, cluster) => isControlPlane(host) && cluster.kubernetes.controlPlane === 'static-pods',
  resources: (host, context) => [
    {
      kind: 'image',
      name: 'control-plane',
      archives: archives(
        [
          'pause',
          ...(hasEtcdMember(host, context.cluster) ? (['etcd'] as const) : []),
          'kube-apiserver',
          'kube-controller-manager',
          'kube-scheduler',
        ],
        host,
        context,
      ),
    },
  ],
};

/**
 * The images that every node needs. A worker has them before its kubelet is started: as soon as the cluster knows of a
 * node it sends pods there, and a kubelet that lacks an image looks for it again after ten seconds.
 */
export const workerImages: Phase = {
  name: 'worker-images',
  ensures: 'the images that every node needs are in containerd',
  appliesTo: (host) => isNode(host) && !isControlPlane(host),
  resources: (host, context) => imagesOfNodes(host, context),
};

/** The same on control planes, which have time for it while the API server starts. */
export const nodeImages: Phase = {
  name: 'node-images',
  ensures: 'the images that every node needs are in containerd',
  appliesTo: (host) => isNode(host) && isControlPlane(host),
  resources: (host, context) => imagesOfNodes(host, context),
};

const imagesOfNodes = (host: ClusterHost, context: PhaseContext): readonly Resource[] => [
  { kind: 'image', name: 'node', archives: archives(needed(context), host, context) },
];

/** Where every component is a unit, kube-proxy needs no image. */
const needed = ({ cluster }: PhaseContext): readonly ImageName[] => [
  'pause',
  ...(cluster.kubernetes.controlPlane === 'static-pods' ? (['kube-proxy'] as const) : []),
  'coredns',
  'probe',
];

/** What brings these images to a host of its architecture, each once: archives that hold them, or where it pulls them from. */
export const archives = (
  names: readonly ImageName[],
  host: ClusterHost,
  context: PhaseContext,
): readonly (ImageArchive | PublishedImage)[] => {
  const artifacts = artifactsOf(host, context);
  const found = names.map((name) => artifacts.image(name));
  return [...new Map(found.map((each) => ['archive' in each ? each.archive.sha256 : each.pull, each])).values()];
};

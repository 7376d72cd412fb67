import type { StorageAddon } from '../inventory/cluster.js';
import type { AddonRecipe } from './addon.js';

/** Folders of the nodes as volumes, by Rancher's local-path-provisioner. */
export const storage: AddonRecipe<StorageAddon> = {
  name: 'storage',
  what: 'volumes in folders of the nodes, with the StorageClass local-path',
  release: 'local-path-provisioner',
  namespace: 'local-path-storage',
  images: ['local-path-provisioner', 'busybox'],
  kubernetes: '1.16',
  needs: [],
  leaves: 'volumes stay with their data, and are not deleted any more when their claims are',
  values: ({ path, reclaim, isDefault }, _cluster, image) => ({
    image: { ...image('local-path-provisioner'), pullPolicy: 'IfNotPresent' },
    // The pod that makes and removes the folder of a volume.
    helperImage: image('busybox'),
    storageClass: { name: storageClass, defaultClass: isDefault, reclaimPolicy: reclaim },
    nodePathMap: [{ node: 'DEFAULT_PATH_FOR_NON_LISTED_NODES', paths: [path] }],
  }),
};

/** The name of the StorageClass, which upstream's manifests have too. */
export const storageClass = 'local-path';

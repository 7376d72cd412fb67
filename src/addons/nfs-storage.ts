import type { NfsStorageAddon } from '../inventory/cluster.js';
import type { AddonRecipe } from './addon.js';

/** Folders of an NFS export as volumes, by the CSI driver of Kubernetes' own project. */
export const nfsStorage: AddonRecipe<NfsStorageAddon> = {
  name: 'nfs-storage',
  what: 'volumes in folders of an NFS export, with the StorageClass nfs',
  release: 'csi-driver-nfs',
  namespace: 'csi-driver-nfs',
  images: [],
  pulls: [
    'nfsplugin:v4.13.4',
    'csi-provisioner:v6.3.0',
    'csi-resizer:v2.2.0',
    'livenessprobe:v2.19.0',
    'csi-node-driver-registrar:v2.17.0',
  ].map((image) => `registry.k8s.io/sig-storage/${image}`),
  published: {
    repository: 'https://raw.githubusercontent.com/kubernetes-csi/csi-driver-nfs/master/charts',
    name: 'csi-driver-nfs',
    version: '4.13.4',
    sha256: '3b923d981776f37b19808a3ad790d88517ff437ffce6fa1b97e3a10bb5f771a6',
  },
  kubernetes: '1.21',
  needs: [],
  leaves: 'volumes stay with their data, and are not deleted any more when their claims are',
  values: ({ server, path, reclaim, isDefault }) => ({
    // Snapshots need kinds that nothing here brings.
    controller: { enableSnapshotter: false },
    storageClass: {
      create: true,
      name: 'nfs',
      ...(isDefault ? { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } } : {}),
      parameters: { server, share: path },
      reclaimPolicy: reclaim,
      volumeBindingMode: 'Immediate',
      // Locks of NFS 3 need a program on every node.
      mountOptions: ['nfsvers=4.1'],
    },
  }),
};

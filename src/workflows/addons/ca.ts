import { Failure } from '../../failure.js';
import { certifiesNames } from '../../inventory/cluster.js';
import { keyringDirectory, readIngressCa } from '../../pki/keyring.js';
import { loadCluster } from '../load-cluster.js';

/** PEM of the certificate of the authority for names of the LAN. Throws where there is none yet. */
export const ingressCaOf = async (file: string): Promise<string> => {
  const { cluster, inventory } = await loadCluster(file);
  const certificate = await readIngressCa(keyringDirectory(inventory, cluster.name));
  if (certificate !== undefined) return certificate;
  throw new Failure('refused', 'the keyring has no authority for names of the LAN yet', {
    next: certifiesNames(cluster)
      ? 'it is made with the first: kbs apply'
      : 'add the controller: kbs addons install ingress',
  });
};

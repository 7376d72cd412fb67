/** The certificates and keys of a host, in kubeadm's layout. */
export const pkiDirectory = '/etc/kubernetes/pki';

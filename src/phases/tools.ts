import { isControlPlane } from '../inventory/cluster.js';
import type { Phase } from './phase.js';
import { binaries } from './runtime.js';

/** What people and kbs itself use on a control plane. They are copied while the API server starts. */
export const tools: Phase = {
  name: 'tools',
  promises: 'kubectl and kubeadm are on the control planes',
  on: isControlPlane,
  resources: (_host, site) => binaries('/usr/local/bin', ['kubectl', 'kubeadm'], site),
};

import { isControlPlane } from '../../inventory/cluster.js';
import { binaries } from '../node/runtime.js';
import type { Phase } from '../phase.js';

/** What people and kbs itself use on a control plane. They are copied while the API server starts. */
export const tools: Phase = {
  name: 'tools',
  ensures: 'kubectl and kubeadm are on the control planes',
  appliesTo: isControlPlane,
  resources: (host, context) => binaries('/usr/local/bin', ['kubectl', 'kubeadm'], host, context),
};

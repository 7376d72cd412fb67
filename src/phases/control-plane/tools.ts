import type { BinaryName } from '../../artifacts/artifacts.js';
import { isControlPlane } from '../../inventory/cluster.js';
import { binaries } from '../node/runtime.js';
import type { Phase, PhaseContext } from '../phase.js';

/** What people and kbs itself use on a control plane. They are copied while the API server starts. */
export const tools: Phase = {
  name: 'tools',
  ensures: 'kubectl and kubeadm are on the control planes, and helm where there are add-ons',
  appliesTo: isControlPlane,
  resources: (host, context) => binaries('/usr/local/bin', ['kubectl', 'kubeadm', ...helm(context)], host, context),
};

/** On every control plane: any of them may have to remove an add-on. */
const helm = ({ cluster }: PhaseContext): readonly BinaryName[] => (cluster.addons?.length ? ['helm'] : []);

import { raw, sh } from '../../hosts/shell.js';
import { type ExternalEtcd, isControlPlane } from '../../inventory/cluster.js';
import { externalHealth } from '../../kubernetes/etcdctl.js';
import { binaries } from '../node/runtime.js';
import type { Gate, Phase } from '../phase.js';

/** The program by which a control plane asks the etcd that others run. */
export const externalEtcd: Phase = {
  name: 'external-etcd',
  ensures: 'etcdctl, which asks the external etcd, is there',
  appliesTo: (host, { kubernetes }) => isControlPlane(host) && kubernetes.externalEtcd !== undefined,
  resources: (host, context) => binaries('/usr/local/bin', ['etcdctl'], host, context),
};

/** An API server without its etcd ends again and again. One endpoint with a quorum is enough; an alarm is no reason to wait. */
export const externalEtcdAnswers = ({ endpoints }: ExternalEtcd): Gate => ({
  name: 'the external etcd answers',
  test: sh`kbs_said=$(${raw(externalHealth(endpoints))}) || :
printf '%s\\n' "$kbs_said"
printf '%s\\n' "$kbs_said" | grep -qE 'is healthy|Active Alarm'`,
  timeoutSeconds: 60,
});

import { Failure } from '../failure.js';
import { mutation } from '../hosts/host.js';
import { lastLines } from '../hosts/last-lines.js';
import { raw, sh } from '../hosts/shell.js';
import { type Cluster, type ClusterHost, controlPlanes } from '../inventory/cluster.js';
import type { ApiHost } from './api-host.js';
import { type Member, memberAt, membersOf, votes } from './etcd-members.js';
import { clientUrl, etcdctl } from './etcdctl.js';

/**
 * Takes a host's member out of etcd, asked of those that stay; a leader hands over first, so that nobody waits for an
 * election. Gives how many were taken out: none where it has left already.
 */
export const leaveEtcd = async (
  host: ClusterHost,
  { before, after, signal }: { readonly before: Cluster; readonly after: Cluster; readonly signal: AbortSignal },
  apiHost: ApiHost,
): Promise<number> => {
  const members = await membersOf(apiHost, before, { signal });
  const member = memberAt(members, host);
  if (member === undefined) return 0;
  const heir = members.find((other) => other !== member && !other.learner && votes(other));
  if (member.status?.leader && heir) await handOver(member, heir, apiHost);
  const staying = controlPlanes(after).map(clientUrl);
  await done(apiHost, sh`${raw(etcdctl(staying))} member remove ${member.id}`, `etcd does not let ${host.name} go`, {
    next: 'see how its members are: kbs etcd status',
  });
  return 1;
};

/** A leader that does not hand over is no reason to stay: the others elect one when it is gone. */
const handOver = async ({ clientUrls }: Member, heir: Member, { host }: ApiHost): Promise<void> => {
  await host.mutate(mutation(sh`${raw(etcdctl(clientUrls))} move-leader ${heir.id} >/dev/null 2>&1 || :`));
};

/**
 * Deletes the Node. The pods of a dead one are deleted too, without waiting for a kubelet that is no more; so whoever
 * owns them may make them again at once.
 */
export const deleteNode = async ({ name }: ClusterHost, apiHost: ApiHost, dead: boolean): Promise<number> => {
  const kubectl = raw(apiHost.kubectl);
  const pods = sh`
${kubectl} delete pods -A --field-selector ${`spec.nodeName=${name}`} --force --grace-period=0 --wait=false >/dev/null 2>&1 || :`;
  const said = await done(
    apiHost,
    `${sh`${kubectl} delete node ${name} --ignore-not-found --timeout=60s`}${dead ? pods : ''}`,
    `the Node ${name} cannot be deleted`,
    { next: 'see how the API is: kbs status' },
  );
  return said.trim() === '' ? 0 : 1;
};

const done = async (
  { host, at }: ApiHost,
  script: string,
  what: string,
  { next }: { readonly next: string },
): Promise<string> => {
  const output = await host.mutate(mutation(script), { timeout: 120_000 });
  if (output.code === 0) return output.stdout;
  throw new Failure('refused', what, { where: { host: at.name }, why: lastLines(output.stderr, 4), next });
};

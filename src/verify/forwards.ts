import { splitOnce } from '../hosts/facts/facts.js';
import { type Host, query, type RunOptions } from '../hosts/host.js';
import { messageOf } from '../hosts/message.js';
import { lines, type Script, sh } from '../hosts/shell.js';
import { type Cluster, type ClusterHost, isLoadBalancer, loadBalancers } from '../inventory/cluster.js';
import { forwardsOf, forwardText } from '../inventory/lan-services.js';
import type { CheckResult } from './check-result.js';
import { askForwards, readForwards } from './forward-states.js';
import { untilProven } from './until-proven.js';

export interface ForwardOptions {
  /** How long failed checks are repeated, in milliseconds: a target may just have been started. */
  readonly patience: number;
  readonly limits: RunOptions;
}

/**
 * Checks every forwarded port: on each load balancer, that at least one target takes connections; and from a host of each
 * segment, that the port is open at the address of the endpoint.
 */
export const verifyForwards = async (
  cluster: Cluster,
  open: (host: ClusterHost) => Host,
  { patience, limits }: ForwardOptions,
): Promise<readonly CheckResult[]> => {
  if (forwardsOf(cluster).length === 0) return [];
  const checks = [
    ...loadBalancers(cluster).map((host) => () => targetsBehind(host, cluster, open(host), limits)),
    ...cluster.network.segments.map(
      ({ name }) =>
        () =>
          portsFrom(hostsIn(name, cluster), cluster, open, limits),
    ),
  ];
  const patient = { patience, pause: 500, signal: limits.signal };
  const proven = checks.map((check) =>
    untilProven(patient, async (elapsed) => {
      const results = await check();
      const ms = elapsed();
      return results.map((each) => ({ ...each, ms }));
    }),
  );
  return (await Promise.all(proven)).flat();
};

const result = (name: string, ok: boolean, detail: string): CheckResult => ({
  proof: 'forwarded ports',
  name,
  ok,
  detail,
  ms: 0,
});

/** What a load balancer says of the targets of each forward. */
const targetsBehind = async (
  { name }: ClusterHost,
  cluster: Cluster,
  host: Host,
  limits: RunOptions,
): Promise<readonly CheckResult[]> => {
  const answer = await ask(host, askForwards(cluster), limits);
  return 'problem' in answer
    ? [result(name, false, `cannot tell which targets answer: ${answer.problem}`)]
    : readForwards(answer.stdout, cluster).map((state) =>
        result(`${name}: ${forwardText(state)}`, state.ok, state.detail),
      );
};

/** Those that are no load balancers come first: their way to the address is that of other machines. */
const hostsIn = (segment: string, { hosts }: Cluster): readonly ClusterHost[] =>
  hosts
    .filter((host) => host.segment === segment)
    .toSorted((a, b) => Number(isLoadBalancer(a)) - Number(isLoadBalancer(b)));

/** Whether each port is open, as the first of these hosts that answers sees it. */
const portsFrom = async (
  hosts: readonly ClusterHost[],
  cluster: Cluster,
  open: (host: ClusterHost) => Host,
  limits: RunOptions,
): Promise<readonly CheckResult[]> => {
  const { address = '' } = cluster.endpoint;
  const forwards = forwardsOf(cluster);
  let problem = '';
  for (const host of hosts) {
    const answer = await ask(open(host), lines(...forwards.map(({ port }) => connect(address, port))), limits);
    if ('problem' in answer) {
      problem ||= answer.problem;
      continue;
    }
    const said = new Map(answer.stdout.split('\n').map(splitOnce));
    return forwards.map(({ port }) => {
      const detail = said.get(String(port)) ?? 'no answer';
      return result(`${host.name} (${host.segment}) → ${address}:${port}`, detail === 'open', detail);
    });
  }
  return hosts
    .slice(0, 1)
    .map(({ segment }) => result(`${segment} → ${address}`, false, `cannot tell, no host answers: ${problem}`));
};

/** Prints the port, and `open` or why it is not. */
const connect = (
  address: string,
  port: number,
): Script => sh`if kbs_said=$(timeout 3 bash -c ${`: </dev/tcp/${address}/${port}`} 2>&1); then echo ${port} open
else echo ${port} "\${kbs_said##*: }"; fi`;

const ask = async (
  host: Host,
  script: Script,
  limits: RunOptions,
): Promise<{ readonly stdout: string } | { readonly problem: string }> => {
  try {
    return await host.query(query(script), { timeout: 60_000, ...limits });
  } catch (error) {
    if (limits.signal?.aborted) throw error;
    return { problem: messageOf(error) };
  }
};

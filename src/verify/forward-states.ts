import { lines, raw, type Script, sh } from '../hosts/shell.js';
import type { Cluster } from '../inventory/cluster.js';
import { type Forward, forwardsOf } from '../inventory/lan-services.js';
import { haproxyAnswer } from '../phases/load-balancer/haproxy-answer.js';

/** What one load balancer says of a port that it passes on. */
export interface ForwardState extends Pick<Forward, 'port' | 'to' | 'targetPort'> {
  /** Whether at least one target takes connections. */
  readonly ok: boolean;
  /** How many targets do, and which do not. */
  readonly detail: string;
}

/** Shell for a load balancer that prints a line for each forward: `forward 443 worker-00=1 worker-01=0`. */
export const askForwards = (cluster: Cluster): Script =>
  lines(
    ...forwardsOf(cluster).map(
      ({ port }) => sh`echo forward ${port} "$(${raw(haproxyAnswer(`/forwards/${port}`))} || :)"`,
    ),
  );

/** The states in what `askForwards` printed, possibly among other lines; one for each forward of the cluster. */
export const readForwards = (output: string, cluster: Cluster): readonly ForwardState[] => {
  const said = new Map(
    output.split('\n').flatMap((line) => {
      const [, port, answer = ''] = /^forward (\d+) (.*)$/.exec(line) ?? [];
      return port === undefined ? [] : [[Number(port), answer] as const];
    }),
  );
  return forwardsOf(cluster).map(({ port, to, targetPort }) => ({
    port,
    to,
    targetPort,
    ...stateOf(said.get(port) ?? ''),
  }));
};

const stateOf = (answer: string): Pick<ForwardState, 'ok' | 'detail'> => {
  const targets = [...answer.matchAll(/(\S+)=([01])/g)].map(([, name = '', up]) => ({ name, up: up === '1' }));
  const down = targets.filter(({ up }) => !up).map(({ name }) => name);
  const up = targets.length - down.length;
  if (targets.length === 0) {
    return { ok: false, detail: 'cannot tell: haproxy does not know this port, or does not answer; try kbs apply' };
  }
  if (up === 0) return { ok: false, detail: `no target answers: ${down.join(', ')}` };
  const missing = down.length === 0 ? '' : `; down: ${down.join(', ')}`;
  const some = targets.length === 1 ? 'the one target answers' : `${up} of ${targets.length} targets answer`;
  return { ok: true, detail: `${some}${missing}` };
};

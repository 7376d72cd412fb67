import { poolAnnotation } from '../addons/load-balancer-services.js';
import { defined } from '../defined.js';
import { type Host, mutation, query, type RunOptions } from '../hosts/host.js';
import { lastLines } from '../hosts/last-lines.js';
import { asRecords, splitRecords } from '../hosts/records.js';
import { lines, raw, type Script, sh, untilTrue } from '../hosts/shell.js';
import type { AddressPool } from '../inventory/cluster.js';
import { kubectl } from '../kubernetes/kubectl.js';
import type { KubeObject } from '../resources/resource.js';
import { applying } from './applying.js';
import { portOf } from './probes.js';

/** A Service of one pool as it was seen. */
export interface PoolService {
  /** Of its pool. */
  readonly segment: string;
  readonly address?: string;
  /** The node that says that it announces the address. */
  readonly node?: string;
  /** Why it has no address. */
  readonly why?: string;
}

/** Makes a Service of each pool in front of the probes, and waits, half a minute at most, until their addresses are announced. */
export const makePoolServices = async (
  pools: readonly AddressPool[],
  host: Host,
  namespace: string,
  limits: RunOptions,
): Promise<readonly PoolService[]> => {
  const services = pools.map(({ segment }, index) => poolService(nameOf(index), segment));
  const { script: apply, payload } = applying(services, namespace);
  const settled = sh`[ "$( { ${raw(addresses(namespace))}; ${raw(announcers(namespace))}; } </dev/null | awk 'NF == 2' | wc -l)" -ge ${2 * pools.length} ]`;
  const script = lines(apply, untilTrue(settled, { seconds: 30, otherwise: sh`break`, pause: 1 }));
  const { stderr } = await host.mutate(mutation(script, [payload]), limits);
  const { stdout } = await host.query(
    query(
      asRecords(
        sh`${raw(addresses(namespace))} </dev/null || :`,
        sh`${raw(announcers(namespace))} </dev/null || :`,
        sh`${raw(warnings(namespace))} </dev/null || :`,
      ),
    ),
    limits,
  );
  const why = lastLines(stderr, 1).join('') || 'none after half a minute';
  return readPoolServices(stdout, pools).map((service) => (service.address ? service : { why, ...service }));
};

const nameOf = (index: number): string => `pool-${index}`;

const poolService = (name: string, pool: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, labels: { 'kbs.dev/probe': 'pool' }, annotations: { [poolAnnotation]: pool } },
  spec: {
    type: 'LoadBalancer',
    selector: { 'kbs.dev/probe': 'pod' },
    ports: [{ port: 80, targetPort: portOf.pod }],
  },
});

/** Prints lines `SERVICE ADDRESS`. */
const addresses = (namespace: string): Script =>
  sh`${raw(kubectl)} --request-timeout=10s -n ${namespace} get services -l kbs.dev/probe=pool -o jsonpath='{range .items[*]}{.metadata.name} {.status.loadBalancer.ingress[0].ip}{"\\n"}{end}'`;

/** Prints lines `SERVICE NODE`: see ServiceL2Status in https://metallb.io/apis/ */
const announcers = (namespace: string): Script =>
  sh`${raw(kubectl)} --request-timeout=10s get servicel2statuses.metallb.io -A -l ${`metallb.io/service-namespace=${namespace}`} -o jsonpath='{range .items[*]}{.metadata.labels.metallb\\.io/service-name} {.metadata.labels.metallb\\.io/node}{"\\n"}{end}'`;

/** Prints lines `SERVICE MESSAGE`. */
const warnings = (namespace: string): Script =>
  sh`${raw(kubectl)} --request-timeout=10s -n ${namespace} get events --field-selector involvedObject.kind=Service,type=Warning -o jsonpath='{range .items[*]}{.involvedObject.name} {.message}{"\\n"}{end}'`;

/** A Service for each pool, from three records of lines that begin with a Service's name: addresses, nodes, warnings. */
export const readPoolServices = (output: string, pools: readonly AddressPool[]): readonly PoolService[] => {
  const [addressOf, nodeOf, warningOf] = splitRecords(output).map(
    (record) => new Map(record.split('\n').map((line) => splitAtBlank(line.trim()))),
  );
  return pools.map(({ segment }, index) => ({
    segment,
    ...defined({
      address: addressOf?.get(nameOf(index)),
      node: nodeOf?.get(nameOf(index)),
      why: warningOf?.get(nameOf(index)),
    }),
  }));
};

const splitAtBlank = (line: string): readonly [string, string | undefined] => {
  const blank = line.indexOf(' ');
  return blank < 0 ? [line, undefined] : [line.slice(0, blank), line.slice(blank + 1)];
};

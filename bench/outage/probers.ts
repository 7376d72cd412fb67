import { referenceOf } from '../../src/artifacts/artifacts.js';
import { openArtifacts } from '../../src/workflows/cluster-artifacts.js';
import { applyObject } from './api.js';
import { type IntervalProber, probeEvery, type Sample } from './interval-prober.js';
import type { Site } from './site.js';

/** What sends requests during the faults. */
export interface Probers {
  /** Reads of a namespace through the endpoint, ten a second. */
  readonly reads: IntervalProber;
  /** Writes of a ConfigMap through the endpoint, two a second. */
  readonly writes: IntervalProber;
  /** Calls of a Service by a pod, ten a second: all that its node knows by now, or the last of them. */
  calls(last?: number): Promise<readonly Sample[]>;
  /** Ends all and removes what was made for it. */
  stop(): Promise<void>;
}

/** Starts all of them and comes back when each gets answers. */
export const startProbers = async (site: Site): Promise<Probers> => {
  const { api } = site;
  await startCaller(site);
  const reads = probeEvery(100, () => api.ask('GET', '/api/v1/namespaces/default', { limit: patience }));
  let counter = 0;
  const writes = probeEvery(500, () =>
    api.ask('PATCH', `${home}/configmaps/beat?fieldManager=kbs-outage&force=true`, {
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'beat' }, data: { beat: String(counter++) } },
      limit: patience,
    }),
  );
  return {
    reads,
    writes,
    calls: (last) => callsOn(site, last),
    async stop() {
      await Promise.all([reads.stop(), writes.stop()]);
      await api.ask('DELETE', home);
    },
  };
};

/** Clients give up after a second. */
const patience = 1_000;

const namespace = 'kbs-outage';
const home = `/api/v1/namespaces/${namespace}`;

/** A pod that answers behind a Service and, in another segment, a pod that calls it over a new connection each time. */
const startCaller = async (site: Site): Promise<void> => {
  const { api, caller, answerer } = site;
  const image = referenceOf(await openArtifacts(site), 'probe');
  await applyObject(api, home, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await until('its service account', () => api.ask('GET', `${home}/serviceaccounts/default`));
  await applyObject(api, `${home}/services/answer`, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'answer' },
    spec: { selector: { app: 'answer' }, ports: [{ port: 80, targetPort: 8080 }] },
  });
  const { spec } = JSON.parse(await api.ask('GET', `${home}/services/answer`)) as { spec: { clusterIP: string } };
  await applyObject(api, `${home}/pods/answer`, pod('answer', answerer, image, ['8080']));
  const url = `http://${spec.clusterIP}/whoami`;
  await applyObject(api, `${home}/pods/caller`, pod('caller', caller, image, ['watch', url]));
  await until('an answer to the calling pod', async () => {
    const last = (await callsOn(site, 1)).at(-1);
    if (last === undefined || last.error !== undefined) throw new Error(last?.error ?? 'no call yet');
  });
};

/** Bound to its node, and never moved: what is measured is the way, not the scheduler. */
const pod = (name: string, node: string, image: string, args: readonly string[]): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: name } },
  spec: {
    nodeName: node,
    terminationGracePeriodSeconds: 0,
    tolerations: [{ operator: 'Exists' }],
    containers: [{ name: 'probe', image, imagePullPolicy: 'IfNotPresent', args }],
  },
});

/** From the node's disk, where all lives of the container are: the API may be away, and forgets those before the last. */
const callsOn = async ({ on, caller }: Site, last?: number): Promise<readonly Sample[]> => {
  const read = last === undefined ? 'cat' : `tail -q -n ${last}`;
  const lines = await on(caller, `${read} /var/log/pods/${namespace}_caller_*/probe/*.log 2>/dev/null || :`);
  const samples = samplesIn(lines).toSorted((a, b) => a.at - b.at);
  return last === undefined ? samples : samples.slice(-last);
};

/** The samples in a container's log: a time, a stream and a mark in front of each line, and at an end half a line. */
export const samplesIn = (log: string): readonly Sample[] =>
  log.split('\n').flatMap((line) => {
    const [, json] = /^\S+ stdout F (\{.*\})$/.exec(line) ?? [];
    return json === undefined ? [] : [JSON.parse(json) as Sample]; // the probe wrote it
  });

const until = async (what: string, holds: () => Promise<unknown>): Promise<void> => {
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      await holds();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`there is not ${what} after a minute`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
};

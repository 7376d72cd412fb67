import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apply } from '../../src/engine/apply.js';
import { compare, toPlan } from '../../src/engine/compare.js';
import type { EventData } from '../../src/engine/event.js';
import { observe, type RunHosts } from '../../src/engine/observe.js';
import { factsScript } from '../../src/hosts/facts/script.js';
import type { Host } from '../../src/hosts/host.js';
import { raw, type Script, sh } from '../../src/hosts/shell.js';
import type { ClusterHost } from '../../src/inventory/cluster.js';
import type { Phase } from '../../src/phases/phase.js';
import type { Resource } from '../../src/resources/resource.js';
import { clusterOf } from '../support/cluster.js';
import { here } from '../support/here.js';
import { withKnownFacts } from '../support/known-facts.js';
import { asScript } from '../support/script.js';
import { contextOf } from '../support/site.js';

type Open = (host: { name: string }) => Host;

/** Those of this machine: asked for once, since no test here changes them. */
let facts: string | undefined;

/** Hosts that are all this machine, and a folder of the test's own with files that show what ran. */
export const stage = () => {
  const cluster = clusterOf();
  const folder = mkdtempSync(join(tmpdir(), 'kbs-engine-'));
  facts ??= execFileSync('sh', ['-eu'], { input: withoutRecords(factsScript), encoding: 'utf8' });

  /** A task that is done when its file exists; when it runs, it appends its name to the file `order`. */
  const mark = (name: string, command = ':'): Resource => ({
    kind: 'task',
    name,
    check: sh`[ -e ${folder}/${name} ]`,
    run: sh`${raw(asScript(command))}; echo ${name} >> ${folder}/order; touch ${folder}/${name}`,
  });

  const lines = (file: string): readonly string[] =>
    existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8').trim().split('\n') : [];

  const run = async (
    runHosts: RunHosts,
    { signal = new AbortController().signal, open = apart(folder) }: { signal?: AbortSignal; open?: Open } = {},
  ) => {
    const events: EventData[] = [];
    const emit = (event: EventData) => events.push(event);
    const seen = await observe(runHosts, contextOf(cluster), open, emit);
    const work = compare(runHosts, seen);
    const outcome = await apply(work, { context: seen.context, open, emit, signal });
    return { events, outcome, plan: toPlan('apply', cluster.name, work) };
  };

  return {
    folder,
    mark,
    lines,
    order: () => lines('order'),
    run,
    clear: () => rmSync(folder, { recursive: true, force: true }),
  };
};

export type Stage = ReturnType<typeof stage>;

/** Gives each host its own lock file: with the one lock of this machine, hosts would change one at a time. */
const apart =
  (folder: string): Open =>
  ({ name }) => {
    const local = here(name);
    return {
      ...local,
      mutate: (mutation, options) =>
        local.mutate(
          { ...mutation, script: asScript(mutation.script.replace('/run/kbs.lock', join(folder, `${name}.lock`))) },
          options,
        ),
      query: (query, options) =>
        local.query({ ...query, script: withoutRecords(withKnownFacts(query.script, facts ?? '')) }, options),
    };
  };

/** Records of kbs on this machine itself must not enter these tests. */
const withoutRecords = (script: Script): Script =>
  asScript(script.replaceAll('/var/lib/kbs/resources', '/nonexistent'));

export const phase = (name: string, resources: readonly Resource[], rest: Partial<Phase> = {}): Phase => ({
  name,
  ensures: name,
  appliesTo: () => true,
  resources: () => resources,
  ...rest,
});

export const hostPhases = (host: ClusterHost | undefined, ...phases: Phase[]) => {
  if (!host) throw new Error('the cluster has fewer hosts than the test needs');
  return { host, phases };
};

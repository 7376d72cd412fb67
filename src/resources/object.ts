import { stringify } from 'yaml';
import { hereDocument, lines, raw, type Script, sh } from '../hosts/shell.js';
import { askKubectl, parseKubectlAnswer } from '../kubernetes/kubectl-answer.js';
import { asApplied, keyOf, listOf, nameOnly, parseObjects } from './kube-object.js';
import { isNodeObject, kbs, setTaints, withFormer, withoutTaints } from './node-object.js';
import { project } from './projection.js';
import type { Kind, KubeObject, ObjectResource, State } from './resource.js';
import { step, Unknown } from './resource.js';

/**
 * Kubernetes objects by server-side apply, asked and applied by the host's own kubectl, all of a resource at once.
 * What the API server and others add to them is left alone. An annotation holds the digest of what was applied, so that
 * a field which is wanted no longer is noticed too. Absent where no control plane is installed on the host; unknown where
 * one is and its API server does not answer.
 */
export const object: Kind<ObjectResource> = {
  kind: 'object',
  callsApi: true,
  id: (resource) => resource.name,
  prelude: askKubectl,
  query: (resource) => {
    const names = hereDocument(listOf(resource.objects.map(nameOnly)), 'END_OF_OBJECTS');
    // managedFields tell which labels of a Node are kbs's own.
    const owners = resource.objects.some(isNodeObject) ? ['--show-managed-fields'] : [];
    return sh`ask_kubectl ${[resource.kubeconfig, 'get', '-f', '-', '-o', 'json', '--ignore-not-found', ...owners]} ${raw(names)}`;
  },
  parse(output, resource) {
    const answer = parseKubectlAnswer(output);
    if (answer.state === 'not installed') return undefined;
    if (answer.state === 'not answered') return new Unknown(answer.reason);
    const live = parseObjects(answer.output);
    if (live === undefined) return new Unknown('kubectl did not print JSON');
    const seen = asApplied(resource).flatMap((wanted) => {
      const found = live.find((candidate) => isSame(candidate, wanted));
      if (found === undefined) return [];
      return [[keyOf(wanted), textOf(project(found, withFormer(wanted, found, managerOf(resource))))] as const];
    });
    return seen.length === 0 ? undefined : Object.fromEntries(seen);
  },
  desired: (resource): State =>
    Object.fromEntries(asApplied(resource).map((wanted) => [keyOf(wanted), textOf(project(wanted, wanted))])),
  apply(resource, seen) {
    const wanted = object.desired(resource);
    const differing = asApplied(resource).filter((each) => seen?.[keyOf(each)] !== wanted[keyOf(each)]);
    const bytes = Buffer.from(listOf(differing.map(withoutTaints)));
    const flags = ['--server-side', '--force-conflicts', `--field-manager=${managerOf(resource)}`, '--validate=ignore'];
    const nodes = managerOf(resource) === kbs ? differing.filter(isNodeObject) : [];
    return [
      step(
        lines(
          sh`head -c ${bytes.length} | ${raw(run(resource))} apply ${flags} -f -`,
          ...(nodes.length > 0 ? [setTaints(run(resource), nodes)] : []),
        ),
        [{ bytes }],
      ),
    ];
  },
  remove(resource, seen) {
    const present = resource.objects.filter((each) => keyOf(each) in seen).toReversed();
    const bytes = Buffer.from(listOf(present.map(nameOnly)));
    return [
      step(sh`head -c ${bytes.length} | ${raw(run(resource))} delete --ignore-not-found --wait=false -f -`, [
        { bytes },
      ]),
    ];
  },
};

const managerOf = ({ manager = kbs }: ObjectResource): string => manager;

/**
 * kubectl writes no cache. `--validate=ignore` spares it the download of the API's schema: in a server-side apply the
 * server refuses unknown fields anyway.
 */
const run = ({ kubeconfig }: ObjectResource): Script =>
  sh`/usr/local/bin/kubectl --kubeconfig ${kubeconfig} --cache-dir=/dev/null --request-timeout=60s`;

const isSame = (live: KubeObject, wanted: KubeObject): boolean =>
  live.kind === wanted.kind &&
  live.apiVersion === wanted.apiVersion &&
  live.metadata.name === wanted.metadata.name &&
  (wanted.metadata.namespace === undefined || live.metadata.namespace === wanted.metadata.namespace);

/** As YAML: what a person reads in a diff. */
const textOf = (value: unknown): string => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });

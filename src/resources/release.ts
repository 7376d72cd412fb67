import { lines, raw, receive, type Script, sh, untilTrue } from '../hosts/shell.js';
import { askKubectl, parseKubectlAnswer } from '../kubernetes/kubectl-answer.js';
import { sha256 } from '../secret.js';
import { previewScript, readPreview, revealed } from './release-preview.js';
import { newestReleases, releaseLabels, releaseRecords, versionLabel } from './release-records.js';
import { asRendered, helmShell } from './release-shell.js';
import type { Kind, Purge, ReleaseResource, State } from './resource.js';
import { step, timedOutCode, Unknown } from './resource.js';

/**
 * A Helm release: a chart with values, installed by the host's own helm. Helm keeps it in Secrets of its namespace, whose
 * labels say what is compared: the chart, kbs's digest of chart and values, and the status. Where these are as wanted, the
 * API server is asked whether the objects still are what the chart rendered (a server-side apply as a dry run). Absent
 * where no control plane is installed on the host; unknown where its API server does not answer.
 */
export const release: Kind<ReleaseResource> = {
  kind: 'release',
  callsApi: true,
  id: ({ namespace, name }) => `${namespace}/${name}`,
  prelude: lines(askKubectl, helmShell),
  // The values may hold a certificate that is made between the plan and its application: the question must be the same.
  query: ({ kubeconfig, namespace, name }) => sh`ask_release ${kubeconfig} ${namespace} ${name}`,
  parse(output, resource) {
    const [objects, printed] = splitOutput(output);
    const answer = parseKubectlAnswer(printed);
    if (answer.state === 'not installed') return undefined;
    if (answer.state === 'not answered') return new Unknown(answer.reason);
    const [found] = newestReleases(releaseRecords(answer.output));
    if (found === undefined || found.status === 'uninstalled') return undefined;
    const { addon, chart = 'unknown', digest = 'none', status } = found;
    const { namespace } = resource;
    // Other values or another chart replace the objects, whatever was done to them.
    const isSame = digest === digestOf(resource);
    const unknown = objects.find((line) => line.startsWith('unknown: '));
    if (isSame && unknown !== undefined) return new Unknown(unknown.slice('unknown: '.length));
    return {
      chart,
      namespace,
      [madeBy]: addon === undefined ? 'another' : 'kbs',
      digest,
      status,
      objects: isSame && objects.length > 0 ? objects.join(', ') : asRendered,
    };
  },
  desired: (resource): State => ({
    chart: chartOf(resource),
    namespace: resource.namespace,
    [madeBy]: 'kbs',
    digest: digestOf(resource),
    status: 'deployed',
    objects: asRendered,
  }),
  preview: {
    query: (resource, seen) => previewScript(resource, seen.digest === digestOf(resource)),
    parse: readPreview,
  },
  apply(resource) {
    const values = Buffer.from(JSON.stringify(revealed(resource.values)));
    return [
      step(
        lines(
          inHome(resource, [
            receive(resource.chart.tgz.length, `${home}/chart.tgz`),
            receive(values.length, `${home}/values.json`),
          ]),
          requireOwn(resource),
          ensureNamespace(resource),
          upgrade(resource),
        ),
        [{ bytes: resource.chart.tgz }, { bytes: values }],
      ),
    ];
  },
  remove: (resource) => [
    step(
      lines(
        inHome(resource),
        uninstall(resource),
        ...(resource.purge === undefined ? [] : [purge(resource, resource.purge)]),
        awaitVolumes(resource),
        removeNamespace(resource),
      ),
    ),
  ],
};

/** The aspect that says whether kbs made a release: `kbs` or `another`. */
export const madeBy = 'made by';

/** What an add-on's objects follow from, as one word: equal words are equal objects. */
const digestOf = ({ name, namespace, chart, values }: ReleaseResource): string =>
  sha256(JSON.stringify([name, namespace, chart.sha256, sorted(revealed(values))])).slice(0, 16);

const sorted = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const fields = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(fields.map(([field, inner]) => [field, sorted(inner)]));
};

const chartOf = ({ chart }: ReleaseResource): string => `${chart.name} ${chart.version}`;

/** The lines about objects that stand before kubectl's answer, and that answer. */
const splitOutput = (output: string): readonly [readonly string[], string] => {
  const all = output.split('\n');
  const end = all.findIndex((line) => !/^objects (unknown|differ): /.test(line));
  const about = all.slice(0, Math.max(end, 0)).map((line) => line.replace(/^objects (differ: )?/, ''));
  return [about, all.slice(Math.max(end, 0)).join('\n')];
};

/** The host's lock is held, so one folder is enough; an interrupted run may have left it. */
const home = '/run/kbs-helm';

const inHome = ({ kubeconfig, namespace }: ReleaseResource, first: readonly Script[] = []): Script =>
  lines(
    sh`rm -rf ${home}; mkdir -m 0700 ${home}
trap 'rm -rf ${raw(sh`${home}`)}' EXIT`,
    ...first,
    helmShell,
    sh`helm_home ${home} ${kubeconfig} ${namespace}`,
  );

/**
 * A release of another is never upgraded. The record of a run of helm that was killed is deleted, for helm would refuse
 * to go on: the revision before it counts again, and what the killed run made belongs to the release by its annotations.
 */
const requireOwn = ({ namespace, name, adopt }: ReleaseResource): Script =>
  sh`kbs_said=$(cluster_kubectl -n ${namespace} get secrets -l ${`owner=helm,name=${name}`} --show-labels --no-headers --ignore-not-found)
kbs_newest=,$(printf '%s\\n' "$kbs_said" | newest_labels),
case $kbs_newest in
  ,,|*,status=uninstalled,*|*,${raw(sh`${releaseLabels.addon}`)}=*) ;;
  *) if [ ${adopt ? 'yes' : 'no'} = no ]; then echo ${`the release ${namespace}/${name} was made without kbs`} >&2; exit 1; fi;;
esac
case $kbs_newest in
  *,status=pending-*)
    kbs_revision=$(printf '%s' "$kbs_newest" | sed 's/.*,version=\\([0-9]*\\),.*/\\1/')
    cluster_kubectl -n ${namespace} delete secret ${`sh.helm.release.v1.${name}`}.v"$kbs_revision" >&2;;
  *,status=uninstalling,*) /usr/local/bin/helm uninstall ${name} --wait >&2;;
esac`;

const ensureNamespace = ({ namespace, addon }: ReleaseResource): Script => {
  const object = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace, labels: { [releaseLabels.addon]: addon } },
  };
  return sh`cluster_kubectl get namespace ${namespace} >/dev/null 2>&1 ||
  printf '%s' ${JSON.stringify(object)} | cluster_kubectl create -f - >/dev/null`;
};

/** Seconds after which helm is not started again because of a webhook; upstream's are ready within about ten. */
const webhookPatience = 60;

/**
 * Where pods do not become ready, helm rolls back and they are gone: the events of the namespace still say why. Ends with
 * the exit status of timeout(1) then. The admission webhook of an add-on, such as MetalLB's and cert-manager's, may not be
 * reached yet, or not trusted, when its pods are ready: helm runs again until it answers, for a while.
 */
const upgrade = (resource: ReleaseResource): Script => {
  const { name, namespace, addon, order, chart, adopt, timeoutSeconds } = resource;
  const labels = Object.entries({
    [releaseLabels.addon]: addon,
    [releaseLabels.digest]: digestOf(resource),
    [releaseLabels.chart]: chart.name,
    [releaseLabels.version]: versionLabel(chart.version),
    [releaseLabels.order]: `${order}`,
  }).map(([label, value]) => `${label}=${value}`);
  const flags = [
    ...['--install', '-f', `${home}/values.json`, '--labels', labels.join(','), '--history-max', '5'],
    ...['--wait', '--wait-for-jobs', '--timeout', `${timeoutSeconds}s`, '--rollback-on-failure'],
    ...['--server-side=true', '--force-conflicts', '--hide-notes'],
    ...(adopt ? ['--take-ownership'] : []),
  ];
  return sh`kbs_since=$(date -u +%Y-%m-%dT%H:%M:%SZ)
kept_kinds > ${home}/kinds-before
upgrade_release() { # succeeds where another run would end the same way
  kbs_code=0
  /usr/local/bin/helm upgrade ${name} ${`${home}/chart.tgz`} ${flags} >/dev/null 2>${home}/why </dev/null || kbs_code=$?
  [ "$kbs_code" = 0 ] || ! grep -q 'failed calling webhook' ${home}/why
}
${raw(untilTrue(sh`upgrade_release`, { seconds: webhookPatience, otherwise: sh`break`, pause: 2 }))}
kept_kinds | grep -vxFf ${home}/kinds-before | while read -r kbs_kind; do
  cluster_kubectl label customresourcedefinition "$kbs_kind" ${`${releaseLabels.addon}=${addon}`} >/dev/null </dev/null
done
if [ "$kbs_code" != 0 ]; then
  release_events ${namespace} "$kbs_since" >&2 || :
  grep . ${home}/why | tail -n 5 >&2
  kbs_webhook=$(sed -n ${webhookName} ${home}/why | head -n 1)
  if [ -n "$kbs_webhook" ]; then
    kbs_webhook="$kbs_webhook$(sed -n ${webhookService} ${home}/why | head -n 1)"
    printf 'the webhook %s has not answered the API server for %s s: see whether its pods run, then apply again\\n' "$kbs_webhook" ${webhookPatience} >&2
    exit ${timedOutCode}
  fi
  if grep -q 'context deadline exceeded' ${home}/why; then exit ${timedOutCode}; fi
  exit 1
fi`;
};

/** For sed: of the API server's words about a webhook, its name, and the Service that it is asked at. */
const webhookName = String.raw`s,.*failed calling webhook "\([^"]*\)".*,\1,p`;
const webhookService = String.raw`s,.*"https://\([^./]*\)\.\([^.:/]*\)\.svc[^"]*".*, (Service \2/\1),p`;

/**
 * helm stops waiting once all objects that it has looked at are gone, before it has looked at the others (statusObserver in
 * its pkg/kube), and then calls those a mistake. They are being deleted, and are waited for here.
 */
const uninstall = ({ name, timeoutSeconds }: ReleaseResource): Script => {
  const timeout = `${timeoutSeconds}s`;
  return sh`kbs_records=$(cluster_kubectl get secrets -l ${`owner=helm,name=${name}`} -o name)
if [ -n "$kbs_records" ] &&
  ! /usr/local/bin/helm uninstall ${name} --ignore-not-found --wait --cascade foreground --timeout ${timeout} >/dev/null 2>${home}/why </dev/null; then
  grep -o 'resource [^ ]* still exists' ${home}/why > ${home}/left || { cat ${home}/why >&2; exit 1; }
  sed 's/^resource //; s/ still exists$//' ${home}/left | while IFS=/ read -r kbs_kind kbs_space kbs_name; do
    cluster_kubectl -n "$kbs_space" wait --for=delete "$kbs_kind/$kbs_name" ${`--timeout=${timeout}`} >/dev/null </dev/null
  done
fi`;
};

/**
 * Once the pods are gone, which claims wait for. Kinds go last: what answers for their finalizers is gone, so an object that
 * has one is named.
 */
const purge = ({ timeoutSeconds }: ReleaseResource, { kinds, claims }: Purge): Script => {
  const flags = ['--ignore-not-found', `--timeout=${timeoutSeconds}s`];
  return lines(
    ...(claims.length === 0 ? [] : [sh`cluster_kubectl delete persistentvolumeclaims ${claims} ${flags} >/dev/null`]),
    ...(kinds.length === 0 ? [] : [sh`cluster_kubectl delete customresourcedefinitions ${kinds} ${flags} >/dev/null`]),
  );
};

/**
 * What provisions volumes may be the next to go: it deletes the volumes of claims that went with the release first, in a
 * minute at most. Those that it cannot delete stay, and have the status Released.
 */
const awaitVolumes = ({ namespace }: ReleaseResource): Script =>
  untilTrue(
    sh`! cluster_kubectl get persistentvolumes -o ${volumeLine} | grep -q ${`^${namespace}=Released=Delete$`}`,
    { seconds: 60, otherwise: sh`break`, pause: 1 },
  );

/** A namespace that kbs made goes too, once nothing is left in it but what every namespace has and what kbs made. Pods may take a while. */
const removeNamespace = ({ namespace }: ReleaseResource): Script =>
  sh`kbs_label=$(cluster_kubectl get namespace ${namespace} --ignore-not-found -o ${`jsonpath={.metadata.labels.${releaseLabels.addon.replaceAll('.', '\\.')}}`})
# Not while another release is in it.
if [ -n "$kbs_label" ] && [ -z "$(cluster_kubectl -n ${namespace} get secrets -l owner=helm -o name)" ]; then
  for kbs_try in 1 2 3 4 5; do
    kbs_rest=$(cluster_kubectl -n ${namespace} get ${namespaced} -l ${`!${releaseLabels.addon}`} -o name | grep -v '^configmap/kube-root-ca.crt$' | tr '\\n' ' ') || :
    [ -n "$kbs_rest" ] || break
    sleep 2
  done
  if [ -z "$kbs_rest" ]; then cluster_kubectl delete namespace ${namespace} --timeout=60s >/dev/null
  else echo "the namespace stays, for it holds $kbs_rest"
  fi
fi`;

const namespaced = [
  'pods',
  'persistentvolumeclaims',
  'services',
  'configmaps',
  'secrets',
  'deployments',
  'statefulsets',
  'daemonsets',
  'jobs',
  'cronjobs',
].join(',');

const volumeLine = `jsonpath={range .items[*]}{.spec.claimRef.namespace}={.status.phase}={.spec.persistentVolumeReclaimPolicy}{"\\n"}{end}`;

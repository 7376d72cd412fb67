import { storageClass } from '../addons/storage.js';
import { type Host, mutation, query } from '../hosts/host.js';
import { lastLines } from '../hosts/last-lines.js';
import { asRecords, splitRecords } from '../hosts/records.js';
import { lines, raw, type Script, sh, untilTrue } from '../hosts/shell.js';
import type { StorageAddon } from '../inventory/cluster.js';
import { kubectl } from '../kubernetes/kubectl.js';
import type { KubeObject } from '../resources/resource.js';
import type { AddonOptions } from './addon-options.js';
import { applying } from './applying.js';
import type { CheckResult } from './check-result.js';
import { podsIn, stateOf } from './probes.js';

/** A claim is bound, one pod writes to it, and another one reads that once the first is gone. */
export const verifyStorage = async (
  { isDefault }: StorageAddon,
  host: Host,
  { namespace, shellImage = '', limits }: AddonOptions,
): Promise<readonly CheckResult[]> => {
  const begun = Date.now();
  const steps = [
    [claim(isDefault), pod('storage-writer', shellImage, `echo ${token} > /data/proof`)],
    [pod('storage-reader', shellImage, 'cat /data/proof')],
  ].map((objects) => applying(objects, namespace));
  const script = lines(
    ...steps.map(({ script: apply }, index) =>
      lines(
        apply,
        ended(namespace, pods[index] ?? ''),
        index === 0
          ? sh`${raw(kubectl)} -n ${namespace} delete pod storage-writer --timeout=30s </dev/null >/dev/null`
          : sh``,
      ),
    ),
  );
  const bounded = { timeout: 180_000, ...limits };
  const { code, stderr } = await host.mutate(
    mutation(
      script,
      steps.map(({ payload }) => payload),
    ),
    bounded,
  );
  const ask = raw(sh`${raw(kubectl)} --request-timeout=15s -n ${namespace}`);
  const seen = await host.query(
    query(
      asRecords(
        sh`${ask} get persistentvolumeclaim storage -o jsonpath='{.status.phase} {.spec.storageClassName} {.spec.volumeName}' 2>&1 || :`,
        sh`${ask} get pods -l kbs.dev/probe=storage -o json 2>/dev/null || :`,
        sh`${ask} logs storage-reader 2>/dev/null || :`,
      ),
    ),
    bounded,
  );
  const [bound = '', listed = '', printed = ''] = splitRecords(seen.stdout).map((text) => text.trim());
  const ms = Date.now() - begun;
  const isBound = bound.startsWith('Bound ');
  const wasRead = code === 0 && printed === token;
  return [
    { proof: 'storage', name: 'a claim is bound', ok: isBound, detail: bound || lastLines(stderr, 1).join(''), ms },
    {
      proof: 'storage',
      name: 'another pod reads what the first wrote',
      ok: wasRead,
      detail: wasRead
        ? 'read again'
        : [...lastLines(stderr, 1), ...statesIn(listed)].join('; ') || 'no pod was started',
      ms,
    },
  ];
};

const token = 'written-by-kbs-verify';
const pods = ['storage-writer', 'storage-reader'] as const;

const claim = (isDefault: boolean): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'storage' },
  spec: {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Mi' } },
    // Without, it is the default class that is proved.
    ...(isDefault ? {} : { storageClassName: storageClass }),
  },
});

const pod = (name: (typeof pods)[number], image: string, command: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { 'kbs.dev/probe': 'storage' } },
  spec: {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 0,
    automountServiceAccountToken: false,
    tolerations: [{ operator: 'Exists' }],
    containers: [
      {
        name: 'shell',
        image,
        imagePullPolicy: 'IfNotPresent',
        command: ['/bin/sh', '-c', command],
        volumeMounts: [{ name: 'data', mountPath: '/data' }],
      },
    ],
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'storage' } }],
  },
});

/** Waits until the pod has ended, a minute at most. */
const ended = (namespace: string, name: string): Script =>
  untilTrue(
    sh`${raw(kubectl)} --request-timeout=10s -n ${namespace} get pod ${name} -o jsonpath='{.status.phase}' </dev/null | grep -qE '^(Succeeded|Failed)$'`,
    { seconds: 60, otherwise: sh`echo ${`the pod ${name} has not ended after 60 s`} >&2; exit 1`, pause: 1 },
  );

const statesIn = (listed: string): readonly string[] =>
  listed === '' ? [] : podsIn(listed).map((item) => `${item.metadata.name}: ${stateOf(item)}`);

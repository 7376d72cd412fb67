import { z } from 'zod';
import { anyText, etcdEndpoint, isMissing } from '../formats.js';
import { integer, keys, list, text } from './fields.js';

/**
 * Fields of a component's configuration. Their names are checked in checks/; what a field may hold, the component says.
 */
export const fields = (example: string, description: string) =>
  z
    .record(z.string(), z.unknown().describe('A value.'), {
      error: ({ input }) => `${isMissing(input) ? 'write' : 'is not'} a map of fields like ${example}`,
    })
    .describe(description);

const plainText = z.string().refine((value) => !/[\u0000-\u001f\u007f-\u009f]/.test(value), {
  error: () => 'holds control characters; leave them out',
});

const words = [plainText.describe('A text.'), z.number().describe('A number.')] as const;

const flagValue = z.union([...words, z.boolean(), z.array(z.union(words))], {
  error: ({ input }) =>
    isMissing(input)
      ? 'write a text, a number, true, false, or a list of texts'
      : 'is neither a text nor a number, true, false or a list of texts',
});

/** Flags by their names, which checks/components.ts checks. */
const extra = (component: string, example: string) =>
  z
    .record(z.string(), flagValue.meta({ description: 'A value; a list stands for texts with commas between.' }), {
      error: ({ input }) => `${isMissing(input) ? 'write' : 'is not'} a map of flags like ${example}`,
    })
    .describe(
      `Flags of ${component}, without the dashes before them, over those of kbs: \`${example}\`. A list stands for texts with commas between.`,
    )
    .optional();

const withExtra = (title: string, component: string, example: string) =>
  keys(title, { extra: extra(component, example) }, `What ${component} is started with.`).optional();

const file = (name: string, description: string) => text(anyText('a path', `./${name}`), description).optional();

/** The fields of `kubernetes` that are about one component, or about all of them. */
export const components = {
  featureGates: z
    .record(z.string(), z.boolean({ error: () => 'is not true or false' }).describe('On or off.'), {
      error: ({ input }) =>
        `${isMissing(input) ? 'write' : 'is not'} a map of feature gates like { ContextualLogging: false }`,
    })
    .describe(
      'Alpha and beta features, on or off in every component of Kubernetes: `{ ContextualLogging: false }`. etcd has gates of its own: `etcd: { extra: { feature-gates: … } }`.',
    )
    .optional(),
  apiServer: keys(
    'API server',
    {
      extra: extra('kube-apiserver', '{ max-requests-inflight: 800 }'),
      audit: keys(
        'Audit',
        {
          policy: file(
            'audit.yaml',
            "A file with a Policy of audit.k8s.io/v1; its path starts at the folder of this file. Default: kbs's own.",
          ),
          maxAge: integer(0, 3650, 'The days that old logs are kept; 0: without limit. Default: `30`.').optional(),
          maxBackups: integer(0, 1000, 'How many old logs are kept; 0: without limit. Default: `10`.').optional(),
          maxSize: integer(1, 10_000, 'The megabytes after which a new log begins. Default: `100`.').optional(),
        },
        'What is written to /var/log/kubernetes/audit on every control plane.',
      ).optional(),
      admission: file(
        'admission.yaml',
        'A file with an AdmissionConfiguration: settings of admission plugins, such as PodSecurity; its path starts at the folder of this file.',
      ),
      authentication: file(
        'authentication.yaml',
        'A file with an AuthenticationConfiguration: issuers of tokens (OIDC) whose users may log in; its path starts at the folder of this file.',
      ),
    },
    'How the API servers run, and what they read.',
  ).optional(),
  controllerManager: withExtra('Controller manager', 'kube-controller-manager', '{ node-monitor-grace-period: 20s }'),
  scheduler: withExtra('Scheduler', 'kube-scheduler', '{ v: 4 }'),
  etcd: keys(
    'etcd',
    {
      extra: extra('etcd', '{ quota-backend-bytes: 8589934592 }'),
      external: keys(
        'External etcd',
        {
          endpoints: list(
            text(etcdEndpoint, 'An address.'),
            '[https://etcd-00.lan:2379]',
            'Where the members answer clients.',
          ).min(1, { error: () => 'holds no address; write one like https://etcd-00.lan:2379' }),
          ca: text(
            anyText('a path', './etcd/ca.crt'),
            'A file of PEM certificates: the authorities that the members are checked by; its path starts at the folder of this file.',
          ),
          cert: text(
            anyText('a path', './etcd/client.crt'),
            'A file with the PEM certificate that API servers show to etcd; its path starts at the folder of this file.',
          ),
          key: text(
            anyText('a path', './etcd/client.key'),
            'A file with the private key of `cert`, in PEM and without a passphrase; its path starts at the folder of this file.',
          ),
        },
        'An etcd that others run. kbs installs none then, and only the API servers use it.',
      ).optional(),
    },
    'What etcd is started with, or which one is used.',
  ).optional(),
  kubelet: fields(
    '{ maxPods: 200 }',
    'Fields of the KubeletConfiguration of every node, over those of kbs: `{ maxPods: 200, evictionHard: { memory.available: 500Mi } }`.',
  ).optional(),
  kubeProxy: fields(
    '{ nodePortAddresses: [primary] }',
    'Fields of the KubeProxyConfiguration of every node, over those of kbs, each as a whole: `{ nodePortAddresses: [primary] }`.',
  ).optional(),
};

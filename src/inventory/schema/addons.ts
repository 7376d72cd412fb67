import { z } from 'zod';
import {
  absolutePath,
  addressRange,
  anyText,
  chartVersion,
  dnsLabel,
  dnsName,
  formatProblem,
  httpsAddress,
  isMissing,
  retention,
  serverName,
  sha256Digest,
  withExample,
} from '../formats.js';
import { choice, integer, keys, text } from './fields.js';

const addonKeys = {
  chart: text(
    anyText('a chart', './charts/my-app'),
    'The chart: a folder with a Chart.yaml or an archive (.tgz), from the folder of this file; `oci://HOST/PATH/NAME`; or its name in `repository`. For an add-on that kbs knows: in place of the chart that kbs has for it.',
  ).optional(),
  repository: text(
    httpsAddress,
    'The repository that has the chart, as in `helm repo add`. kbs downloads the chart to this machine; hosts do not.',
  ).optional(),
  version: text(
    chartVersion,
    'The version of a chart in a repository or at an `oci://` address: this one, not a range.',
  ).optional(),
  sha256: text(
    sha256Digest,
    "What the sha256 of the downloaded archive must be. Default: the digest that the repository's index or the registry's manifest has.",
  ).optional(),
  values: z
    .record(z.string(), z.unknown().describe('A value.'), {
      error: ({ input }) => `${isMissing(input) ? 'write' : 'is not'} a map of values of the chart`,
    })
    .optional()
    .describe("Values of the chart, merged over kbs's own: maps key by key, all else in place of what was there."),
  timeout: integer(
    10,
    3600,
    'Seconds that kbs waits for its pods, before it takes an installation or upgrade back. Default: `300`.',
  ).optional(),
  adopt: z
    .boolean({ error: () => 'is not true or false' })
    .optional()
    .describe('Whether kbs takes over a release of this name that was installed without it. Default: `false`.'),
};

const addonNamed = <T extends z.ZodRawShape>(name: string, shape: T, description: string) =>
  keys(`Add-on ${name}`, { ...shape, ...addonKeys }, description).optional();

const addresses = text(addressRange, 'A range of addresses.');

const reclaim = choice(
  ['Delete', 'Retain'],
  'What becomes of the data of a claim that is deleted. Default: `Delete`.',
).optional();

const isDefaultClass = (otherwise: string) =>
  z
    .boolean({ error: () => 'is not true or false' })
    .optional()
    .describe(`Whether claims that name no class get this one. Default: \`${otherwise}\`.`);

/** The add-ons that kbs knows, with their settings. */
const knownAddons = {
  'metrics-server': addonNamed(
    'metrics-server',
    {},
    'CPU and memory of nodes and pods: `kubectl top`, and autoscaling by them.',
  ),
  storage: addonNamed(
    'storage',
    {
      path: text(
        absolutePath,
        'The folder for volumes on every node. Default: `/opt/local-path-provisioner`.',
      ).optional(),
      reclaim,
      default: isDefaultClass('true'),
    },
    'Volumes in folders of the nodes: the StorageClass `local-path`. A volume stays on the node of its first pod.',
  ),
  'nfs-storage': addonNamed(
    'nfs-storage',
    {
      server: text(serverName, 'The NFS server: a DNS name or an IPv4 address.'),
      path: text(absolutePath, 'The folder that it exports, such as `/srv/volumes`.'),
      reclaim,
      default: isDefaultClass('false'),
    },
    'Volumes in folders of an NFS export of the LAN: the StorageClass `nfs`. Every node reaches them.',
  ),
  'load-balancer-services': addonNamed(
    'load-balancer-services',
    {
      pool: z
        .union(
          [
            addresses,
            z.array(addresses).min(1, { error: () => `holds no range; write one like ${addressRange.example}` }),
          ],
          {
            error: ({ input }) => {
              if (isMissing(input))
                return `write a range of addresses like ${addressRange.example}, or a list of ranges`;
              if (typeof input === 'string') return formatProblem(addressRange, input);
              return `is neither a range of addresses nor a list of such ranges; write one like ${addressRange.example}`;
            },
          },
        )
        .meta({
          description:
            'Free addresses for Services: `FIRST-LAST` or a CIDR, or a list of them. Each range is in the segment whose network holds it, and the workers of that segment answer for its addresses.',
          examples: [addressRange.example],
        }),
    },
    'Addresses on the LAN for Services of type LoadBalancer.',
  ),
  ingress: addonNamed(
    'ingress',
    {},
    'Traefik on every worker: Ingress objects, and a certificate for `*.apps` of the zone. See `endpoint.ingress`.',
  ),
  'cert-manager': addonNamed(
    'cert-manager',
    {
      acme: keys(
        'ACME',
        {
          email: text(anyText('an address for mail', 'admin@example.com'), 'Where the authority writes to.'),
          server: text(
            httpsAddress,
            "The authority's directory. Default: Let's Encrypt, `https://acme-v02.api.letsencrypt.org/directory`.",
          ).optional(),
        },
        'An authority of the internet, as the ClusterIssuer `acme`. It must reach port 80 of the names that it certifies.',
      ).optional(),
    },
    'Certificates as objects, by cert-manager: the ClusterIssuer `lan` signs by the authority that `kbs addons ca` prints.',
  ),
  dashboard: addonNamed(
    'dashboard',
    {
      host: text(
        withExample(dnsName, 'dashboard.example.com'),
        'The name that an Ingress answers to, which needs an ingress controller. Default: no Ingress.',
      ).optional(),
    },
    'A web interface of the cluster, by Headlamp.',
  ),
  rancher: addonNamed(
    'rancher',
    {
      host: text(
        withExample(dnsName, 'rancher.example.com'),
        'The name that its Ingress answers to, and that clusters which it manages ask for.',
      ),
      replicas: integer(
        1,
        9,
        'How many pods of it run, on nodes of their own where there are enough. Default: `3`.',
      ).optional(),
    },
    'Rancher, which manages clusters. It needs the add-ons `ingress` and `cert-manager`.',
  ),
  monitoring: addonNamed(
    'monitoring',
    {
      retention: text(retention, 'How long Prometheus keeps what it has measured. Default: `14d`.').optional(),
      grafana: keys(
        'Grafana',
        {
          host: text(
            withExample(dnsName, 'grafana.example.com'),
            'The name that an Ingress answers to, which needs an ingress controller. Default: no Ingress.',
          ).optional(),
        },
        'Dashboards. With `images: bundle` there are none.',
      ).optional(),
      images: choice(
        ['registries', 'bundle'],
        'Where the images come from. `registries`: those that the chart names, which the hosts fetch. `bundle`: Prometheus and the rest from the bundle, in the versions that it has, without Grafana. Default: `registries`.',
      ).optional(),
    },
    'Prometheus, Alertmanager and Grafana, by kube-prometheus-stack: metrics of every host and component. Needs `storage`.',
  ),
} as const;

/** `chart` and `namespace` are needed; checks/addons.ts says so, and what was probably meant. */
const ownAddon = keys(
  'Add-on of your own',
  {
    namespace: text(
      withExample(dnsLabel, 'my-app'),
      'The namespace of the release; kbs makes it where it is missing.',
    ).optional(),
    ...addonKeys,
  },
  'A Helm chart of your own. Its name is the name of the release.',
);

/** The section `addons`: those that kbs knows, each with its settings, and charts of the owner. */
export const addons = z
  .object(knownAddons, { error: ({ input }) => `${isMissing(input) ? 'write' : 'is not'} a map of add-ons` })
  .catchall(ownAddon)
  .meta({
    title: 'Add-ons',
    description:
      'What runs in the cluster besides Kubernetes, by name: `metrics-server`, `storage`, `nfs-storage`, `load-balancer-services`, `ingress`, `cert-manager`, `dashboard`, `rancher`, `monitoring`, or any other name for a chart of your own. `{}` takes an add-on as it is; a line that is taken away here takes the add-on away there.',
  });

/** The names of the add-ons that kbs knows. */
export const knownAddonNames = [
  'metrics-server',
  'storage',
  'nfs-storage',
  'load-balancer-services',
  'ingress',
  'cert-manager',
  'dashboard',
  'rancher',
  'monitoring',
] as const satisfies readonly (keyof typeof knownAddons)[];

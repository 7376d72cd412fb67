import { plannedAddons } from '../../addons/index.js';
import { hasGrafana } from '../../addons/monitoring.js';
import { referenceOf } from '../../artifacts/artifacts.js';
import { type Cluster, isApiHost, isNode, nodes } from '../../inventory/cluster.js';
import { adminConf } from '../../kubernetes/kubectl.js';
import type { Resource } from '../../resources/resource.js';
import { apiAnswers } from '../gates.js';
import { grafanaPassword } from '../monitoring/grafana-password.js';
import { archives } from '../node/images.js';
import type { Phase, PhaseContext } from '../phase.js';

/** Every node gets them: the scheduler decides where an add-on's pods run. */
export const addonImages: Phase = {
  name: 'addon-images',
  ensures: 'the images of the add-ons are in containerd',
  appliesTo: (host, cluster) => isNode(host) && hasAddons(cluster),
  // One resource for each add-on, so that the images of an add-on that is uninstalled are pruned.
  resources: (host, context) =>
    planned(context)
      .filter(({ images }) => images.length > 0)
      .map(({ addon, images }) => ({
        kind: 'image',
        name: `addon-${addon.name}`,
        archives: archives(images, host, context),
      })),
};

/** helm waits for the pods of each, so all that they need is there: nodes that are Ready, and their images. */
export const addons: Phase = {
  name: 'addons',
  ensures: 'the add-ons of the inventory run',
  appliesTo: (host, cluster) => isApiHost(host, cluster) && hasAddons(cluster),
  gates: () => [apiAnswers],
  after: (host, { cluster }) =>
    nodes(cluster)
      .filter(({ name }) => name !== host.name)
      .map(({ name }) => ({ host: name, phase: addonImages.name, mayFail: true })),
  resources: (_host, context) => [
    ...(grafanaIsThere(context.cluster) ? [grafanaPassword()] : []),
    ...planned(context).map(
      ({ addon, chart, release, namespace, values, images, pulls }, order): Resource => ({
        kind: 'release',
        name: release,
        namespace,
        addon: addon.name,
        order,
        kubeconfig: adminConf,
        chart: context.artifacts.chart(chart),
        values,
        adopt: addon.adopt,
        timeoutSeconds: addon.timeoutSeconds,
        ...(pulls === undefined
          ? {}
          : { images: { bundled: images.map((name) => referenceOf(context.artifacts, name)), fetched: pulls } }),
      }),
    ),
  ],
};

const grafanaIsThere = ({ addons: wanted = [] }: Cluster): boolean =>
  wanted.some((addon) => addon.is === 'monitoring' && hasGrafana(addon));

const hasAddons = ({ addons: wanted = [] }: Cluster): boolean => wanted.length > 0;

const planned = ({ cluster, artifacts, credentials }: PhaseContext) =>
  plannedAddons(cluster, (name) => referenceOf(artifacts, name), credentials);

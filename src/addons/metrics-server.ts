import type { MetricsServerAddon } from '../inventory/cluster.js';
import type { AddonRecipe } from './addon.js';

/**
 * The kubelets' serving certificates are the cluster CA's own, with the address that metrics-server asks them at: it
 * checks them, and `--kubelet-insecure-tls` is not needed.
 */
export const metricsServer: AddonRecipe<MetricsServerAddon> = {
  name: 'metrics-server',
  what: 'CPU and memory of nodes and pods: kubectl top, and autoscaling by them',
  release: 'metrics-server',
  namespace: 'kube-system',
  images: ['metrics-server'],
  kubernetes: '1.31',
  needs: [],
  values: (_addon, _cluster, image) => ({
    image: { ...image('metrics-server'), pullPolicy: 'IfNotPresent' },
    // It is ready once it has scraped the kubelets twice; 20 s, as the chart has it, only add to that.
    readinessProbe: { initialDelaySeconds: 5 },
  }),
};

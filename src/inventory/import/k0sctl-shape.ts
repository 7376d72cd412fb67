import type { z } from 'zod';
import { anyMap, flag, listOf, mapOf, port, word } from './shape.js';

const bastion = mapOf({ address: word, user: word.optional(), port: port.optional(), keyPath: word.optional() });

const host = mapOf({
  role: word,
  hostname: word.optional(),
  privateAddress: word.optional(),
  noTaints: flag.optional(),
  installFlags: listOf(word).optional(),
  ssh: bastion.extend({ bastion: bastion.optional() }).optional(),
  openSSH: bastion.extend({ configPath: word.optional(), options: anyMap.optional() }).optional(),
  localhost: mapOf({ enabled: flag.optional() }).optional(),
  winRM: mapOf({ address: word }).optional(),
});

/** The settings of k0s. */
export const settingsShape = mapOf({
  spec: mapOf({
    api: mapOf({
      externalAddress: word.optional(),
      port: port.optional(),
      sans: listOf(word).optional(),
      extraArgs: anyMap.optional(),
    }).optional(),
    network: mapOf({
      provider: word.optional(),
      podCIDR: word.optional(),
      serviceCIDR: word.optional(),
      clusterDomain: word.optional(),
      dualStack: mapOf({
        enabled: flag.optional(),
        IPv6podCIDR: word.optional(),
        IPv6serviceCIDR: word.optional(),
      }).optional(),
      kubeProxy: mapOf({ mode: word.optional(), disabled: flag.optional() }).optional(),
      nodeLocalLoadBalancing: mapOf({ enabled: flag.optional() }).optional(),
      controlPlaneLoadBalancing: mapOf({
        enabled: flag.optional(),
        keepalived: mapOf({
          vrrpInstances: listOf(mapOf({ virtualIPs: listOf(word).optional() })).optional(),
        }).optional(),
      }).optional(),
    }).optional(),
    controllerManager: mapOf({ extraArgs: anyMap.optional() }).optional(),
    scheduler: mapOf({ extraArgs: anyMap.optional() }).optional(),
    storage: mapOf({
      type: word.optional(),
      etcd: mapOf({ extraArgs: anyMap.optional(), externalCluster: anyMap.optional() }).optional(),
    }).optional(),
    extensions: mapOf({ helm: mapOf({ charts: listOf(mapOf({ name: word })).optional() }).optional() }).optional(),
    featureGates: listOf(mapOf({ name: word, enabled: flag.optional() })).optional(),
    workerProfiles: listOf(mapOf({ name: word, values: anyMap.optional() })).optional(),
  }).optional(),
});

export type K0sSettings = NonNullable<z.output<typeof settingsShape>['spec']>;

/** A cluster of k0sctl. */
export const clusterShape = mapOf({
  metadata: mapOf({ name: word.optional() }).optional(),
  spec: mapOf({
    hosts: listOf(host),
    k0s: mapOf({ version: word.optional(), config: settingsShape.optional() }).optional(),
  }),
});

export type K0sctlHost = z.output<typeof host>;

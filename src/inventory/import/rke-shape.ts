import type { z } from 'zod';
import { anyMap, flag, listOf, mapOf, table, word } from './shape.js';

const node = mapOf({
  address: word,
  internal_address: word.optional(),
  hostname_override: word.optional(),
  user: word.optional(),
  port: word.optional(),
  role: listOf(word),
  ssh_key: word.optional(),
  ssh_key_path: word.optional(),
  ssh_cert: word.optional(),
  ssh_cert_path: word.optional(),
  labels: table.optional(),
  taints: listOf(mapOf({ key: word, value: word.optional(), effect: word })).optional(),
});

const service = mapOf({ extra_args: table.optional(), extra_args_array: anyMap.optional() });

/** A cluster.yml of RKE 1; a setting without a value may be an empty text. */
export const clusterShape = mapOf({
  cluster_name: word.optional(),
  kubernetes_version: word.optional(),
  ssh_key_path: word.optional(),
  ssh_cert_path: word.optional(),
  nodes: listOf(node),
  network: mapOf({ plugin: word.optional(), mtu: word.optional() }).optional(),
  services: mapOf({
    etcd: service.extend({ external_urls: listOf(word).optional(), backup_config: anyMap.optional() }).optional(),
    'kube-api': service
      .extend({ service_cluster_ip_range: word.optional(), service_node_port_range: word.optional() })
      .optional(),
    'kube-controller': service.extend({ cluster_cidr: word.optional() }).optional(),
    kubelet: service.extend({ cluster_domain: word.optional(), cluster_dns_server: word.optional() }).optional(),
    kubeproxy: service.optional(),
    scheduler: service.optional(),
  }).optional(),
  authentication: mapOf({ strategy: word.optional(), sans: listOf(word).optional() }).optional(),
  dns: mapOf({ provider: word.optional(), upstreamnameservers: listOf(word).optional() }).optional(),
  ingress: mapOf({ provider: word.optional() }).optional(),
  monitoring: mapOf({ provider: word.optional() }).optional(),
  cloud_provider: mapOf({ name: word.optional() }).optional(),
  addons: word.optional(),
  addons_include: listOf(word).optional(),
  bastion_host: mapOf({
    address: word.optional(),
    user: word.optional(),
    port: word.optional(),
    ssh_key: word.optional(),
    ssh_key_path: word.optional(),
  }).optional(),
  private_registries: listOf(
    mapOf({ url: word, user: word.optional(), password: word.optional(), is_default: flag.optional() }),
  ).optional(),
});

export type RkeCluster = z.output<typeof clusterShape>;
export type RkeNode = z.output<typeof node>;

export type RkeService = z.output<typeof service>;

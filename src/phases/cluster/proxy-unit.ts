import { type Script, sh } from '../../hosts/shell.js';
import type { Cluster, ClusterHost } from '../../inventory/cluster.js';
import type { FileResource, Resource } from '../../resources/resource.js';
import { render } from '../../templates/render.js';
import { toYaml } from '../../templates/yaml.js';
import { artifactsOf } from '../artifacts-of.js';
import { fingerprint } from '../fingerprint.js';
import { kubeconfigFile } from '../node/certificates.js';
import { binaries } from '../node/runtime.js';
import { packagesFor } from '../packages.js';
import type { PhaseContext } from '../phase.js';
import { proxyConfiguration } from './proxy-configuration.js';

/** kube-proxy as a unit of a node, with its own client certificate. */
export const proxyUnit = (host: ClusterHost, context: PhaseContext): readonly Resource[] => {
  const kubeconfig = kubeconfigFile('kube-proxy', host, context);
  const configuration = configurationFile(host, context, kubeconfig.path);
  return [
    ...binaries('/usr/local/bin', ['kube-proxy'], host, context),
    ...packagesFor('kube-proxy', host, context),
    protocols,
    kubeconfig,
    { kind: 'directory', path: '/var/lib/kube-proxy', mode: '0755' },
    configuration,
    {
      kind: 'unit',
      name: 'kube-proxy.service',
      runs: 'service',
      text: render('kube-proxy.service', {
        configuration: configuration.path,
        oomAdjustable: context.facts(host.name).oomAdjustable,
        usesIptables: context.cluster.kubernetes.proxy !== 'nftables',
      }),
      inputs: [fingerprint([configuration, kubeconfig]), artifactsOf(host, context).binary('kube-proxy').sha256],
      check: toolsAreThere(context),
    },
  ];
};

const configurationFile = (host: ClusterHost, context: PhaseContext, kubeconfig: string): FileResource => ({
  kind: 'file',
  path: '/var/lib/kube-proxy/config.yaml',
  mode: '0644',
  content: toYaml({ ...proxyConfiguration(host, context, kubeconfig), hostnameOverride: host.name }),
  // Written to /dev/null: before kube-proxy writes a configuration it reads and validates it.
  check: sh`/usr/local/bin/kube-proxy --config="$1" --write-config-to=/dev/null`,
});

/**
 * Without /etc/protocols nft names protocols by numbers in its JSON, and kube-proxy then deletes every Service entry
 * that it has just found. Where the package netbase, or another, has brought the file it is left as it is.
 */
const protocols: Resource = {
  kind: 'task',
  name: 'protocol names',
  check: sh`grep -q '^tcp[[:space:]]' /etc/protocols`,
  run: sh`printf '%s\\t%s\\t%s\\n' '# Written by kbs: kube-proxy and nft need these names.' '' '' \\
  icmp 1 ICMP tcp 6 TCP udp 17 UDP ipv6-icmp 58 IPv6-ICMP sctp 132 SCTP >> /etc/protocols`,
  undo: sh`if grep -q '^# Written by kbs' /etc/protocols; then
  sed -i '/^# Written by kbs/,+5d' /etc/protocols
  [ -s /etc/protocols ] || rm -f /etc/protocols
fi`,
};

/** A package may have come without a tool that its namesake has elsewhere. */
const toolsAreThere = ({ cluster: { kubernetes } }: PhaseContext): Script =>
  sh`for kbs_tool in ${tools[kubernetes.proxy]}; do
  command -v $kbs_tool || { echo "kube-proxy needs $kbs_tool here: install the package that brings it"; exit 1; }
done`;

const tools = {
  nftables: ['nft'],
  iptables: ['iptables-restore'],
  ipvs: ['iptables-restore', 'ipset'],
} as const satisfies Record<Cluster['kubernetes']['proxy'], readonly string[]>;

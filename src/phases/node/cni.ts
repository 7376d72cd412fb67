import { everywhere, familyOf } from '../../inventory/addresses.js';
import { isNode } from '../../inventory/cluster.js';
import { podCidrsOf } from '../../network/assignment.js';
import { masqueradeTables } from '../../network/masquerade.js';
import { render } from '../../templates/render.js';
import { networkCleanup } from '../cleanup.js';
import type { Phase } from '../phase.js';

/** The pod network of this one host: a bridge with the host's pod CIDR, and masquerade for what leaves the cluster. */
export const cni: Phase = {
  name: 'cni',
  ensures: 'pods get addresses of the host, and reach what lies outside the cluster',
  appliesTo: isNode,
  resources(host, { cluster }) {
    const tables = masqueradeTables(cluster);
    const mtu = cluster.network.segments.find(({ name }) => name === host.segment)?.mtu;
    const rules = tables.map(
      ({ family, name, text }) => `table ${family} ${name}\ndelete table ${family} ${name}\n${text}\n`,
    );
    return [
      { kind: 'directory', path: '/var/lib/cni', mode: '0755' },
      {
        kind: 'file',
        path: '/etc/cni/net.d/10-kbs.conflist',
        mode: '0644',
        content: conflist(podCidrsOf(host), mtu),
      },
      { kind: 'file', path: '/etc/kbs/masquerade.nft', mode: '0644', content: rules.join('') },
      {
        kind: 'unit',
        name: 'kbs-firewall.service',
        runs: 'oneshot',
        text: render('firewall.service', { nft: '/usr/sbin/nft' }),
        inputs: [],
      },
      ...tables.map(({ family, name, text }) => ({ kind: 'nft-table', family, name, text }) as const),
    ];
  },
  cleanup: () => networkCleanup,
};

/** The bridge plugin must not masquerade by itself: it would hide pods' addresses from pods of other hosts. */
const conflist = (podCidrs: readonly string[], mtu: number | undefined): string => {
  const bridge = {
    type: 'bridge',
    bridge: 'cni0',
    isGateway: true,
    ipMasq: false,
    hairpinMode: true,
    ...(mtu === undefined ? {} : { mtu }),
    ipam: {
      type: 'host-local',
      ranges: podCidrs.map((subnet) => [{ subnet }]),
      routes: podCidrs.map((subnet) => ({ dst: everywhere[familyOf(subnet)] })),
    },
  };
  const plugins = [
    bridge,
    { type: 'portmap', capabilities: { portMappings: true } },
    { type: 'bandwidth', capabilities: { bandwidth: true } },
  ];
  return `${JSON.stringify({ cniVersion: '1.0.0', name: 'kbs', plugins }, undefined, 2)}\n`;
};

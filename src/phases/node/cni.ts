import { isNode } from '../../inventory/cluster.js';
import { masqueradeTable } from '../../network/masquerade.js';
import { render } from '../../templates/render.js';
import { networkCleanup } from '../cleanup.js';
import type { Phase } from '../phase.js';

/** The pod network of this one host: a bridge with the host's pod CIDR, and masquerade for what leaves the cluster. */
export const cni: Phase = {
  name: 'cni',
  ensures: 'pods get addresses of the host, and reach what lies outside the cluster',
  appliesTo: isNode,
  resources(host, { cluster }) {
    const table = masqueradeTable(cluster);
    const mtu = cluster.network.segments.find(({ name }) => name === host.segment)?.mtu;
    const rules = `table ${table.family} ${table.name}\ndelete table ${table.family} ${table.name}\n${table.text}\n`;
    return [
      { kind: 'directory', path: '/var/lib/cni', mode: '0755' },
      {
        kind: 'file',
        path: '/etc/cni/net.d/10-kbs.conflist',
        mode: '0644',
        content: conflist(host.podCidr ?? '', mtu),
      },
      { kind: 'file', path: '/etc/kbs/masquerade.nft', mode: '0644', content: rules },
      {
        kind: 'unit',
        name: 'kbs-firewall.service',
        runs: 'oneshot',
        text: render('firewall.service', { nft: '/usr/sbin/nft' }),
        inputs: [],
      },
      { kind: 'nft-table', family: table.family, name: table.name, text: table.text },
    ];
  },
  cleanup: () => networkCleanup,
};

/** The bridge plugin must not masquerade by itself: it would hide pods' addresses from pods of other hosts. */
const conflist = (podCidr: string, mtu: number | undefined): string => {
  const bridge = {
    type: 'bridge',
    bridge: 'cni0',
    isGateway: true,
    ipMasq: false,
    hairpinMode: true,
    ...(mtu === undefined ? {} : { mtu }),
    ipam: { type: 'host-local', ranges: [[{ subnet: podCidr }]], routes: [{ dst: '0.0.0.0/0' }] },
  };
  const plugins = [
    bridge,
    { type: 'portmap', capabilities: { portMappings: true } },
    { type: 'bandwidth', capabilities: { bandwidth: true } },
  ];
  return `${JSON.stringify({ cniVersion: '1.0.0', name: 'kbs', plugins }, undefined, 2)}\n`;
};

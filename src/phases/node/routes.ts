import { type ClusterHost, isRouter } from '../../inventory/cluster.js';
import type { Resource } from '../../resources/resource.js';
import { setRoute } from '../../resources/route.js';
import { render } from '../../templates/render.js';
import { fingerprint } from '../fingerprint.js';
import type { Phase, PhaseContext } from '../phase.js';
import { forwarding } from './prepare.js';

/** Routes to the pods of other hosts: live in the kernel at once, and back after a reboot or a loss of the link. */
export const routes: Phase = {
  name: 'routes',
  ensures: "packets find every other host's pods",
  appliesTo: () => true,
  resources(host, context) {
    const wanted = context.cluster.routes[host.name] ?? [];
    const keeper = {
      kind: 'file',
      path: '/usr/local/lib/kbs/keep-routes',
      mode: '0755',
      content: render('keep-routes.sh', { family: host.ipv6 === undefined ? ' -4' : '' }),
    } as const;
    return [
      ...(isRouter(host) ? forwarding(host, context) : []),
      ...keptByTheNetworkDaemon(host, context),
      {
        kind: 'file',
        path: '/usr/local/lib/kbs/routes',
        mode: '0755',
        content: render('routes.sh', { routes: wanted.map(setRoute) }),
      },
      ...wanted.map(({ to, via }): Resource => ({ kind: 'route', to, via })),
      keeper,
      {
        kind: 'unit',
        name: 'kbs-routes.service',
        runs: 'service',
        text: render('routes.service', {}),
        // The list of routes is read anew each time: another route is no reason to start the keeper again.
        inputs: [fingerprint([keeper])],
      },
    ];
  },
  prunes: { of: ['routes'] },
};

/**
 * Network daemons drop routes that they did not set: systemd-networkd when it restarts (networkd.conf(5),
 * ManageForeignRoutes), NetworkManager when a connection comes up again (NetworkManager-dispatcher(8)). The keeper sees
 * that only where an address or an interface changes with it, and a second late.
 */
const keptByTheNetworkDaemon = (host: ClusterHost, { facts }: PhaseContext): readonly Resource[] =>
  facts(host.name).networkDaemons.map((daemon) =>
    daemon === 'networkd'
      ? {
          kind: 'file',
          path: '/etc/systemd/networkd.conf.d/kbs.conf',
          mode: '0644',
          content: '# Written by kbs: leave its routes alone.\n[Network]\nManageForeignRoutes=no\n',
        }
      : {
          kind: 'file',
          path: '/etc/NetworkManager/dispatcher.d/50-kbs-routes',
          mode: '0755',
          content:
            '#!/bin/sh\n# Written by kbs: set its routes again.\n[ "$2" = up ] && exec /usr/local/lib/kbs/routes\nexit 0\n',
        },
  );

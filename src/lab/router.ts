import { Failure } from '../failure.js';
import { sh } from '../hosts/shell.js';
import type { Lab } from './lab.js';
import { shell } from './shell.js';

/** One way that a user would set on a router of their own. */
export interface RouterRoute {
  /** A CIDR. */
  readonly to: string;
  /** The address of the next hop. */
  readonly via: string;
}

/** Sets routes on the router that the lab plays, as its user would do by hand; those of before stay. */
export const labRouterRoutes = async (lab: Lab, routes: readonly RouterRoute[]): Promise<void> => {
  const { router } = lab;
  if (router === undefined) {
    throw new Failure('usage', `the lab ${lab.name} has no router of its own`, {
      next: 'its routers are hosts: use SSH',
    });
  }
  await shell(
    'setting routes',
    routes.map(({ to, via }) => sh`ip -n ${router} route replace ${to} via ${via}`).join('\n'),
  );
};

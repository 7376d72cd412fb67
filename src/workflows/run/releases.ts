import { stateOf } from '../../engine/compare.js';
import { type Observation, type RunHosts, resourcesOf } from '../../engine/observe.js';
import { Failure, Failures } from '../../failure.js';
import { madeBy } from '../../resources/release.js';
import { type ReleaseResource, Unknown } from '../../resources/resource.js';

/** Throws where a release of an add-on's name was installed without kbs, and the owner does not say that kbs takes it over. */
export const requireOwnReleases = (runHosts: RunHosts, { context, results, unreachable }: Observation): void => {
  const failures = runHosts
    .filter(({ host }) => !unreachable.has(host.name))
    .flatMap((hostPhases) => {
      const { name } = hostPhases.host;
      const releases = [...resourcesOf(hostPhases, context).values()].flat().filter((each) => each.kind === 'release');
      return releases
        .filter(({ adopt }) => !adopt)
        .flatMap((release) => {
          const state = stateOf(release, results.get(name) ?? new Map(), hostPhases);
          if (state === undefined || state instanceof Unknown || state[madeBy] === 'kbs') return [];
          return [installedByAnother(name, release, state.status ?? '')];
        });
    });
  if (failures.length > 0) throw new Failures(failures);
};

const installedByAnother = (host: string, { name, namespace, addon }: ReleaseResource, status: string): Failure =>
  new Failure('refused', `the release ${namespace}/${name} was installed without kbs, and is left as it is`, {
    where: { host, resource: `release ${namespace}/${name}` },
    why: [`helm has it as ${status}, and no label of kbs is on it`],
    next: `let kbs take it over: addons: { ${addon}: { adopt: true } }; see what it has: helm -n ${namespace} get values ${name}`,
  });

import { describe, expect, test } from 'vitest';
import { select } from '../../src/engine/select.js';
import { phases } from '../../src/phases/index.js';
import { clusterOf } from '../support/cluster.js';

const cluster = clusterOf();
const runHosts = cluster.hosts.map((host) => ({
  host,
  phases: phases.filter((phase) => phase.appliesTo(host, cluster)),
}));
const order = phases.map(({ name }) => name);
const shape = (selection: Parameters<typeof select>[1], hosts = runHosts) =>
  select(hosts, selection, order).map((each) => [each.host.name, ...each.phases.map(({ name }) => name)]);

describe('selection', () => {
  test('an empty selection is the whole run', () => {
    expect(select(runHosts, {}, order)).toEqual(runHosts);
  });

  test('--limit leaves only those hosts, with all their phases', () => {
    expect(shape({ limit: ['edge'] })).toEqual([['edge', 'time', 'stale-services', 'routes', 'resolver', 'prune']]);
  });

  test('--only leaves out hosts that have none of the phases', () => {
    expect(shape({ only: ['kubelet'] }).map(([host]) => host)).toEqual([
      'controller-00',
      'worker-office-00',
      'worker-rack-00',
    ]);
  });

  test('--from begins in the middle, also on hosts that do not have that very phase', () => {
    expect(shape({ from: 'routes', limit: ['worker-rack-00', 'controller-00'] })).toEqual([
      [
        'controller-00',
        ...['routes', 'resolver', 'node-images', 'access', 'nodes', 'proxy', 'prune-objects', 'dns', 'prune', 'ready'],
      ],
      ['worker-rack-00', 'routes', 'resolver', 'proxy', 'prune'],
    ]);
  });

  test('the order of hosts in the inventory does not matter', () => {
    const sorted = (hosts: typeof runHosts) => shape({ from: 'routes' }, hosts).toSorted();
    expect(sorted(runHosts.toReversed())).toEqual(sorted(runHosts));
  });

  test.each([
    [{ limit: ['missing'] }, 'this run has no host missing'],
    [{ only: ['kublet', 'routes'] }, 'this run has no phase kublet'],
    [{ from: 'later' }, 'this run has no phase later'],
  ])('%j is an error and not an empty run', (selection, message) => {
    expect(() => select(runHosts, selection, order)).toThrow(message);
  });
});

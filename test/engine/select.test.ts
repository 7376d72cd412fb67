import { describe, expect, test } from 'vitest';
import { select } from '../../src/engine/select.js';
import { phases } from '../../src/phases/index.js';
import { clusterOf } from '../support/cluster.js';

const cluster = clusterOf();
const itinerary = cluster.hosts.map((host) => ({
  host,
  phases: phases.filter((phase) => phase.appliesTo(host, cluster)),
}));
const order = phases.map(({ name }) => name);
const shape = (selection: Parameters<typeof select>[1], legs = itinerary) =>
  select(legs, selection, order).map(({ host, phases: walked }) => [host.name, ...walked.map(({ name }) => name)]);

describe('selection', () => {
  test('nothing asked for is everything', () => {
    expect(select(itinerary, {}, order)).toEqual(itinerary);
  });

  test('--limit leaves only those hosts, with all their phases', () => {
    expect(shape({ limit: ['edge'] })).toEqual([['edge', 'stale-services', 'routes', 'resolver']]);
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
      ['controller-00', 'routes', 'resolver', 'node-images', 'access', 'nodes', 'proxy', 'dns', 'ready'],
      ['worker-rack-00', 'routes', 'resolver', 'proxy'],
    ]);
  });

  test('the order of hosts in the inventory does not matter', () => {
    const sorted = (legs: typeof itinerary) => shape({ from: 'routes' }, legs).toSorted();
    expect(sorted(itinerary.toReversed())).toEqual(sorted(itinerary));
  });

  test.each([
    [{ limit: ['nobody'] }, 'this run has no host nobody'],
    [{ only: ['kublet', 'routes'] }, 'this run has no phase kublet'],
    [{ from: 'later' }, 'this run has no phase later'],
  ])('%j is a mistake and not an empty run', (selection, message) => {
    expect(() => select(itinerary, selection, order)).toThrow(message);
  });
});

import { expect, it, test } from 'vitest';
import type { Addon } from '../../src/inventory/cluster.js';
import { ingressNames } from '../../src/inventory/lan-services.js';

const common = { values: {}, adopt: false, timeoutSeconds: 300 } as const;
const ingress: Addon = { ...common, is: 'ingress', name: 'ingress' };
const dashboard = (host: string): Addon => ({ ...common, is: 'dashboard', name: 'dashboard', host });

test.each([
  ['board.apps.lan.internal', ['*.apps.lan.internal']],
  ['apps.lan.internal', ['*.apps.lan.internal', 'apps.lan.internal']],
  ['a.b.apps.lan.internal', ['*.apps.lan.internal', 'a.b.apps.lan.internal']],
  ['board.lan.internal', ['*.apps.lan.internal', 'board.lan.internal']],
  ['board.example.com', ['*.apps.lan.internal', 'board.example.com']],
])('names of an ingress controller with an add-on at %s', (host, names) => {
  expect(ingressNames({ zone: 'lan.internal', addons: [ingress, dashboard(host)] })).toEqual(names);
});

it('are those of add-ons without a zone, and none without a controller', () => {
  expect(ingressNames({ addons: [ingress, dashboard('board.example.com')] })).toEqual(['board.example.com']);
  expect(ingressNames({ zone: 'lan.internal', addons: [dashboard('board.example.com')] })).toEqual([]);
});

import { cpSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseCatalogue, printCatalogue } from '../../src/artifacts/bundle-catalogue.js';
import { defined } from '../../src/defined.js';
import { changesOf, type Plan } from '../../src/engine/plan.js';
import { purgedAddons, withAddons, withoutAddons } from '../../src/workflows/addons/edit.js';
import { listAddons } from '../../src/workflows/addons/list.js';
import { addressOf, viewerToken } from '../../src/workflows/addons/open.js';
import { addonStatus, upgradeOf } from '../../src/workflows/addons/status.js';
import { upgradeAddons, withVersion } from '../../src/workflows/addons/upgrade.js';
import { apply } from '../../src/workflows/apply.js';
import { init } from '../../src/workflows/init.js';
import { join as joinWorkers } from '../../src/workflows/join.js';
import { phaseRun } from '../../src/workflows/run/plan-phases.js';
import { serveCharts } from '../support/chart-server.js';
import type { ScriptedCluster } from '../support/scripted-cluster.js';
import { smallInventory } from '../support/scripted-inventory.js';
import { inWords, type Project, run, scriptedProjects } from '../support/scripted-project.js';

const addons = `addons:
  web: { chart: ./web, namespace: web, values: { replicas: 1 } }
  metrics-server: {}
  storage: {}
`;

const projects = scriptedProjects(smallInventory);

/** The whole inventory, applied, to which add-ons are then added. */
const withOwnChart = async (text = addons) => {
  const setting = await projects.cluster();
  write(setting.project, text);
  return setting;
};

const write = ({ inventory }: Project, text: string): void => {
  const chart = join(dirname(inventory), 'web');
  mkdirSync(chart, { recursive: true });
  writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: web\nversion: 1.0.0\n');
  writeFileSync(inventory, smallInventory.replace('hosts:\n', `${text}hosts:\n`));
};

/** All projects share a bundle: another one, for a test that writes into it. */
const ownBundle = ({ inventory }: Project): string => {
  const folder = join(dirname(inventory), 'bundle');
  const shared = realpathSync(folder);
  rmSync(folder);
  cpSync(shared, folder, { recursive: true });
  return folder;
};

const applied = async (project: Project, world: ScriptedCluster) => {
  const outcome = await run(project, world, phaseRun(apply));
  expect(inWords(outcome)).toEqual([]);
  return changesIn(outcome.result?.plan);
};

const changesIn = (plan: Plan | undefined): readonly string[] =>
  (plan?.hosts ?? []).flatMap(({ host, phases }) =>
    phases.flatMap(({ changes }) => changes.map(({ action, kind, id }) => `${host} ${action} ${kind} ${id}`)),
  );

const ids = ['local-path-storage/local-path-provisioner', 'kube-system/metrics-server', 'web/web'] as const;
const images = ['addon-metrics-server', 'addon-storage'] as const;

it('add-ons come with helm on every control plane and images on every node, those first that others need', async () => {
  const { project, world } = await withOwnChart();
  const changes = await applied(project, world);
  expect(changes.toSorted()).toEqual(
    [
      ...['cp-0', 'cp-1', 'cp-2'].map((host) => `${host} create binary /usr/local/bin/helm`),
      ...['cp-0', 'cp-1', 'cp-2', 'w-0'].flatMap((host) => images.map((id) => `${host} create image ${id}`)),
      ...ids.map((id) => `cp-0 create release ${id}`),
    ].toSorted(),
  );
  expect(changes.filter((line) => line.includes(' release '))).toEqual(ids.map((id) => `cp-0 create release ${id}`));
  const ends = world.done.map(({ kind, id }) => `${kind} ${id}`);
  expect(ends.lastIndexOf(`image ${images[1]}`)).toBeLessThan(ends.indexOf(`release ${ids[0]}`));
  expect(await applied(project, world)).toEqual([]);
});

it('a plan says which images of an add-on are in the bundle, and where it cannot tell', async () => {
  const { project, world } = await withOwnChart();
  const { result } = await run(project, world, phaseRun(apply), { dryRun: true });
  const releases = changesOf(result?.plan ?? { workflow: '', cluster: '', hosts: [] }).filter(
    ({ kind }) => kind === 'release',
  );
  expect(releases.map(({ images }) => images)).toEqual([
    { bundled: ['kbs.local/local-path-provisioner:0.0.30', 'kbs.local/busybox:1.0'], fetched: [] },
    { bundled: ['kbs.local/metrics-server:0.9.0'], fetched: [] },
    { unknown: expect.stringContaining('are yours') },
  ]);
});

describe('the list', () => {
  const imagesIn = async (project: Project) =>
    Object.fromEntries(
      (await listAddons(project.inventory)).map(({ name, images: listed }) => [
        name,
        listed?.map(({ reference, from, lacking }) => `${reference} from ${from}${lacking ? `: ${lacking}` : ''}`),
      ]),
    );

  it('says of each image where it comes from, as the inventory has it, and where it cannot tell', async () => {
    const { project } = await withOwnChart(`${addons}  dashboard: { values: { image: { tag: v1 } } }\n`);
    expect(await imagesIn(project)).toMatchObject({
      storage: ['kbs.local/local-path-provisioner:0.0.30 from bundle', 'kbs.local/busybox:1.0 from bundle'],
      monitoring: expect.arrayContaining(['docker.io/grafana/grafana from docker.io']),
      dashboard: undefined,
      web: undefined,
    });
    write(project, 'addons:\n  monitoring: { images: bundle }\n  storage: {}\n');
    const { monitoring } = await imagesIn(project);
    expect(monitoring).toHaveLength(5);
    expect(monitoring?.every((line) => /^kbs\.local\/\S+ from bundle$/.test(line))).toBe(true);
  });

  it('says of an image of the bundle that it cannot be had where this bundle lacks it', async () => {
    const { project } = await withOwnChart();
    const file = join(ownBundle(project), 'catalogue.json');
    const catalogue = parseCatalogue(readFileSync(file, 'utf8'), file);
    const { amd64 } = catalogue.architectures;
    const archives = amd64?.archives.filter(({ name }) => name !== 'busybox') ?? [];
    const architectures = { amd64: { ...amd64, archives } } as typeof catalogue.architectures;
    writeFileSync(file, printCatalogue({ ...catalogue, architectures }));
    expect((await imagesIn(project)).storage).toEqual([
      'kbs.local/local-path-provisioner:0.0.30 from bundle',
      'kbs.local/busybox:1.0 from bundle: the bundle was made without add-ons: it lacks busybox; make it with them: `kbs bundle create --addons`, or `kbs bundle build --addons`.',
    ]);
    rmSync(file);
    expect((await imagesIn(project))['metrics-server']).toEqual([
      expect.stringMatching(/^kbs\.local\/metrics-server:0\.9\.0 from bundle: there is no bundle in .*; make one with/),
    ]);
  });

  it('says where hosts fetch images from, where they do so themselves', async () => {
    const { project } = await withOwnChart('addons:\n  storage: {}\n  metrics-server: {}\n');
    const text = readFileSync(project.inventory, 'utf8');
    writeFileSync(project.inventory, text.replace(/^artifacts: .*$/m, 'artifacts: { source: upstream, fetch: hosts }'));
    expect(await imagesIn(project)).toMatchObject({
      'metrics-server': ['kbs.local/metrics-server:0.9.0 from registry.k8s.io'],
      storage: [
        'kbs.local/local-path-provisioner:0.0.30 from docker.io',
        expect.stringMatching(/^kbs\.local\/busybox:1\.0 from \S+$/),
      ],
    });
  });

  it('asks registries where that is wanted, for images with a tag', async () => {
    const server = await serveCharts();
    const { project } = await withOwnChart('addons:\n  dashboard: {}\n');
    const mirrored = `registries: { "*": { mirrors: ["https://${server.host}"] } }\naddons:\n`;
    writeFileSync(project.inventory, readFileSync(project.inventory, 'utf8').replace('addons:\n', mirrored));
    server.otherwise = (_request, response) => response.end('{}');
    const listed = await listAddons(project.inventory, { signal: new AbortController().signal });
    await server.close();
    expect(listed.flatMap(({ images: each = [] }) => each.flatMap(({ lacking }) => lacking ?? []))).toEqual([]);
    expect(server.asked).toContain('/v2/headlamp-k8s/headlamp/manifests/v0.45.0');
    expect(server.asked.filter((path) => /grafana|busybox/.test(path))).toEqual([]);
  });
});

it('an add-on whose values or chart change is upgraded, and no other', async () => {
  const { project, world } = await withOwnChart();
  await applied(project, world);
  write(project, addons.replace('replicas: 1', 'replicas: 2'));
  expect(await applied(project, world)).toEqual(['cp-0 update release web/web']);
  writeFileSync(join(dirname(project.inventory), 'web/values.yaml'), 'more: true\n');
  expect(await applied(project, world)).toEqual(['cp-0 update release web/web']);
});

it('values that do not fit the schema of their chart are refused before a host is contacted', async () => {
  const { project, world } = await withOwnChart(addons.replace('replicas: 1', 'replicas: one'));
  const schema = { type: 'object', properties: { replicas: { type: 'integer' } } };
  writeFileSync(join(dirname(project.inventory), 'web/values.schema.json'), JSON.stringify(schema));
  const outcome = await run(project, world, phaseRun(apply));
  expect(inWords(outcome)).toEqual([
    'inventory: addons.web.values.replicas is not what the chart takes: it must be integer',
  ]);
  expect(outcome.events).toEqual([]);
});

it('pools are a release after the one that brings their kinds, change without it, and go before it', async () => {
  const pool = (range: string) => `addons:\n  load-balancer-services: { pool: ${range} }\n`;
  const { project, world } = await withOwnChart(pool('192.168.40.200-192.168.40.230'));
  const releases = async () => (await applied(project, world)).filter((line) => line.includes(' release '));
  expect(await releases()).toEqual([
    'cp-0 create release metallb-system/metallb',
    'cp-0 create release metallb-system/metallb-objects',
  ]);
  write(project, pool('192.168.40.200/29'));
  expect(await applied(project, world)).toEqual(['cp-0 update release metallb-system/metallb-objects']);
  world.done.splice(0);
  write(project, '');
  expect(await releases()).toHaveLength(2);
  expect(world.done.filter(({ kind }) => kind === 'release').map(({ id }) => id)).toEqual([
    'metallb-system/metallb-objects',
    'metallb-system/metallb',
  ]);
  expect(await applied(project, world)).toEqual([]);
});

it('add-ons that the inventory has no more go in the reverse order, before helm and the images', async () => {
  const { project, world } = await withOwnChart();
  await applied(project, world);
  world.done.splice(0);
  const removed = await withoutAddons(project.inventory, ['storage', 'web', 'metrics-server']);
  const outcome = await run(project, world, phaseRun(apply), { loaded: removed });
  expect(inWords(outcome)).toEqual([]);
  const ends = world.done.filter(({ host }) => host === 'cp-0').map(({ kind, id }) => `${kind} ${id}`);
  expect(ends.slice(0, 3)).toEqual(ids.toReversed().map((id) => `release ${id}`));
  const kinds = world.done.map(({ kind }) => kind);
  expect(kinds.lastIndexOf('release')).toBeLessThan(kinds.indexOf('image'));
  expect(ends.slice(3).toSorted()).toEqual(['binary /usr/local/bin/helm', ...images.map((id) => `image ${id}`)]);
  expect([...world.releases.keys()]).toEqual([]);
  expect(await applied(project, world)).toEqual([]);
});

it('one that goes takes its images along, and leaves those of the others', async () => {
  const { project, world } = await withOwnChart();
  await applied(project, world);
  write(project, addons.replace('  storage: {}\n', ''));
  expect(await applied(project, world)).toContain(`cp-0 remove release ${ids[0]}`);
  const held = Object.keys(world.at('w-0').states.get('image') ?? {});
  expect(held.filter((name) => /busybox|local-path|metrics/.test(name))).toEqual(['kbs.local/metrics-server:0.9.0']);
});

it('what goes names the volumes that it takes along, and those that stay', async () => {
  const { project, world } = await withOwnChart();
  await applied(project, world);
  world.volumes = [
    'volume PersistentVolume=pvc-1=/=web/data=local-path=Delete',
    `volume StorageClass=local-path=${ids[0]}=/==`,
  ];
  write(project, '');
  const outcome = await run(project, world, phaseRun(apply), { dryRun: true });
  expect(outcome.result?.plan.hosts.flatMap(({ notes = [] }) => notes)).toEqual([
    'release web/web goes: claims that Helm deletes with it take along the data of pvc-1 (web/data)',
    `release ${ids[0]} goes: its volumes stay with their data, and are not deleted any more with their claims: pvc-1 (web/data)`,
  ]);
});

describe('what would stay of an add-on that goes', () => {
  const left = [
    'volume PersistentVolume=pvc-1=/=web/data=fast=Delete',
    'volume PersistentVolume=pvc-2=/=web/kept=slow=Retain',
    'kind widgets.example.com   5m   kbs.dev/addon=web',
    'kind others.example.com   5m   kbs.dev/addon=other',
  ];
  const namespace = 'namespace web   Active   5m   kbs.dev/addon=web';
  const notesFor = async (kept: readonly string[], purge: boolean) => {
    const { project, world } = await withOwnChart();
    await applied(project, world);
    world.volumes = kept;
    const purges = purge ? await purgedAddons(project.inventory, ['web']) : undefined;
    const loaded = await withoutAddons(project.inventory, ['web']);
    const outcome = await run(project, world, phaseRun(apply, defined({ purges })), { loaded, dryRun: true });
    expect(inWords(outcome)).toEqual([]);
    return (outcome.result?.plan.hosts ?? []).flatMap(({ notes = [] }) =>
      notes.map((note) => note.replace('release web/web goes: ', '')),
    );
  };

  it.each<[string, readonly string[], boolean, readonly string[]]>([
    [
      'is told',
      [...left, namespace],
      false,
      [
        'claims that Helm deletes with it take along the data of pvc-1 (web/data)',
        'the kinds that it brought stay, with every object of them: widgets.example.com; with --purge they go',
      ],
    ],
    [
      'goes with a purge',
      [...left, namespace],
      true,
      [
        'its claims go, and the data of pvc-1 (web/data) are lost',
        'its claims go; volumes that their class retains stay with their data: pvc-2 (web/kept)',
        'the kinds that it brought go, with every object of them: widgets.example.com',
      ],
    ],
    [
      'goes without the claims of a namespace that others made',
      left,
      true,
      [
        'claims that Helm deletes with it take along the data of pvc-1 (web/data)',
        'the kinds that it brought go, with every object of them: widgets.example.com',
      ],
    ],
    [
      'stays where it cannot be told',
      ['left cannot tell kind'],
      true,
      ['cannot tell which volumes and kinds it leaves behind, so none of them is deleted'],
    ],
  ])('%s', async (_, kept, purge, notes) => {
    expect(await notesFor(kept, purge)).toEqual(notes);
  });

  it('is removed by a purge that comes later', async () => {
    const { project, world } = await withOwnChart(`${addons}  cert-manager: {}\n`);
    const purges = await purgedAddons(project.inventory, ['cert-manager', 'web', 'nothing']);
    expect(purges).toEqual([
      { addon: 'cert-manager', name: 'cert-manager', namespace: 'cert-manager' },
      { addon: 'web', name: 'web', namespace: 'web' },
    ]);
    write(project, addons);
    await applied(project, world);
    world.volumes = ['kind issuers.cert-manager.io   5m   kbs.dev/addon=cert-manager'];
    const outcome = await run(project, world, phaseRun(apply, { purges: purges.slice(0, 1) }));
    expect(inWords(outcome)).toEqual([]);
    expect(changesIn(outcome.result?.plan)).toEqual(['cp-0 remove release cert-manager/cert-manager']);
  });
});

it('a release of another is refused before anything is changed, and taken over where the owner says so', async () => {
  const { project, world } = await withOwnChart();
  world.releases.set('web/web', 'status=deployed,version=3');
  const outcome = await run(project, world, phaseRun(apply));
  expect(inWords(outcome)).toEqual(['refused: the release web/web was installed without kbs, and is left as it is']);
  expect(outcome.failures[0]?.next).toContain('addons: { web: { adopt: true } }');
  expect(world.done).toEqual([]);
  write(project, addons.replace('namespace: web,', 'namespace: web, adopt: true,'));
  expect(await applied(project, world)).toContain('cp-0 update release web/web');
  expect(await applied(project, world)).toEqual([]);
});

it('a release that another has made stays when the add-ons go', async () => {
  const { project, world } = await withOwnChart();
  await applied(project, world);
  world.releases.set('web/theirs', 'status=deployed,version=1');
  write(project, '');
  await applied(project, world);
  expect([...world.releases.keys()]).toEqual(['web/theirs']);
});

it('an installation that fails ends the run, and the next one goes on', async () => {
  const { project, world } = await withOwnChart();
  world.failing = ({ id }) => (id === 'web/web' ? 'Pod web-1: Failed: no image' : undefined);
  const outcome = await run(project, world, phaseRun(apply));
  expect(outcome.failures.map(({ message, why }) => [message, ...why])).toEqual([
    ['create release web/web failed', 'Pod web-1: Failed: no image'],
  ]);
  world.failing = () => undefined;
  expect(await applied(project, world)).toEqual(['cp-0 create release web/web']);
});

it('init leaves add-ons to the workers that join where no control plane is one', async () => {
  const { project, world } = await projects.bare();
  write(project, addons);
  expect(inWords(await run(project, world, phaseRun(init)))).toEqual([]);
  expect([...world.releases.keys()]).toEqual([]);
  expect(inWords(await run(project, world, phaseRun(joinWorkers, { joining: ['w-0'] })))).toEqual([]);
  expect([...world.releases.keys()]).toEqual(ids);
  expect(await applied(project, world)).toEqual([]);
});

it('names are written into the inventory, and one that kbs does not know is refused', async () => {
  const { project } = await withOwnChart('');
  const { unsaved, cluster } = await withAddons(project.inventory, ['storage']);
  expect(unsaved).toContain('\naddons:\n  storage: {}\n');
  expect(cluster.addons).toMatchObject([{ is: 'storage', path: '/opt/local-path-provisioner', isDefault: true }]);
  await expect(withAddons(project.inventory, ['storge'])).rejects.toMatchObject({
    message: 'kbs has no add-on storge',
    next: expect.stringContaining('did you mean storage?'),
  });
  await expect(withoutAddons(project.inventory, ['web'])).rejects.toMatchObject({
    message: 'the inventory has no add-on web',
  });
});

describe('an upgrade', () => {
  const upgrade = async (project: Project, world: ScriptedCluster, names: readonly string[], version?: string) => {
    const loaded = await withVersion(project.inventory, names, version);
    const outcome = await run(project, world, phaseRun(upgradeAddons(names)), { loaded });
    expect(inWords(outcome)).toEqual([]);
    return changesIn(outcome.result?.plan);
  };

  it('is of the named add-ons alone, and nothing else changes', async () => {
    const { project, world } = await withOwnChart();
    await applied(project, world);
    write(project, addons.replace('replicas: 1', 'replicas: 2').replace('storage: {}', 'storage: { default: false }'));
    expect(await upgrade(project, world, ['storage'])).toEqual([`cp-0 update release ${ids[0]}`]);
    expect(await upgrade(project, world, ['storage'])).toEqual([]);
    expect(await applied(project, world)).toEqual(['cp-0 update release web/web']);
  });

  it('removes nothing that the inventory has no more', async () => {
    const { project, world } = await withOwnChart();
    await applied(project, world);
    write(project, addons.replace('  metrics-server: {}\n', ''));
    expect(await upgrade(project, world, ['storage', 'web'])).toEqual([]);
    expect(world.releases.has(ids[1])).toBe(true);
  });

  it('writes a version into the inventory, with the chart that kbs has where the inventory names none', async () => {
    const { project } = await withOwnChart('addons:\n  dashboard: { host: dashboard.example.com }\n');
    const { unsaved, cluster } = await withVersion(project.inventory, ['dashboard'], '0.46.0');
    expect(unsaved).toContain('version: 0.46.0');
    expect(cluster.addons?.[0]?.chart).toEqual({
      repository: 'https://kubernetes-sigs.github.io/headlamp',
      name: 'headlamp',
      version: '0.46.0',
    });
  });

  it.each([
    ['a chart of the bundle', ['storage'], 'the chart of storage is in the bundle: it has one version'],
    ['a folder', ['web'], 'it has one version'],
    ['two add-ons', ['storage', 'web'], 'a version is for one add-on'],
    ['one that is not there', ['dashboard'], 'the inventory has no add-on dashboard'],
  ])('refuses a version of %s', async (_, names, message) => {
    const { project } = await withOwnChart();
    await expect(withVersion(project.inventory, names, '2.0.0')).rejects.toMatchObject({
      message: expect.stringContaining(message),
    });
  });

  it('is proposed where another chart runs than the inventory has', async () => {
    const { project, world } = await withOwnChart();
    await applied(project, world);
    const upgrades = async () =>
      (
        await addonStatus(project.inventory, { acceptNewHostKeys: false, limits: {}, openPool: world.openPool })
      ).flatMap(({ name, upgrade }) => (upgrade ? [`${name}: ${upgrade.to} by ${upgrade.command}`] : []));
    expect(await upgrades()).toEqual([]);
    const chart = join(dirname(project.inventory), 'web/Chart.yaml');
    writeFileSync(chart, 'apiVersion: v2\nname: web\nversion: 1.1.0\n');
    expect(await upgrades()).toEqual(['web: web 1.1.0 by kbs addons upgrade web']);
  });

  it.each([
    ['a newer one that kbs knows', '1.1.0', 'kbs addons upgrade a --version 1.1.0'],
    ['an older one that kbs knows', '0.9.0', undefined],
    ['none that kbs knows', undefined, undefined],
  ])('is proposed, or not, where the inventory has chosen a version and there is %s', (_, known, command) => {
    const { upgrade } = upgradeOf({ addon: 'a', chart: { name: 'chart', version: '1.0.0' } }, 'chart 1.0.0', known);
    expect(upgrade?.command).toBe(command);
  });
});

describe('the status', () => {
  const statesOf = async ({ inventory }: Project, { openPool }: ScriptedCluster) =>
    (await addonStatus(inventory, { acceptNewHostKeys: false, limits: {}, openPool })).map(
      ({ name, release, state, ok }) => [name, release, ok, state],
    );

  it('is of every add-on, and of releases that are not in the inventory', async () => {
    const { project, world } = await withOwnChart();
    await applied(project, world);
    world.releases.set('apps/shop', 'status=deployed,version=1');
    write(project, addons.replace('  storage: {}\n', ''));
    expect(await statesOf(project, world)).toEqual([
      ['metrics-server', ids[1], true, 'as wanted'],
      ['web', ids[2], true, 'as wanted'],
      ['storage', ids[0], false, 'deployed, and not in the inventory any more: kbs apply removes it'],
      ['shop', 'apps/shop', true, 'deployed, installed without kbs'],
    ]);
  });

  it('cannot tell what else is there where the API server does not answer, and concludes nothing from that', async () => {
    const { project, world } = await withOwnChart();
    await applied(project, world);
    world.releases.set('apps/shop', 'status=deployed,version=1');
    // The API server was ready when it was chosen.
    world.refusing = (_, question) =>
      /ask_release |get secrets -A -l owner=helm/.test(question)
        ? { code: 0, output: '\nkbs: not answered: connection refused\n' }
        : undefined;
    expect(await statesOf(project, world)).toEqual([
      ['storage', ids[0], false, 'cannot tell: connection refused'],
      ['metrics-server', ids[1], false, 'cannot tell: connection refused'],
      ['web', ids[2], false, 'cannot tell: connection refused'],
      ['other releases', '', false, 'cannot tell: connection refused'],
    ]);
  });

  it('is a failure where no API server answers at all', async () => {
    const { project, world } = await withOwnChart();
    await applied(project, world);
    world.refusing = (_, question) =>
      question.includes('get --raw /readyz') ? { code: 1, output: 'connection refused' } : undefined;
    await expect(statesOf(project, world)).rejects.toMatchObject({ message: 'no API server answers' });
  });
});

describe('what is opened', () => {
  const dashboard = 'addons:\n  dashboard: { host: dashboard.example.com }\n  storage: {}\n';

  it('is at its host, or at a port of this machine that a command leads on from', async () => {
    const { project } = await withOwnChart(dashboard);
    expect(addressOf(await project.load(), 'dashboard')).toMatchObject({ url: 'https://dashboard.example.com' });
    write(project, 'addons:\n  dashboard: {}\n');
    expect(addressOf(await project.load(), 'dashboard')).toMatchObject({
      url: 'http://127.0.0.1:8080',
      forward: 'kubectl -n headlamp port-forward service/headlamp 8080:80',
    });
  });

  it.each([
    ['storage', 'storage has no web interface that kbs knows', 'these have one: dashboard'],
    ['dashbord', 'the inventory has no add-on dashbord', 'did you mean dashboard?'],
    ['monitoring', 'Grafana is not installed: this inventory takes monitoring without it', 'images of registries'],
  ])('is never %s', async (name, message, next) => {
    const { project } = await withOwnChart(`${dashboard}  monitoring: { images: bundle }\n`);
    const loaded = await project.load();
    expect(() => addressOf(loaded, name)).toThrow(
      expect.objectContaining({ message, next: expect.stringContaining(next) }),
    );
  });

  it('gives a token of its own ServiceAccount once it is installed', async () => {
    const { project, world } = await withOwnChart(dashboard);
    const loaded = await project.load();
    const { viewer = { namespace: '', name: '' } } = addressOf(loaded, 'dashboard');
    const token = () =>
      viewerToken(loaded, viewer, { seconds: 600, acceptNewHostKeys: false, limits: {}, openPool: world.openPool });
    await expect(token()).rejects.toMatchObject({
      code: 'refused',
      next: expect.stringContaining('kbs addons status'),
    });
    world.releases.set('headlamp/headlamp', 'status=deployed,version=1');
    const { token: secret, expires } = await token();
    expect([secret.reveal(), expires]).toEqual(['token-of-headlamp-for-600s', '2026-11-27T09:30:00Z']);
    expect(`${secret}`).not.toContain('token-of');
  });
});

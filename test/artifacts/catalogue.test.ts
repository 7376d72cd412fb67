import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { rcompare, valid } from 'semver';
import { describe, expect, it } from 'vitest';
import { kwokProgram } from '../../src/artifacts/build/kwok.js';
import { knownVersions, releaseOf } from '../../src/artifacts/catalogue.js';
import { placeholderArtifacts } from '../../src/artifacts/placeholder.js';
import { contentsOf, type Release } from '../../src/artifacts/release.js';

const programs = fileURLToPath(new URL('../../programs/', import.meta.url));
const releases = knownVersions().map((version) => [version, releaseOf(version) as Release] as const); // it is known

it('known versions are exact, the newest first', () => {
  expect(knownVersions().every((version) => valid(version) === version)).toBe(true);
  expect(knownVersions()).toEqual([...knownVersions()].sort(rcompare));
  expect(releaseOf('0.0.1')).toBeUndefined();
});

describe.each(releases)('the release of %s', (_, release) => {
  it('says how to make every program that a binary or a layer names', () => {
    const made = new Set(release.programs.map(({ name }) => name));
    const layers = contentsOf(release, { addons: true }).layers.flatMap((layer) => Object.values(layer.programs));
    for (const name of [...Object.values(release.binaries), ...layers]) expect(made).toContain(name);
  });

  it('names a layer only once, unless it is the same layer', () => {
    const all = Object.values(release.images).flatMap(({ layers }) => layers);
    for (const layer of contentsOf(release, { addons: true }).layers) {
      for (const other of all.filter(({ name }) => name === layer.name)) expect(other).toEqual(layer);
    }
  });

  it('puts every image into exactly one archive', () => {
    const packed = release.archives.flatMap(({ images }) => images);
    expect([...packed].sort()).toEqual(Object.keys(release.images).sort());
  });

  it('gives images that share a layer one archive, so that the layer travels once', () => {
    for (const { name } of contentsOf(release, { addons: true }).layers) {
      const archives = release.archives.filter(({ images }) =>
        images.some((each) => release.images[each].layers.some((layer) => layer.name === name)),
      );
      expect(archives.length).toBe(1);
    }
  });

  it('has everything in a bundle with add-ons, and without them nothing that only they need', () => {
    const [all, core] = [true, false].map((addons) => contentsOf(release, { addons }));
    expect(all?.programs).toEqual(release.programs);
    expect(all?.archives).toEqual(release.archives);
    expect(release.programs.filter((each) => !core?.programs.includes(each)).map(({ name }) => name)).toEqual([
      'helm',
      'metrics-server',
      'local-path-provisioner',
      'metallb-controller',
      'metallb-speaker',
      'traefik',
      'prometheus',
      'prometheus-operator',
      'prometheus-config-reloader',
      'alertmanager',
      'kube-state-metrics',
      'node-exporter',
    ]);
    expect(core?.charts).toEqual([]);
  });

  it('pins every Go module, the main one at the version that it claims', async () => {
    for (const program of release.programs.filter(({ language, from }) => language === 'go' && from !== 'kbs')) {
      expect(await readdir(`${programs}${program.folder}`)).toEqual(expect.arrayContaining(['go.mod', 'go.sum']));
      expect(await readFile(`${programs}${program.folder}/go.mod`, 'utf8')).toContain(`${program.from}\n`);
    }
  });

  it('names exactly the folders of programs/', async () => {
    const named = knownVersions()
      .flatMap((version) => releaseOf(version) ?? [])
      .flatMap(({ programs: all, charts }) => [...all, ...charts].map(({ folder }) => folder));
    // The lab's own is part of no release.
    expect((await readdir(programs)).sort()).toEqual([...new Set([...named, kwokProgram.folder])].sort());
  });
});

describe('placeholders', () => {
  const version = knownVersions()[0] ?? '';
  const artifacts = placeholderArtifacts(version).of('amd64');

  it('say that they are no artifacts', () => {
    for (const name of ['kubelet', 'kube-scheduler', 'unzstd'] as const)
      expect(artifacts.binary(name).name).toContain('(not built)');
  });

  it('have the same references for every architecture, and digests of their own', () => {
    const both = placeholderArtifacts(version);
    const [amd64, arm64] = both.architectures.map((arch) => both.of(arch).image('etcd').images[0]);
    expect(both.architectures).toEqual(['amd64', 'arm64']);
    expect(arm64?.reference).toBe(amd64?.reference);
    expect(arm64?.digest).not.toBe(amd64?.digest);
    expect(both.of('arm64').binary('runc').sha256).not.toBe(both.of('amd64').binary('runc').sha256);
  });

  it('group images as the bundle does', () => {
    expect(artifacts.image('kube-scheduler')).toBe(artifacts.image('kube-apiserver'));
    expect(artifacts.image('etcd')).not.toBe(artifacts.image('kube-apiserver'));
  });
});

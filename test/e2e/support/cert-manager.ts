import { chmod, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { archOfThisMachine } from '../../../src/artifacts/arch.js';
import { type Built, buildProgram } from '../../../src/artifacts/build/go-modules.js';
import { defaultBundle, openBundle } from '../../../src/artifacts/bundle.js';
import { printCatalogue } from '../../../src/artifacts/bundle-catalogue.js';
import { measure } from '../../../src/artifacts/bundle-members.js';
import { cacheFolder } from '../../../src/artifacts/cache.js';
import { knownVersions } from '../../../src/artifacts/catalogue.js';
import { describeImage, type Image, layoutOf } from '../../../src/artifacts/image.js';
import { makeLayer } from '../../../src/artifacts/layer.js';
import { gzipPacker } from '../../../src/artifacts/packer.js';
import { goProgram, layer } from '../../../src/artifacts/recipes.js';
import type { Project } from './project.js';

const version = '1.11.5';
const module = 'github.com/cert-manager/cert-manager';
const programs = ['controller', 'webhook', 'cainjector'] as const;
const source = join(import.meta.dirname, '../programs', `cert-manager-${version}`);

/** What the inventory says of it: the chart of its module, and images without a user, which this one would have. */
export const certManagerAddon = (() => {
  const of = (program: string) =>
    `image: { repository: kbs.local/cert-manager-${program}, tag: ${version} }, securityContext: { runAsUser: 1000 }`;
  return `{ chart: ./cert-manager, values: { installCRDs: true, startupapicheck: { enabled: false }, ${of('controller')}, webhook: { ${of('webhook')} }, cainjector: { ${of('cainjector')} } } }`;
})();

/**
 * cert-manager itself, of the last version that its Go module holds whole: its chart in the project's folder, and a bundle, `bundle`,
 * like the usual one, which has its images in the archive of kube-state-metrics.
 */
export const provideCertManager = async (project: Project): Promise<void> => {
  const cache = join(cacheFolder(), 'build');
  const arch = archOfThisMachine();
  const images: Image[] = [];
  for (const name of programs) {
    const program = goProgram({
      name: `cert-manager-${name}`,
      version,
      folder: `../test/e2e/programs/cert-manager-${version}`,
      package: `${module}/cmd/${name}`,
      from: `${module} v${version}`,
    });
    const built: Built = await buildProgram(program, { cache, arch });
    const recipe = layer(program.name, [program.name]);
    const made = await makeLayer(recipe, { cache, packer: gzipPacker, program: () => built });
    const reference = `kbs.local/${program.name}:${version}`;
    images.push(describeImage({ reference, entrypoint: [program.name], layers: [recipe] }, [made], arch));
  }
  await Promise.all([makeBundle(project, images), makeChart(project)]);
};

const makeBundle = async ({ folder }: Project, images: readonly Image[]): Promise<void> => {
  const arch = archOfThisMachine();
  const { folder: usual, catalogue } = await openBundle(defaultBundle(knownVersions()[0] ?? ''));
  const into = join(folder, 'bundle');
  await execa('cp', ['-as', usual, into]);
  const held = catalogue.architectures[arch];
  const archive = held?.archives.find(({ name }) => name === 'kube-state-metrics');
  if (held === undefined || archive === undefined) throw new Error('the bundle was made without add-ons');
  const layout = join(folder, 'layout');
  await mkdir(layout);
  await execa('tar', ['-xf', join(into, archive.file), '-C', layout]);
  const indexOf = async () => JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as { manifests: object[] };
  const before = await indexOf();
  await execa('tar', ['-xf', '-', '-C', layout], { stdin: layoutOf(images, arch) });
  const after = await indexOf();
  const manifests = [...before.manifests, ...after.manifests];
  await writeFile(join(layout, 'index.json'), JSON.stringify({ ...before, manifests }));
  await rm(join(into, archive.file));
  await execa('tar', ['-cf', join(into, archive.file), '-C', layout, ...(await readdir(layout))]);
  await rm(layout, { recursive: true });
  const { size, sha256 } = await measure(join(into, archive.file));
  const added = images.map(({ reference, manifest }) => ({
    name: 'kube-state-metrics' as const,
    reference,
    digest: `sha256:${manifest.sha256}`,
  }));
  const archives = held.archives.map((each) =>
    each === archive ? { ...each, images: [...each.images, ...added] } : each,
  );
  await rm(join(into, 'catalogue.json'));
  await writeFile(
    join(into, 'catalogue.json'),
    printCatalogue({
      ...catalogue,
      architectures: { ...catalogue.architectures, [arch]: { ...held, archives } },
      members: catalogue.members.map((each) => (each.file === archive.file ? { ...each, size, sha256 } : each)),
    }),
  );
};

/** As its makers put it together of what the module has. */
const makeChart = async ({ folder }: Project): Promise<void> => {
  const { stdout } = await execa('go', ['mod', 'download', '-C', source, '-json', module]);
  const { Dir: home } = JSON.parse(stdout) as { readonly Dir: string };
  const chart = join(folder, 'cert-manager');
  await cp(join(home, 'deploy/charts/cert-manager'), chart, { recursive: true });
  for (const each of [chart, join(chart, 'templates')]) await chmod(each, 0o755);
  const template = await readFile(join(chart, 'Chart.template.yaml'), 'utf8');
  await writeFile(join(chart, 'Chart.yaml'), template.replaceAll('v0.1.0', `v${version}`));
  const kinds = (await readdir(join(home, 'deploy/crds'))).filter((name) => name.endsWith('.yaml'));
  const texts = await Promise.all(kinds.map((name) => readFile(join(home, 'deploy/crds', name), 'utf8')));
  await writeFile(
    join(chart, 'templates/crds.yaml'),
    `{{- if .Values.installCRDs }}\n${texts.join('\n---\n')}\n{{- end }}\n`,
  );
};

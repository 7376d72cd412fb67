import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { sha256 } from '../../src/secret.js';

const member = { file: 'amd64/binaries/kubelet.gz', size: 11, sha256: sha256('the kubelet') };
const catalogue = { format: 2, kubernetes: '1.36.3', architectures: {}, members: [member] };

it('two processes may write a bundle to one place: one of them is there at the end, whole', async () => {
  const home = await mkdtemp(join(tmpdir(), 'kbs-two-bundles-'));
  const source = join(home, 'source');
  await writeFile(source, 'the kubelet');
  const script = `
    import { writeBundle } from ${JSON.stringify(new URL('../../src/artifacts/write-bundle.ts', import.meta.url).href)};
    for (let n = 0; n < 100; n++) {
      await writeBundle(${JSON.stringify(join(home, 'bundle'))}, ${JSON.stringify(catalogue)}, [
        { source: ${JSON.stringify(source)}, member: ${JSON.stringify(member)}, made: true },
      ]);
    }`;
  const write = () => execa('node', ['--import', 'tsx', '--input-type=module', '--eval', script], { reject: false });
  const ended = await Promise.all([write(), write()]);
  expect(ended.map(({ stderr }) => stderr)).toEqual(['', '']);
  expect((await readdir(home)).toSorted()).toEqual(['bundle', 'source']);
  expect(await readdir(join(home, 'bundle', 'amd64/binaries'))).toEqual(['kubelet.gz']);
  await rm(home, { recursive: true });
});

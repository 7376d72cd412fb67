import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll } from 'vitest';
import type { StoredFile } from '../../src/artifacts/artifacts.js';
import { describeContract } from '../resources/contract-suite.js';
import { contracts } from '../resources/contracts.js';

const folder = await mkdtemp(join(tmpdir(), 'kbs-contract-'));
afterAll(() => rm(folder, { recursive: true }));

const stored = async (name: string, content: Buffer, packing: StoredFile['packing']): Promise<StoredFile> => {
  const packed = packing === 'none' ? content : gzipSync(content);
  const file = join(folder, name);
  await writeFile(file, packed);
  const sha256 = createHash('sha256').update(content).digest('hex');
  return { name, sha256, size: content.length, file, packedSize: packed.length, packing };
};

const cases = contracts({
  plain: await stored('unzstd', Buffer.from('#!/bin/sh\nexec gzip -d\n'), 'none'),
  // Its first byte is known, so that another one there is sure to be an edit.
  packed: await stored('tool', Buffer.concat([Buffer.from('#'), randomBytes(300_000)]), 'zstd'),
});

for (const contract of cases) describeContract(contract);

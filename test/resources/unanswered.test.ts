import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type QueryResult, queryAll } from '../../src/engine/query-batch.js';
import { kindOf } from '../../src/resources/registry.js';
import { type Resource, Unknown } from '../../src/resources/resource.js';
import { here } from '../support/here.js';
import { asScript } from '../support/script.js';

/** What a real shell prints for a kind's query; `rewrite` puts programs of the test's own in place of the host's. */
const ask = async (resource: Resource, rewrite: (prelude: string) => string): Promise<QueryResult> => {
  const kind = kindOf(resource);
  const script = kind.query(resource);
  const results = await queryAll(here(), [asScript(rewrite(kind.prelude ?? ''))], [{ name: kind.kind, script }]);
  return results.get(script) ?? { code: -1, output: '' };
};

describe('images', () => {
  const digest = 'sha256:7b7e4f0be11aac9e5a191ef4f6a877440e5b9d7a784804719fed79410ca8bc13';
  const archive = { name: 'pause', sha256: '', size: 1, file: '/pause.tar', packedSize: 1, packing: 'none' } as const;
  const images = [{ reference: 'kbs.local/pause:1.0', digest }];
  const resource: Resource = { kind: 'image', name: 'node', archives: [{ archive, images }] };
  const kind = kindOf(resource);
  let folder: string;
  let containerd: Server;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kbs-images-'));
    containerd = createServer();
  });
  afterEach(() => {
    containerd.close();
    rmSync(folder, { recursive: true });
  });

  const see = async (ctr: string | undefined, listens: boolean) => {
    const [program, socket] = [join(folder, 'ctr'), join(folder, 'sock')];
    if (ctr !== undefined) writeFileSync(program, `#!/bin/sh\n${ctr}\n`, { mode: 0o755 });
    if (listens) await new Promise<void>((resolve) => containerd.listen(socket, resolve));
    const { code, output } = await ask(resource, (prelude) =>
      prelude
        .replaceAll('/usr/local/bin/ctr', program)
        .replaceAll('/run/containerd/containerd.sock', socket)
        .replace('timeout 20', 'timeout 1'),
    );
    expect(code).toBe(0);
    return kind.parse(output, resource);
  };

  it.each([
    ['are absent without containerd', undefined, false, undefined],
    ['are unknown while it is down', 'exit 0', false, new Unknown('containerd does not run')],
    ['are unknown while it fails', 'echo dial: refused >&2; exit 1', true, new Unknown('dial: refused')],
    ['are unknown while it fails in silence', 'exit 3', true, new Unknown('ctr ended with exit status 3')],
    ['are unknown while it hangs', 'exec sleep 60', true, new Unknown('ctr got no answer within 20 s')],
    ['are absent where it has none', 'echo REF TYPE DIGEST', true, undefined],
    [
      'are there where it lists them',
      `echo REF TYPE DIGEST; echo kbs.local/pause:1.0 application/x ${digest} 1 MiB`,
      true,
      { 'kbs.local/pause:1.0': digest },
    ],
  ])('%s', async (_what, ctr, listens, seen) => {
    expect(await see(ctr, listens)).toEqual(seen);
  });
});

describe('a table of nftables', () => {
  const resource: Resource = { kind: 'nft-table', family: 'inet', name: 'kbs', text: 'table inet kbs {\n}\n' };
  it.each([
    ['is absent where the kernel has none', 'echo "Error: No such file or directory" >&2; return 1', undefined],
    [
      'is unknown where nft fails otherwise',
      'echo "Error: Operation not permitted" >&2; return 1',
      new Unknown('nft: Error: Operation not permitted'),
    ],
    ['is there where nft prints it', 'printf "table inet kbs {\\n}\\n"', { content: 'table inet kbs {\n}\n' }],
  ])('%s', async (_what, nft, seen) => {
    const { code, output } = await ask(resource, (prelude) => `nft() { ${nft}; }\n${prelude}`);
    expect(code).toBe(0);
    expect(kindOf(resource).parse(output, resource)).toEqual(seen);
  });
});

describe('a route', () => {
  const resource: Resource = { kind: 'route', to: '10.244.1.0/24', via: '192.0.2.1' };
  it('is not taken for absent where ip cannot list routes: the query fails', async () => {
    const failing = await ask(resource, (prelude) => `ip() { echo no netlink >&2; return 2; }\n${prelude}`);
    expect(failing).toEqual({ code: 2, output: 'no netlink' });
  });
  it('is absent where ip lists none', async () => {
    const { code, output } = await ask(resource, (prelude) => `ip() { :; }\n${prelude}`);
    expect(code).toBe(0);
    expect(kindOf(resource).parse(output, resource)).toBeUndefined();
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { access } from '../../../src/phases/control-plane/access.js';
import { kindOf } from '../../../src/resources/registry.js';
import { createWorld, type World } from '../../resources/overlay-host.js';
import { clusterOf } from '../../support/cluster.js';
import { lacks } from '../../support/needs.js';
import { contextOf } from '../../support/site.js';

const cluster = clusterOf();
const [host] = cluster.hosts;
if (!host) throw new Error('no host');
const [administrators] = access.resources(host, contextOf(cluster));
const [made] = administrators ? kindOf(administrators).apply(administrators, undefined) : [];
if (!made) throw new Error('nothing to make');

describe.skipIf(lacks('root'))("the operator's kubeconfig, on a real shell", () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(() => world.end());

  it.each([
    ['kubectl has done its work', '[ -s "$file" ]', true],
    ['kubectl fails', 'exit 1', false],
    // As the engine ends a run: all of its processes together.
    ['the run is ended while kubectl waits', 'kill -TERM 0; sleep 60', false],
  ])('leaves the host where %s', async (_, kubectl, well) => {
    await world.run(`mkdir -p /usr/local/bin
cat > /usr/local/bin/kubectl <<'END'
#!/bin/sh
while [ "$1" != --kubeconfig ]; do shift; done
file=$2
stat -c %a "$file" > /run/mode
${kubectl}
END
chmod +x /usr/local/bin/kubectl`);
    const ended = await world.run(`setsid -w sh -eu -c '${script.replaceAll("'", `'\\''`)}'`, made.payloads).then(
      () => true,
      () => false,
    );
    expect(ended).toBe(well);
    expect(await world.run('cat /run/mode; ls /run')).toBe('600\nmode\n');
  });
});

const { script } = made;

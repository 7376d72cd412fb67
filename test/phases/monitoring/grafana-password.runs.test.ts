import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grafanaPassword } from '../../../src/phases/monitoring/grafana-password.js';
import { createWorld, type World, worldsAreHere } from '../../resources/overlay-host.js';

/** A kubectl of ours that writes its arguments down, keeps what it is told to create, and knows of no object. */
const kubectl = `#!/bin/sh
echo "$*" >> /run/asked
case " $* " in
  *' create '*) n=$(ls /run/made | wc -l); cat > "/run/made/$n" ;;
  *' get '*) exit 1 ;;
esac`;

describe.skipIf(!worldsAreHere)("the password of Grafana's administrator", () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
    await world.run(`mkdir -p /run/made /usr/local/bin
cat > /usr/local/bin/kubectl <<'END'
${kubectl}
END
chmod 0755 /usr/local/bin/kubectl`);
  });
  afterAll(() => world?.end());

  const made = async () => {
    await world.run(`rm -rf /run/made/* /run/asked; ( set -eu; ${grafanaPassword().run} ) > /run/said 2>&1`);
    const [space, secret] = await Promise.all([0, 1].map((n) => world.run(`cat /run/made/${n}`)));
    return {
      space: JSON.parse(space ?? '') as object,
      secret: JSON.parse(secret ?? '') as { readonly stringData: Readonly<Record<string, string>> },
    };
  };

  it('is made in a namespace that goes with the add-on, and is another one each time', async () => {
    const [first, second] = [await made(), await made()];
    expect(first.space).toMatchObject({ kind: 'Namespace', metadata: { labels: { 'kbs.dev/addon': 'monitoring' } } });
    expect(first.secret).toMatchObject({
      kind: 'Secret',
      metadata: { name: 'grafana-admin', namespace: 'monitoring' },
    });
    expect(first.secret.stringData['admin-user']).toBe('admin');
    expect(first.secret.stringData['admin-password']).toMatch(/^[\w-]{32}$/);
    expect(second.secret.stringData['admin-password']).not.toBe(first.secret.stringData['admin-password']);
  });

  it('is in no command line and no output', async () => {
    const { secret } = await made();
    const seen = await world.run('cat /run/asked /run/said');
    expect(seen).toContain('create -f -');
    expect(seen).not.toContain(secret.stringData['admin-password']);
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Plan } from '../../src/engine/plan.js';
import { readyNodes } from './support/kubectl.js';
import { linesOf, makeProject, type Project } from './support/project.js';
import { killAt, type Moment, startUntil } from './support/run-until.js';

const inventory = `apiVersion: kbs/v1
cluster: e2e-interrupted
kubernetes: { version: 1.36.3 }
network:
  segments:
    office: { cidr: 10.81.10.0/24, gateway: 10.81.10.1 }
ssh: { user: ops }
hosts:
  controller-00: { address: 10.81.10.10, roles: [control-plane] }
  worker-00: { address: 10.81.10.20, roles: [worker] }
`;

/** One bring-up, killed again and again, each time a little later. */
describe('a bring-up that is cut off', () => {
  let project: Project;

  beforeAll(async () => {
    project = await makeProject('e2e-interrupted', inventory);
    await project.kbs('lab up');
  });
  afterAll(() => project?.remove());

  test.each(moments())('is killed %s', async (_, moment) => {
    await killAt(project, 'apply --yes', moment);
  });

  test('is interrupted by Ctrl-C while the nodes come up, and says that it is safe to go on', async () => {
    const running = await startUntil(project, 'apply --yes', gate('worker-00 Ready'));
    running.kill('SIGINT');
    const { code, stderr } = await running.ended;
    expect({ code, stderr }).toEqual({ code: 130, stderr: expect.stringContaining('safe to run the same command') });
  });

  test('ends well when it is run again, and leaves nothing half done', async () => {
    await project.kbs('apply --yes');
    expect(await readyNodes(project)).toEqual(['controller-00', 'worker-00']);
    expect(linesOf(await project.json<Plan>('plan'))).toEqual([]);
    for (const host of ['controller-00', 'worker-00']) {
      const rests =
        "find / -xdev -name '.*.kbs-new*' -o -name '*.kbs-new*' -o -path '/var/lib/kbs/import*' -o -name 'kbs.??????' -path '/run/*'";
      expect(await project.on(host, `${rests}; find /var/lib /run -xdev -name '*.kbs-new*'`)).toBe('');
    }
    await project.kbs('verify');
  });
});

function moments(): readonly (readonly [string, Moment])[] {
  return [
    ['while the runtime is copied', changing('controller-00', 'runtime', 'binary')],
    ['while images are imported', changing('controller-00', 'control-plane-images', 'image')],
    ['once the manifests of the control plane are written', past('controller-00', 'control-plane')],
    ['while objects are applied', changing('controller-00', 'proxy', 'object')],
  ];
}

function changing(host: string, phase: string, kind: string): Moment {
  return (event) =>
    event.type === 'change' &&
    event.state === 'started' &&
    event.host === host &&
    event.phase === phase &&
    event.change.kind === kind;
}

function past(host: string, phase: string): Moment {
  return (event) => event.type === 'phase' && event.state === 'done' && event.host === host && event.phase === phase;
}

function gate(name: string): Moment {
  return (event) => event.type === 'gate' && event.state === 'started' && event.gate === name;
}

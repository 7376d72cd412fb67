import { execa } from 'execa';
import { expect, it } from 'vitest';
import { render } from '../../src/templates/render.js';

it('a next hop that is down keeps no other route from being set, and is still told of', async () => {
  const script = render('routes.sh', { routes: ['echo first', 'false', 'echo third'] });
  const { stdout, exitCode } = await execa('sh', { input: script, reject: false });
  expect(stdout).toBe('first\nthird');
  expect(exitCode).toBe(1);
});

it('routes that can all be set end well', async () => {
  const script = render('routes.sh', { routes: ['true', 'true'] });
  expect((await execa('sh', { input: script, reject: false })).exitCode).toBe(0);
});

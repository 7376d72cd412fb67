import { expect, it } from 'vitest';
import { errorReportOf } from '../../../src/cli/error-report.js';
import { coloured } from '../../../src/cli/text/color.js';
import { failureText, skippedText } from '../../../src/cli/text/failure-text.js';
import { printable } from '../../../src/cli/text/printable.js';
import { Failure, Failures } from '../../../src/failure.js';

const textOf = (...failures: readonly Failure[]): string => failureText(errorReportOf(new Failures(failures)).failures);

it('mistakes in a file begin with file:line:column, one after the other', () => {
  const text = textOf(
    new Failure('inventory', 'unknown key: rols', { where: { position: 'kbs.yaml:4:3' }, next: 'did you mean roles?' }),
    new Failure('inventory', '10.0.0.1 is used twice', { where: { position: 'kbs.yaml:9:14' } }),
  );
  expect(text).toBe(`kbs.yaml:4:3: error: unknown key: rols
  → did you mean roles?
kbs.yaml:9:14: error: 10.0.0.1 is used twice

2 problems
`);
});

it('the same problem of many hosts is printed once', () => {
  const refusals = ['a', 'b', 'c'].map((host) => new Failure('unreachable', 'no answer', { where: { host } }));
  expect(textOf(...refusals)).toBe('Error: no answer\n  at a, b, c\n');
});

it('of a long log the end is shown', () => {
  const why = Array.from({ length: 40 }, (_, line) => `line ${line + 1}`);
  const text = textOf(new Failure('refused', 'it failed', { why, where: { command: 'kubeadm init' } }));
  expect(text).toContain('  ran kubeadm init\n  | … 28 lines before\n  | line 29\n');
  expect(text).toContain('  | line 40\n');
});

it('an unexpected error is a bug with status 1', () => {
  expect(errorReportOf(new TypeError('x is undefined'))).toEqual({
    code: 'bug',
    exit: 1,
    what: 'x is undefined',
    failures: [],
  });
});

it('colours change nothing but colours', () => {
  const failure = new Failure('refused', 'it failed', { where: { host: 'a' }, why: ['because'], next: 'do this' });
  const { failures } = errorReportOf(failure);
  // biome-ignore lint/complexity/useRegexLiterals: an escape character reads better as text
  const escapes = new RegExp('\\u001b\\[\\d+m', 'g');
  expect(failureText(failures, coloured)).not.toBe(failureText(failures));
  expect(printable(failureText(failures, coloured)).replace(escapes, '')).toBe(failureText(failures));
});

it('hosts that are skipped or failed are named with what, why and what next, a problem of several once', () => {
  const unreachable = (host: string) => ({
    host,
    problem: { code: 'unreachable', what: 'no answer', where: { host }, why: ['timed out'], next: 'look at the cable' },
  });
  const failed = {
    host: 'c',
    problem: {
      code: 'refused',
      what: 'create file /x failed',
      where: { host: 'c', phase: 'images' },
      why: ['no space'],
    },
  };
  expect(skippedText([unreachable('a'), failed, unreachable('b')])).toEqual([
    'skipped: a, b (no answer)',
    '  | timed out',
    '  → look at the cable',
    'failed: c images (create file /x failed)',
    '  | no space',
  ]);
});

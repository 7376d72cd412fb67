import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { asRecords, mark, readMark, splitRecords } from '../../src/hosts/records.js';
import { lines, type Script, sh } from '../../src/hosts/shell.js';

const run = (script: Script): string => execFileSync('sh', ['-euc', script]).toString();

test('each script of several has its own output', () => {
  expect(splitRecords(run(asRecords(sh`echo one`, sh`:`, sh`printf three`)))).toEqual(['one\n', '', 'three']);
});

test('one script alone is its output', () => {
  expect(splitRecords(run(asRecords(sh`echo one`)))).toEqual(['one\n']);
});

test('a mark is found between other lines', () => {
  const printed = run(lines(sh`echo one`, mark(2), sh`echo 3`, mark("it's"))).split('\n');
  expect(printed.map(readMark)).toEqual([undefined, '2', undefined, "it's", undefined]);
});

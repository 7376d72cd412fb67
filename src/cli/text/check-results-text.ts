import type { CheckResult } from '../../verify/check-result.js';
import { colorsFor } from './color.js';
import { counted } from './format.js';
import { oneLine } from './printable.js';

/** What a verify proved: a line for each sort of proof, and every finding that failed. */
export function checkResultsText(findings: readonly CheckResult[], verbose: boolean): string {
  const colors = colorsFor(process.stdout);
  const lines = sorts(findings).flatMap(([proof, members]) => {
    const failed = members.filter(({ ok }) => !ok);
    const mark = failed.length === 0 ? colors('green', '✔') : colors('red', '✘');
    const count = `${members.length - failed.length}/${members.length}`;
    const shown = verbose ? members : failed;
    return [`${mark} ${proof.padEnd(20)} ${count}`, ...shown.map((finding) => `    ${one(finding)}`)];
  });
  const failed = findings.filter(({ ok }) => !ok).length;
  const verdict =
    failed === 0
      ? colors('green', `verified: ${counted(findings.length, 'proof')}, all good`)
      : colors('red', `not verified: ${failed} of ${counted(findings.length, 'proof')} failed`);
  return `${lines.join('\n')}\n${verdict}\n`;
}

/** The same as JUnit XML, for CI systems. */
export function checkResultsJunit(findings: readonly CheckResult[]): string {
  const failures = findings.filter(({ ok }) => !ok).length;
  const cases = findings.map(({ proof, name, ok, detail, ms }) => {
    const head = `<testcase classname="${xml(proof)}" name="${xml(name)}" time="${(ms / 1000).toFixed(3)}"`;
    return ok ? `    ${head}/>` : `    ${head}><failure message="${xml(detail)}"/></testcase>`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites tests="${findings.length}" failures="${failures}">`,
    `  <testsuite name="kbs verify" tests="${findings.length}" failures="${failures}">`,
    ...cases,
    '  </testsuite>',
    '</testsuites>',
  ].join('\n');
}

const one = ({ name, ok, detail, ms }: CheckResult): string =>
  `${ok ? '✔' : '✘'} ${oneLine(`${name}: ${detail}`)} (${ms} ms)`;

const sorts = (findings: readonly CheckResult[]): readonly (readonly [string, readonly CheckResult[]])[] =>
  [...new Set(findings.map(({ proof }) => proof))].map((proof) => [
    proof,
    findings.filter((one) => one.proof === proof),
  ]);

const xml = (text: string): string =>
  text
    .replace(/[^\t\n\r\x20-\uFFFD]/g, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

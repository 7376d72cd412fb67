import { spawn } from 'node:child_process';
import { Failure } from '../failure.js';

/** Runs a POSIX script as it is on this machine and gives its stdout; its stderr becomes the reason of a Failure. */
export const shell = (what: string, script: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn('sh', ['-eu'], { stdio: ['pipe', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(stdout);
      else reject(new Failure('refused', `${what} failed (${signal ?? code})`, { why: lastLines(stderr || stdout) }));
    });
    child.stdin.on('error', () => {}); // a script that exits early closes its stdin: its status tells
    child.stdin.end(script);
  });

export const lastLines = (text: string, count = 8): string[] => text.trimEnd().split('\n').slice(-count);

import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { parseHeader } from './frame.js';

/** The stdout of a command so far. */
export interface ScriptOutput {
  /** The process id of the script's shell; absent until the script begins. */
  pid(): number | undefined;
  /** What came before the script's own output: a login shell's greeting, or the reason why no script was run. */
  noise(): string;
  text(): string;
}

/** Collects stdout from where the script begins, and gives each complete line to `onLine`; the last one at the end. */
export function readOutput(stdout: Readable, onLine?: (line: string) => void): ScriptOutput {
  let noise = Buffer.alloc(0);
  let pid: number | undefined;
  const output: Buffer[] = [];
  const lines = onLine && splitLines(onLine);

  const take = (chunk: Buffer) => {
    output.push(chunk);
    lines?.push(chunk);
  };
  stdout.on('end', () => lines?.end());
  stdout.on('data', (chunk: Buffer) => {
    if (pid !== undefined) return take(chunk);
    noise = Buffer.concat([noise, chunk]).subarray(-limit);
    const found = parseHeader(noise);
    if (!found) return;
    pid = found.pid;
    take(noise.subarray(found.end));
  });

  return { pid: () => pid, noise: () => noise.toString(), text: () => Buffer.concat(output).toString() };
}

function splitLines(onLine: (line: string) => void): { push(chunk: Buffer): void; end(): void } {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  return {
    push(chunk) {
      const lines = (rest + decoder.write(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line);
    },
    end() {
      rest += decoder.end();
      if (rest !== '') onLine(rest);
      rest = '';
    },
  };
}

/** Collects the last 64 KiB of a stream: enough to say why, whatever a command pours out. */
export function readToEnd(stderr: Readable): () => string {
  let tail = Buffer.alloc(0);
  stderr.on('data', (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-limit);
  });
  return () => tail.subarray(firstCharacter(tail)).toString();
}

const limit = 64 * 1024;

/** The cut may have gone through a character: skips the bytes that only continue one (RFC 3629, 10xxxxxx). */
const firstCharacter = (bytes: Buffer): number => {
  const index = bytes.findIndex((byte) => (byte & 0xc0) !== 0x80);
  return index > 3 || index < 0 ? 0 : index;
};

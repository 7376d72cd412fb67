import { Duplex, PassThrough } from 'node:stream';
import { execa } from 'execa';
import { readToEnd } from '../script/output.js';
import { notOpened } from '../ssh/forward.js';
import type { Master } from './master.js';

/**
 * Has a host open a TCP connection, as `ssh -W` does, over a control socket. `timeout` is in milliseconds; without one
 * the host's own counts.
 */
export const dial = async (
  master: Master,
  host: string,
  address: string,
  port: number,
  timeout?: number,
): Promise<Duplex> => {
  const child = execa('ssh', ['-W', `[${address}]:${port}`, ...master.client('DEBUG1')], {
    stdin: 'pipe',
    buffer: false,
    reject: false,
    encoding: 'buffer',
    detached: true,
  });
  // execa lets go of what is not read at once.
  const readable = child.stdout.pipe(new PassThrough());
  const said = readToEnd(child.stderr);
  let timer: NodeJS.Timeout | undefined;
  const outcome = await new Promise<'open' | 'late' | 'closed'>((resolve) => {
    if (timeout !== undefined) timer = setTimeout(() => resolve('late'), timeout);
    child.stderr.on('data', () => isOpen.test(said()) && resolve('open')).once('close', () => resolve('closed'));
  });
  clearTimeout(timer);
  if (outcome === 'open') {
    // The end of ssh is the end of the connection, however it came.
    return Duplex.from({ readable, writable: child.stdin })
      .on('error', () => {})
      .once('close', () => child.kill());
  }
  child.kill('SIGKILL');
  const why = timeout !== undefined && outcome === 'late' ? `no answer within ${timeout / 1000} s` : await reason();
  throw notOpened(host, `${address}:${port}`, why, /administratively prohibited/.test(why), new Error(why));

  /** This ssh knows that there is no connection, the one that holds the control socket knows why. */
  async function reason(): Promise<string> {
    const refusals = [...(await master.said()).matchAll(/open failed: (.*)/g)];
    const own = said()
      .split('\n')
      .filter((line) => line.trim() !== '' && !line.startsWith('debug'));
    return refusals.at(-1)?.[1] ?? own.at(-1) ?? 'the connection to the host was lost';
  }
};

/** What ssh says once the host has opened the connection; nothing else tells it. */
const isOpen = /master session id: \d+/;

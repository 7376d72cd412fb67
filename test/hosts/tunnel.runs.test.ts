import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  listenForTunnel,
  openTunnel,
  type Tunnel,
  type TunnelEnd,
  type TunnelListener,
} from '../../src/hosts/tunnel.js';
import type { SshSettings } from '../../src/inventory/cluster.js';
import { freePort, type Sshd, type SshdOptions, startSshd } from '../support/sshd.js';
import { failureOf } from './contract.js';

/** A server that answers each line with its own name before it. */
const answering = (name: string): Promise<Server> =>
  new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.on('error', () => {}).on('data', (chunk) => socket.write(`${name}: ${chunk}`));
    });
    server.listen(0, '127.0.0.1', () => resolve(server));
  });

const portOf = (server: Server): number => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
};

let sshd: Sshd;
let server: Server;
beforeAll(async () => {
  [sshd, server] = await Promise.all([startSshd(), answering('one')]);
});
afterAll(async () => {
  server.close();
  await sshd.stop();
});

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

const end = (ssh: SshSettings, port: number, name = 'cp-0'): TunnelEnd => ({
  host: { name, ssh },
  address: '127.0.0.1',
  port,
});

/** A tunnel, what it tells, and a listener that leads into it. */
const tunnelTo = async (...ends: readonly TunnelEnd[]) => {
  const told: string[] = [];
  const waiting: (() => void)[] = [];
  const tell = (text: string) => {
    told.push(text);
    for (const check of waiting) check();
  };
  const tunnel: Tunnel = openTunnel(ends, { acceptNewHostKeys: false, tell, agent: '' });
  const listener: TunnelListener = await listenForTunnel(0, () => tunnel.dial(), tell);
  open.push(listener, tunnel);
  /** Until it has told so. */
  const hears = (words: RegExp): Promise<void> =>
    new Promise((resolve) => {
      const check = () => told.some((text) => words.test(text)) && resolve();
      waiting.push(check);
      check();
    });
  return { told, hears, tunnel, port: listener.port };
};

/** What the server behind a port answers to a line; empty where it hangs up instead. */
const ask = (port: number, line = 'hello'): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    socket
      .on('close', () => resolve(''))
      .on('data', (chunk) => {
        resolve(String(chunk));
        socket.destroy();
      });
    socket.write(line);
  });

const withSshd = async (options: SshdOptions, use: (other: Sshd) => Promise<void>): Promise<void> => {
  const other = await startSshd(options);
  try {
    await use(other);
  } finally {
    for (const each of open.splice(0)) await each.close();
    await other.stop();
  }
};

describe.each(['ssh', 'openssh'] as const)('a tunnel over the transport %s', (transport) => {
  const by = (to: Sshd): SshSettings => to.settings({ transport });

  test('leads from a port of loopback to what the host reaches, several connections at a time', async () => {
    const { port, told } = await tunnelTo(end(by(sshd), portOf(server)));
    const lines = ['a', 'b', 'c', 'd'];
    expect(await Promise.all(lines.map((line) => ask(port, line)))).toEqual(lines.map((line) => `one: ${line}`));
    expect(told).toEqual([]);
  });

  test('over the local transport leads there directly', async () => {
    const local = { ...by(sshd), transport: 'local' } as const;
    const { port } = await tunnelTo(end(local, portOf(server)));
    expect(await ask(port)).toBe('one: hello');
  });

  test('tells that its connection was lost, makes it again, and serves again', async () => {
    const { port, told, hears } = await tunnelTo(end(by(sshd), portOf(server)));
    await ask(port);
    sshd.cut();
    await hears(/connected to cp-0 again/);
    expect(told[0]).toMatch(/^the connection to cp-0 was lost: .*; connecting again$/);
    expect(await ask(port)).toBe('one: hello');
  });

  test('hangs up on clients whose connection was lost', async () => {
    const { port } = await tunnelTo(end(by(sshd), portOf(server)));
    const client = connect(port, '127.0.0.1').on('error', () => {});
    client.write('hello');
    await once(client, 'data');
    const closed = once(client, 'close');
    sshd.cut();
    await closed;
  });

  test('goes through another host where the first has nothing to connect to, and stays there', async () => {
    const { port, told } = await tunnelTo(
      end(by(sshd), await freePort(), 'cp-0'),
      end(by(sshd), portOf(server), 'cp-1'),
    );
    expect([await ask(port), await ask(port)]).toEqual(['one: hello', 'one: hello']);
    expect(told).toEqual([]);
  });

  test('goes through another host where the one in use stops serving, and tells it', async () => {
    const first = await answering('first');
    const { port, told } = await tunnelTo(end(by(sshd), portOf(first), 'cp-0'), end(by(sshd), portOf(server), 'cp-1'));
    expect(await ask(port)).toBe('first: hello');
    await new Promise((closed) => first.close(closed));
    expect(await ask(port)).toBe('one: hello');
    expect(told).toEqual(['going through cp-1 from now on']);
  });

  test('to nothing hangs up, and tells why', async () => {
    const nothing = await freePort();
    const { port, told } = await tunnelTo(end(by(sshd), nothing));
    expect(await ask(port)).toBe('');
    expect(told).toEqual([
      expect.stringMatching(`^cp-0 opens no connection to 127.0.0.1:${nothing}: .*Connection refused`),
    ]);
  });

  test('names every host where none leads there', async () => {
    const nothing = await freePort();
    const { tunnel } = await tunnelTo(end(by(sshd), nothing, 'cp-0'), end(by(sshd), nothing, 'cp-1'));
    const failure = await failureOf(tunnel.dial());
    expect([failure.code, failure.why.join(' ')]).toEqual(['unreachable', expect.stringMatching(/cp-0.*cp-1/)]);
  });

  test('through a host whose sshd forbids it fails with what to change there', async () => {
    await withSshd({ config: ['AllowTcpForwarding no'] }, async (strict) => {
      const { tunnel } = await tunnelTo(end(by(strict), portOf(server)));
      expect((await failureOf(tunnel.dial())).next).toContain('AllowTcpForwarding local');
    });
  });
});

test('a port that is taken is wrong usage', async () => {
  const failure = await failureOf(
    listenForTunnel(
      portOf(server),
      () => Promise.reject(new Error()),
      () => {},
    ),
  );
  expect(failure).toMatchObject({ code: 'usage', message: `port ${portOf(server)} of 127.0.0.1 cannot be used` });
});

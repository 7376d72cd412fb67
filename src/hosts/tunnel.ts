import { connect as connectSocket, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../failure.js';
import { messageOf } from './message.js';
import type { Target } from './pool.js';
import type { Connection } from './ssh/connection.js';
import { type Connector, type ConnectorOptions, openConnector } from './ssh/connector.js';

/** A place that a host reaches and this machine may not. */
export interface TunnelEnd {
  readonly host: Target;
  /** As the host sees it. */
  readonly address: string;
  readonly port: number;
}

export interface TunnelOptions extends ConnectorOptions {
  readonly acceptNewHostKeys: boolean;
  /** For sentences about connections that are lost and made again. */
  readonly tell: (text: string) => void;
}

/** Connections to whichever of several equal ends can be reached, each through its host. */
export interface Tunnel {
  /** One more connection: to the end that the last one went to, else to the next one that answers. */
  dial(): Promise<Duplex>;
  close(): Promise<void>;
}

/** One SSH connection per host that is needed, made when it is needed first, and again after it was lost. */
export const openTunnel = (ends: readonly TunnelEnd[], options: TunnelOptions): Tunnel => {
  const connector = openConnector(options);
  const connections = new Map<string, Promise<Dialer>>();
  const over = new AbortController();
  let used: TunnelEnd | undefined;

  const connectionTo = ({ host }: TunnelEnd): Promise<Dialer> => connections.get(host.name) ?? begin(host);

  const begin = (host: Target): Promise<Dialer> => {
    const beginning = connectTo(host, connector);
    connections.set(host.name, beginning);
    beginning.then(
      ({ gone }) => gone.then((reason) => lost(host, beginning, reason)),
      () => forget(host, beginning),
    );
    return beginning;
  };

  /** Only what is still there: another client may have begun anew already. */
  const forget = ({ name }: Target, connection: Promise<Dialer>): boolean =>
    connections.get(name) === connection && connections.delete(name);

  const lost = (host: Target, connection: Promise<Dialer>, reason: string): void => {
    if (!forget(host, connection) || over.signal.aborted) return;
    options.tell(`the connection to ${host.name} was lost: ${reason}; connecting again`);
    void again(host);
  };

  const again = async (host: Target): Promise<void> => {
    const end = ends.find((each) => each.host.name === host.name);
    for (let pause = 1; end !== undefined && !over.signal.aborted; pause = Math.min(2 * pause, longestPause)) {
      try {
        await connectionTo(end);
        options.tell(`connected to ${host.name} again`);
        return;
      } catch {
        await sleep(pause * 1000, undefined, { signal: over.signal }).catch(() => {});
      }
    }
  };

  return {
    async dial() {
      const why: string[] = [];
      for (const end of used === undefined ? ends : [used, ...ends.filter((each) => each !== used)]) {
        try {
          const stream = await (await connectionTo(end)).dial(end.address, end.port);
          if (used !== undefined && used !== end) options.tell(`going through ${end.host.name} from now on`);
          used = end;
          return stream;
        } catch (error) {
          why.push(messageOf(error), ...(error instanceof Failure ? error.why : []));
          if (ends.length === 1) throw error;
        }
      }
      throw new Failure('unreachable', 'none of the hosts leads there', {
        why,
        next: 'see which hosts can be reached: kbs status',
      });
    },
    async close() {
      over.abort();
      const closing = [...connections.values()].map(async (connection) => (await connection).close());
      await Promise.allSettled(closing);
      await connector.close();
    },
  };
};

/** Seconds. */
const longestPause = 15;

type Dialer = Pick<Connection, 'dial' | 'gone' | 'close'>;

const connectTo = async ({ name, ssh: written }: Target, connector: Connector): Promise<Dialer> => {
  const ssh = await connector.complete(name, written);
  return ssh.transport === 'local'
    ? { dial: dialFromHere, gone: new Promise(() => {}), close: async () => {} }
    : connector.connect(name, ssh);
};

const dialFromHere = (address: string, port: number): Promise<Duplex> =>
  new Promise((resolve, reject) => {
    const socket = connectSocket({ host: address, port, noDelay: true });
    socket.once('error', reject).once('connect', () => resolve(socket.off('error', reject)));
  });

/** A port of loopback that leads into a tunnel. */
export interface TunnelListener {
  readonly port: number;
  /** Closes it, and the connections that go through it. */
  close(): Promise<void>;
}

/**
 * Listens on 127.0.0.1; port 0 takes a free one. A client whose connection cannot be made is hung up on, and `tell` says
 * why. Throws `usage` where the port is taken.
 */
export const listenForTunnel = (
  port: number,
  dial: () => Promise<Duplex>,
  tell: (text: string) => void,
): Promise<TunnelListener> => {
  const sockets = new Set<Duplex>();
  const serve = async (client: Socket): Promise<void> => {
    keep(client, sockets);
    try {
      const there = keep(await dial(), sockets);
      if (client.destroyed) return void there.destroy();
      client.on('close', () => there.destroy());
      there.on('close', () => client.destroy());
      client.pipe(there).pipe(client);
    } catch (error) {
      client.destroy();
      tell([messageOf(error), ...(error instanceof Failure ? error.why : [])].join(': '));
    }
  };
  const server = createServer({ pauseOnConnect: true, noDelay: true }, (client) => void serve(client));
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(cannotListen(port, cause)));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve({
        port: address !== null && typeof address === 'object' ? address.port : port,
        async close() {
          for (const socket of sockets) socket.destroy();
          await new Promise((closed) => server.close(closed));
        },
      });
    });
  });
};

/** A reset of one side is an ordinary end for the other. */
const keep = <Stream extends Duplex>(stream: Stream, among: Set<Duplex>): Stream => {
  among.add(stream);
  stream.on('error', () => stream.destroy()).on('close', () => among.delete(stream));
  return stream;
};

const cannotListen = (port: number, cause: Error): Failure =>
  new Failure('usage', `port ${port} of 127.0.0.1 cannot be used`, {
    why: [cause.message],
    next: 'leave --port out, and kbs takes a free one',
    cause,
  });

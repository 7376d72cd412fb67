import { connect, createServer, type Socket } from 'node:net';

/** A TCP proxy on loopback that can misbehave, between a client and a server that does not. */
export interface Proxy {
  readonly port: number;
  /** How many connections it was asked for so far. */
  connections(): number;
  /** Stops passing anything on, and closes nothing: a pulled cable. */
  fallSilent(): void;
  stop(): Promise<void>;
}

export interface ProxyOptions {
  /** Port on loopback; without one nothing ever answers. */
  readonly to?: number;
  /** How many of the first connections are closed at once; none when absent. */
  readonly hangUp?: number;
}

export function startProxy({ to, hangUp = 0 }: ProxyOptions): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    connections += 1;
    keep(client);
    if (connections <= hangUp) return void client.destroy();
    if (to === undefined) return;
    const upstream = keep(connect(to, '127.0.0.1'));
    client.pipe(upstream).pipe(client);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') return reject(new Error('no port'));
      resolve({
        port: address.port,
        connections: () => connections,
        fallSilent() {
          for (const socket of sockets) socket.unpipe().pause();
        },
        async stop() {
          for (const socket of sockets) socket.destroy();
          await new Promise((closed) => server.close(closed));
        },
      });
    });
  });
}

import { connect, type Socket } from 'node:net';

/**
 * A TCP connection, ready to use. Without delay: an SSH exchange is many small packets that wait for an answer, and
 * Nagle's algorithm makes each of them cost 40 ms.
 */
export function openSocket(address: string, port: number, timeout: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, noDelay: true, keepAlive: true });
    const timer = setTimeout(() => socket.destroy(new Error(`no answer within ${timeout / 1000} s`)), timeout);
    const settle = () => {
      clearTimeout(timer);
      socket.off('error', fail).off('connect', open);
    };
    const open = () => {
      settle();
      resolve(socket);
    };
    const fail = (error: Error) => {
      settle();
      reject(error);
    };
    socket.on('error', fail).on('connect', open);
  });
}

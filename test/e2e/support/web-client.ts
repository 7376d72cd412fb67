import { Resolver } from 'node:dns/promises';
import { request } from 'node:https';
import { isIP } from 'node:net';

/** What a client on the LAN needs to ask for a page by name. */
export interface WebClient {
  /** DNS servers. */
  readonly servers: readonly string[];
  /** PEM of the authority that is trusted, and no other. */
  readonly ca: string;
  /** Milliseconds for everything: name, connection, answer. */
  readonly patience: number;
}

/** Asks for a page over HTTPS, on a connection of its own, and gives its text. Throws where that is not answered with 200. */
export const ask = async (url: string, { servers, ca, patience }: WebClient): Promise<string> => {
  const { hostname } = new URL(url);
  const address = await lookUp(hostname, servers);
  return new Promise((resolve, reject) => {
    const asked = request(
      url,
      {
        agent: false,
        ca,
        signal: AbortSignal.timeout(patience),
        lookup: (_name, { all }, found) => {
          const family = isIP(address);
          // Node asks for all addresses since it tries them side by side.
          if (all) found(null, [{ address, family }]);
          else found(null, address, family);
        },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece: string) => {
          text += piece;
        });
        answer.on('error', reject);
        answer.on('end', () => {
          if (answer.statusCode === 200) resolve(text.trim());
          else reject(new Error(`status ${answer.statusCode}: ${text}`));
        });
      },
    );
    asked.on('error', reject);
    asked.end();
  });
};

const lookUp = async (name: string, servers: readonly string[]): Promise<string> => {
  const resolver = new Resolver({ timeout: 400, tries: 2 });
  resolver.setServers(servers);
  const [address] = await resolver.resolve4(name);
  if (address === undefined) throw new Error(`no address of ${name}`);
  return address;
};

/** A request that was made at a regular pace. */
export interface Asked {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Why it failed; absent where it was answered. */
  readonly problem?: string;
}

/** Asks ten times a second for as long as something else takes, and gives every request in the order in which it was made. */
export const askMeanwhile = async (
  url: string,
  client: WebClient,
  meanwhile: () => Promise<unknown>,
): Promise<readonly Asked[]> => {
  const asked: Promise<Asked>[] = [];
  const timer = setInterval(() => {
    const at = Date.now();
    asked.push(
      ask(url, client).then(
        () => ({ at }),
        (error: unknown) => ({ at, problem: String(error) }),
      ),
    );
  }, 100);
  try {
    await meanwhile();
  } finally {
    clearInterval(timer);
  }
  return Promise.all(asked);
};

/** The most failures within any one second. */
export const worstSecond = (asked: readonly Asked[]): number => {
  const failed = asked.filter(({ problem }) => problem !== undefined);
  return Math.max(0, ...failed.map(({ at }) => failed.filter((one) => one.at >= at && one.at < at + 1000).length));
};

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { defined } from '../../defined.js';
import type { SshLogin, SshSettings } from '../../inventory/cluster.js';
import { asRoot } from '../become.js';
import type { OperatorSecrets } from '../secrets.js';
import type { Connection } from '../ssh/connection.js';
import { jumpIsLost, lastOf, nameOf } from '../ssh/jump.js';
import { shareSessions } from '../ssh/sessions.js';
import { openWays } from '../ssh/ways.js';
import { startCommand } from './command.js';
import { dial } from './dial.js';
import { isTransient } from './explain.js';
import { type Master, openMaster } from './master.js';
import { proxyCommand } from './words.js';

/** Connections by the ssh of this machine: with its configuration, its ProxyCommand, certificates and security keys. */
export interface SystemSsh {
  /** Connects with completed settings; a connection is its caller's to close. */
  connect(host: string, ssh: SshSettings): Promise<Connection>;
  /** Ends the connections to jump hosts, and removes the folder of the control sockets. */
  close(): Promise<void>;
}

export interface SystemSshOptions {
  readonly acceptNewHostKeys: boolean;
  readonly agent: string | undefined;
  readonly secrets: OperatorSecrets;
  readonly terminal: OperatorSecrets['inTurn'] | undefined;
  /** Milliseconds for the TCP connection to a machine, and as many again for the login. */
  timeoutOf(login: SshLogin): number;
}

export const openSystemSsh = (options: SystemSshOptions): SystemSsh => {
  let folder: Promise<string> | undefined;
  let sockets = 0;
  const newSocket = async (): Promise<string> => {
    folder ??= privateFolder();
    return join(await folder, `${sockets++}`);
  };

  const ways = openWays((jump: SshSettings) => login(nameOf(jump), jump));

  const login = (host: string, ssh: SshSettings): Promise<Master> => {
    const open = async (proxy?: string): Promise<Master> =>
      openMaster({
        host,
        ssh,
        socket: await newSocket(),
        timeout: options.timeoutOf(ssh),
        agent: options.agent,
        terminal: options.terminal,
        hostKeys: options.acceptNewHostKeys ? 'accept-new' : 'yes',
        ...defined({ proxy }),
      });
    const { jump = [] } = ssh;
    if (jump.length === 0) return patiently(2, () => open());
    return patiently(4, () =>
      ways.over(
        jumpSettings(ssh),
        (error) => jumpIsLost(host, ssh, error),
        (master) => open(proxyCommand(master.way, lastOf(jump).address)),
      ),
    );
  };

  return {
    async connect(host, ssh) {
      const master = await login(host, ssh);
      let reason = 'the host closed the connection';
      void master.gone.then((why) => {
        reason = why;
      });
      const remote = { host, sessions: shareSessions(), reason: () => reason };
      const run = (command: string) => startCommand(master, command, remote);
      const { user, become } = ssh;
      return {
        start: asRoot(run, { host, user, become, secrets: options.secrets }),
        dial: (address, port, within) => dial(master, host, address, port, within),
        gone: master.gone,
        closed: master.closed,
        close: master.close,
      };
    },
    async close() {
      await ways.close();
      if (folder !== undefined) await rm(await folder, { recursive: true, force: true });
    },
  };
};

/** The last jump host of a way as a host itself. ssh's configuration may say how the first one is reached. */
const jumpSettings = ({ jump = [], open }: SshSettings): SshSettings => ({
  ...lastOf(jump),
  transport: 'openssh',
  become: 'none',
  jump: jump.slice(0, -1),
  ...(open === undefined ? {} : { open: ['jump'] }),
});

/** Tries again where the connection was refused or cut, a little later each time: a host that just boots does that. */
const patiently = async (attempts: number, attempt: () => Promise<Master>): Promise<Master> => {
  for (let tried = 1; ; tried++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isTransient(error) || tried === attempts) throw error;
      await sleep(tried * 1000);
    }
  }
};

/** Sockets have short names: their path fits into 104 bytes on every system, with what ssh puts after it. */
const privateFolder = (): Promise<string> => mkdtemp(join(tmpdir().length > 60 ? '/tmp' : tmpdir(), 'kbs-ssh-'));

import type { SshLogin, SshSettings } from '../../inventory/cluster.js';
import { askSecret, hasTerminal } from '../ask-secret.js';
import { openSystemSsh } from '../openssh/connector.js';
import { type AskSecret, type OperatorSecrets, operatorSecrets } from '../secrets.js';
import { type Connection, connect, connectTimeout } from './connection.js';
import { openJumpHosts } from './jump.js';
import { type CompleteSsh, sshCompletion } from './ssh-config.js';

export interface ConnectorOptions {
  /** Learn the key of a host that is not known yet; a key that changed is never accepted. */
  readonly acceptNewHostKeys?: boolean;
  /** Milliseconds for a TCP connection, and as many again for the login; as each host's settings say when absent. */
  readonly connectTimeout?: number;
  /** Path of the ssh-agent's socket; SSH_AUTH_SOCK when absent. */
  readonly agent?: string;
  /** Completes the settings of hosts; by what ssh is configured to when absent. */
  readonly complete?: CompleteSsh;
  /** Where passphrases and passwords are asked; on the terminal of this process when absent. */
  readonly ask?: AskSecret;
  /** Runs whatever asks on the terminal: a place to take away what is drawn there; at once when absent. */
  readonly onTerminal?: <T>(ask: () => Promise<T>) => Promise<T>;
}

/** Makes connections that share what the operator is asked, and the way through jump hosts. */
export interface Connector {
  readonly secrets: OperatorSecrets;
  readonly complete: CompleteSsh;
  /** Connects with completed settings; a connection is its caller's to close. */
  connect(host: string, ssh: SshSettings): Promise<Connection>;
  /** Ends the connections to jump hosts. */
  close(): Promise<void>;
}

export const openConnector = (options: ConnectorOptions): Connector => {
  const { onTerminal = (ask) => ask() } = options;
  const secrets = operatorSecrets(options.ask ?? ((question) => onTerminal(() => askSecret(question))));
  const shared = {
    acceptNewHostKeys: options.acceptNewHostKeys ?? false,
    agent: (options.agent ?? process.env.SSH_AUTH_SOCK) || undefined,
    secrets,
  };
  const timeoutOf = (login: SshLogin) => options.connectTimeout ?? connectTimeout(login);
  const jumps = openJumpHosts({ ...shared, connectTimeout: options.connectTimeout });
  const systemSsh = openSystemSsh({
    ...shared,
    timeoutOf,
    terminal: hasTerminal() ? (ask) => secrets.inTurn(() => onTerminal(ask)) : undefined,
  });
  return {
    secrets,
    complete: options.complete ?? sshCompletion(),
    connect: (host, ssh) =>
      ssh.transport === 'openssh'
        ? systemSsh.connect(host, ssh)
        : connect({ ...shared, host, ssh, timeout: timeoutOf(ssh), jumps }),
    async close() {
      await Promise.all([jumps.close(), systemSsh.close()]);
    },
  };
};

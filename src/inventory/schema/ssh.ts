import { z } from 'zod';
import { anyText, hostName, isMissing, jumpHost, jumpProblem, userName } from '../formats.js';
import { choice, integer, keys, text } from './fields.js';

const keyFile = text(anyText('a path of a private key', '~/.ssh/id_ed25519'), 'A path.');

const keyFiles = z.union([keyFile, z.array(keyFile)], {
  error: ({ input }) =>
    isMissing(input)
      ? 'write a path of a private key, or a list of paths'
      : 'is neither a path of a private key nor a list of such paths; write one like ~/.ssh/id_ed25519',
});

const jumpText = text(jumpHost, 'A jump host.');

const jumpMap = keys(
  'Jump host',
  {
    host: text(hostName, 'Its address, its DNS name, or the name of a host of this inventory.'),
    user: text(userName, 'The user that logs in there. Default: that of the host behind it.').optional(),
    port: integer(1, 65535, 'The port of its sshd. Default: `22`.').optional(),
    key: keyFiles
      .optional()
      .meta({ description: 'Private keys to log in there with. Default: those of the host behind it.' }),
  },
  'A jump host in detail.',
);

const jump = z
  .union([jumpText, jumpMap, z.array(z.union([jumpText, jumpMap], { error: ({ input }) => jumpProblem(input) }))], {
    error: ({ input }) => jumpProblem(input),
  })
  .meta({
    description:
      'The jump host on the way: `USER@HOST:PORT`, a map with `host`, `user`, `port` and `key`, or a list of those, the first one first. `HOST` may be a host of this inventory. `none`: no jump host. Default: `none`, see docs/ssh.md.',
    examples: ['ops@bastion.example.com:2222'],
  });

/** How to log in, to all hosts or to one. */
export const ssh = (description: string) =>
  keys(
    'SSH',
    {
      user: text(userName, 'The user that logs in. Default: `root`.').optional(),
      become: choice(
        ['none', 'sudo', 'doas'],
        'How that user becomes root. kbs asks for the password that `sudo` wants, or reads it from `KBS_SUDO_PASSWORD`; `doas` must want none. `root` needs nothing. Default: `sudo`.',
      ).optional(),
      port: integer(1, 65535, 'The port of sshd. Default: `22`.').optional(),
      key: keyFiles.optional().meta({
        description:
          'Private keys to log in with: one path or a list. `~` is your home; other paths start at the folder of this file. kbs asks for a passphrase, or reads it from `KBS_SSH_PASSPHRASE`. Default: the keys that ssh itself would try. After them come the other keys of your agent.',
        examples: ['~/.ssh/id_ed25519'],
      }),
      password: choice(
        ['ask'],
        'Log in with a password, too, where a host takes no key or wants both: kbs asks for it once, or reads it from `KBS_SSH_PASSWORD`. Default: keys alone.',
      ).optional(),
      knownHosts: text(
        anyText('a path', '~/.ssh/known_hosts'),
        'The file of known host keys. Default: `~/.ssh/known_hosts`.',
      ).optional(),
      timeout: integer(
        1,
        600,
        'The seconds that a connection may take, and as many again the login. Default: `10`.',
      ).optional(),
      transport: choice(
        ['ssh', 'openssh', 'local'],
        "`openssh`: the host is reached by your machine's own `ssh`, with ProxyCommand, certificates, security keys and second factors, see docs/ssh.md. `local`: the host is this very machine, and no SSH is used. Default: `ssh`.",
      ).optional(),
      jump: jump.optional(),
      config: choice(
        ['default', 'none'],
        '`none`: kbs ignores the configuration of ssh on your machine. `default`: what is not written here, ~/.ssh/config and /etc/ssh/ssh_config may say, as for `ssh ADDRESS`. Default: `default`.',
      ).optional(),
    },
    description,
  );

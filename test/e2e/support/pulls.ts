import type { Project } from './project.js';

/** The images that containerd of these hosts was asked to pull, by its log: each once. */
export const pulledImages = async (project: Project, hosts: readonly string[]): Promise<readonly string[]> => {
  const asked = `journalctl -u containerd -o cat | grep -o 'PullImage [^ ]*' | sort -u || :`;
  const logs = await Promise.all(hosts.map((host) => project.on(host, asked)));
  return [...new Set(logs.flatMap((log) => log.split('\n')).filter((line) => line !== ''))];
};

/** Where the images and the root file systems of containers lie. */
export const containerdFolder = '/var/lib/containerd';

/** Folders below which programs are started: those that kbs installs, and those in volumes of pods. */
export const programFolders: readonly string[] = ['/usr/local', '/opt', '/var/lib'];

/** What kbs asks the file system of. */
export const folders: readonly string[] = ['/etc', ...programFolders, containerdFolder];
